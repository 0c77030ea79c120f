#include "crypto/vault/engine/reverse/reverse.h"

#include <array>
#include <mutex>
#include <utility>

#include "crypto/keys/protection_key.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_header.h"
#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/reverse/open_address.h"
#include "crypto/vault/engine/reverse/open_preserved.h"
#include "crypto/vault/engine/reverse/reverse_contexts.h"
#include "crypto/vault/engine/rows/row_sealer.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

WallTime start_of_day(WallTime time) { return std::chrono::floor<std::chrono::days>(time); }

// Without integrity: whatever is given opens to something.
bool is_verified(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::address:
    case Algorithm::address_prefix:
    case Algorithm::address_random:
    case Algorithm::format_preserving:
      return false;
    default:
      return true;
  }
}

// Of everything but vault tokens: the row says all there is to say.
Result<TokenDescription> describe_keyed(const Catalogue& catalogue, std::uint32_t key_id,
                                        Algorithm algorithm, WallTime now) {
  const auto context = context_of(catalogue, key_id, algorithm);
  if (!context) return context.error();
  const auto kind = kind_of(context->row());
  if (!kind) return unavailable();
  TokenDescription out;
  out.key_id = key_id;
  out.algorithm = algorithm;
  out.kind = *kind;
  out.reversible = algorithm != Algorithm::pseudonym && !is_sealed(algorithm);
  out.verified = is_verified(algorithm);
  describe_context(catalogue.names(), context->row(), out);
  const bool endless = out.epoch.length == EpochLength::none;
  const WallTime made = is_sealed(algorithm) ? now : context->made;
  const WallTime since = start_of_day(endless ? made : epoch_start(out.epoch));
  const std::string& purpose = context->row().purpose_id;
  out.purposes.push_back({id_from(purpose), name_of(catalogue.names(), purpose), since, since});
  return out;
}

Result<SecretBytes> value_of_frame(SecretBytes frame) {
  const auto parsed = parse_frame(frame.bytes());
  if (!parsed) return unavailable();
  return SecretBytes::copy_of(parsed->value);
}

Result<SecretBytes> open_derived(ByteView payload, const ProtectionKey& key) {
  if (payload.size() <= kSivSize) return unavailable();
  auto siv = AesSiv256::create(key.key.bytes());
  const std::string ad = token_ad(key.key_id, key.algorithm, key.ctx);
  if (!siv || !siv->set_ad(as_bytes(ad))) return unavailable();
  SecretBytes frame(payload.size() - kSivSize);
  if (!siv->open(payload, frame.mutable_bytes())) return unavailable();
  return value_of_frame(std::move(frame));
}

Result<SecretBytes> open_encrypted(ByteView payload, const ProtectionKey& key) {
  if (payload.size() <= kNonceSize + kTagSize) return unavailable();
  auto xaes = Xaes256Gcm::create(key.key.bytes());
  if (!xaes) return unavailable();
  const std::string ad = token_ad(key.key_id, key.algorithm, key.ctx);
  SecretBytes frame(payload.size() - kNonceSize - kTagSize);
  if (!xaes->open(payload.first(kNonceSize), as_bytes(ad), payload.subspan(kNonceSize),
                  frame.mutable_bytes())) {
    return unavailable();
  }
  return value_of_frame(std::move(frame));
}

}  // namespace

Result<TokenDescription> ReverseVault::describe(const BareValue& value) const {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  return describe_keyed(*state.catalogue, value.key_id, value.algorithm, state.clock.now());
}

Result<TokenDescription> ReverseVault::describe(const ParsedToken& token) const {
  KeyMemo memo;
  Vault::State& state = *vault_.state_;
  if (token.algorithm == Algorithm::vault_token) {
    return describe_stored(token, id_of(token), token.key_id, memo);
  }
  if (token.algorithm == Algorithm::encrypted_subject) {
    return describe_encrypted_subject(token, memo);
  }
  const std::scoped_lock lock(state.mutex);
  return describe_keyed(*state.catalogue, token.key_id, token.algorithm, state.clock.now());
}

Result<TokenDescription> ReverseVault::describe(const ParsedToken& token, const Id& asker,
                                                KeyMemo& memo) const {
  Vault::State& state = *vault_.state_;
  bool own = false;
  std::uint32_t key_id = 0;  // none has it
  {
    const std::scoped_lock lock(state.mutex);
    const auto found =
        state.catalogue->tenant_contexts().find(asker, token.key_id, token.algorithm);
    own = found.own;
    if (found.record != nullptr) key_id = found.record->row.key_id;
    if (own && token.algorithm != Algorithm::vault_token &&
        token.algorithm != Algorithm::encrypted_subject) {
      return describe_keyed(*state.catalogue, token.key_id, token.algorithm, state.clock.now());
    }
  }
  if (token.algorithm == Algorithm::vault_token) {
    return describe_stored(token, id_to_ask_for(id_of(token), own), key_id, memo);
  }
  if (!own) return unavailable();
  return describe_encrypted_subject(token, memo);
}

Result<TokenDescription> ReverseVault::describe_stored(const ParsedToken& token, const Id& id,
                                                       std::uint32_t key_id, KeyMemo& memo) const {
  Vault::State& state = *vault_.state_;
  Result<Fetched> fetched = fetch(*state.tokens, id);

  const std::scoped_lock lock(state.mutex);
  const Catalogue& catalogue = *state.catalogue;
  const auto context = context_of(catalogue, key_id, token.algorithm);
  if (!fetched) return fetched.error();
  if (!context) return context.error();
  TokenDescription out;
  out.key_id = token.key_id;
  out.algorithm = token.algorithm;
  out.reversible = true;
  describe_context(catalogue.names(), context->row(), out);
  if (row_schema(as_bytes(fetched->bytes)) == kBoundRowSchema) {
    const auto row = decode_bound_row(as_bytes(fetched->bytes));
    if (!row || row->key_id != token.key_id) return unavailable();
    if (auto s = describe_bound(*row, fetched->id, memo, out); !s) return s.error();
    return out;
  }
  const auto view = decode_token_row(as_bytes(fetched->bytes));
  if (!view || view->row.key_id != token.key_id) return unavailable();
  const auto seal = context_of(catalogue, view->row.seal_key_id, Algorithm::vault_row);
  if (!seal) return unavailable();
  out.kind = view->row.kind;
  out.epoch = seal->row().epoch;
  out.subject = view->row.subject;
  for (const RowPurpose& purpose : view->row.purposes) {
    out.purposes.push_back({purpose.id, name_of(catalogue.names(), id_text(purpose.id)),
                            time_of_day(purpose.created_day), time_of_day(purpose.contact_day)});
  }
  return out;
}

Result<SecretBytes> ReverseVault::open_value(const BareValue& value,
                                             OpeningPermit /*permit*/) const {
  KeyMemo memo;
  const auto opener = key_of(value.key_id, value.algorithm, memo);
  if (!opener || !opener->kind) return unavailable();
  switch (value.algorithm) {
    case Algorithm::format_preserving:
      return open_preserved(opener->key->key.bytes(), opener->key->ctx, *opener->kind, value.text);
    case Algorithm::address:
    case Algorithm::address_prefix:
      return open_address_literal(*opener->key, value.text);
    default:
      return unavailable();
  }
}

Result<SecretBytes> ReverseVault::open_value(const ParsedToken& token, std::string_view purpose,
                                             OpeningPermit permit) const {
  KeyMemo memo;
  return open_value(token, purpose, memo, std::move(permit));
}

Result<SecretBytes> ReverseVault::open_value(const ParsedToken& token, std::string_view purpose,
                                             KeyMemo& memo, OpeningPermit /*permit*/) const {
  if (token.algorithm == Algorithm::vault_token) return open_stored(token, purpose, memo);
  if (token.algorithm == Algorithm::encrypted_subject) return open_encrypted_subject(token, memo);
  const auto opener = key_of(token.key_id, token.algorithm, memo);
  if (!opener) return unavailable();
  switch (token.algorithm) {
    case Algorithm::derived:
      return open_derived(token.payload, *opener->key);
    case Algorithm::encrypted:
      return open_encrypted(token.payload, *opener->key);
    case Algorithm::address:
    case Algorithm::address_prefix:
    case Algorithm::address_random:
      return open_address(*opener->key, token);
    default:
      return unavailable();
  }
}

Result<SecretBytes> ReverseVault::open_stored(const ParsedToken& token, std::string_view purpose,
                                              KeyMemo& memo) const {
  Result<Fetched> fetched = fetch(*vault_.state_->tokens, id_of(token));
  if (!fetched) return fetched.error();
  if (row_schema(as_bytes(fetched->bytes)) == kBoundRowSchema) {
    const auto row = decode_bound_row(as_bytes(fetched->bytes));
    if (!row || row->key_id != token.key_id) return unavailable();
    return open_bound(*row, fetched->id, purpose, memo);
  }
  const auto view = decode_token_row(as_bytes(fetched->bytes));
  if (!view || view->row.key_id != token.key_id) return unavailable();
  const auto opener = key_of(view->row.seal_key_id, Algorithm::vault_row, memo);
  if (!opener) return unavailable();
  auto value = open_row(*view, fetched->id, *opener->key);
  if (!value) return unavailable();
  return value;
}

Result<ReverseVault::KindKey> ReverseVault::key_of(std::uint32_t key_id, Algorithm algorithm,
                                                   KeyMemo& memo) const {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const auto context = context_of(*state.catalogue, key_id, algorithm);
  if (!context) return unavailable();
  const auto key = memo.key(*state.catalogue, *context->record);
  if (!key) return unavailable();
  return KindKey{*key, kind_of(context->row())};
}

}  // namespace paravent::crypto::vault
