// The way back of values that belong to a data subject: first the layer of the context's key, which
// tells whose they are; then the layer of the subject's.

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "crypto/keys/protection_key.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_header.h"
#include "crypto/vault/engine/reverse/reverse.h"
#include "crypto/vault/engine/reverse/reverse_contexts.h"
#include "crypto/vault/engine/rows/token_row.h"
#include "crypto/vault/engine/subjects/subject_keys.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

// The subject and the key behind a handle, as they are now.
struct Found {
  Subject subject;
  SubjectKey key;
};

Result<Found> find_handle(const SubjectStore& store, const SubjectHandle& handle) {
  return store.read([&](const SubjectTable& table) -> Result<Found> {
    const SubjectKey* key = table.by_handle(handle);
    if (key == nullptr || key->disabled()) return unavailable();
    return Found{*table.by_id(key->made.subject), *key};
  });
}

Error out_of_use() noexcept { return Error(ErrorKind::sealed); }

// Whose handle it is, also when the key is about to end: nobody is unknown while something of
// theirs is kept.
Result<Id> owner_of_handle(const SubjectStore& store, const SubjectHandle& handle) {
  return store.read([&](const SubjectTable& table) -> Result<Id> {
    const SubjectKey* key = table.by_handle(handle);
    if (key == nullptr) return unavailable();
    return key->made.subject;
  });
}

// What `open` makes of the key of this context. sealed: the key is out of use.
template <typename Open>
Result<SubjectLayer> layer_to_look_into(const Catalogue& catalogue, std::uint32_t key_id,
                                        Algorithm algorithm, KeyMemo& memo, const Open& open) {
  const ContextRecord* record = catalogue.context(key_id);
  if (record == nullptr || record->row.algorithm != algorithm) return unavailable();
  if (is_out_of_use(catalogue.keys(), record->parent)) return out_of_use();
  const auto key = memo.key(catalogue, *record);
  if (!key) return unavailable();
  return open(**key);
}

void describe_subject(const Found& found, const NameRegistry& names, std::uint32_t created_day,
                      TokenDescription& out) {
  out.subject = found.subject.made.reference;
  out.restricted = found.subject.restricted;
  PurposeClock clock;
  clock.id = found.key.made.purpose;
  clock.name = name_of(names, id_text(clock.id));
  clock.created = time_of_day(created_day);
  clock.last_contact = time_of_day(found.key.contact_day);
  if (found.key.event_day != 0) clock.event = time_of_day(found.key.event_day);
  clock.of_person = true;
  clock.identified = found.subject.made.identified;
  out.purposes.push_back(std::move(clock));
}

Result<SubjectLayer> layer_of_copy(const ProtectionKey& key, const BoundRow& row,
                                   const BoundCopy& copy, const Id& id) {
  auto layer = open_outer_layer(key, copy_ad(key.ctx, id, row, copy), copy.sealed);
  // The mark is what resolve() trusts: one that is not its handle's was altered.
  if (!layer || handle_mark(layer->handle(), id, copy.purpose) != copy.mark) return unavailable();
  return layer;
}

Result<SubjectLayer> layer_of_token(const ProtectionKey& key, const ParsedToken& token) {
  auto layer = open_outer_layer(key, token_ad(token.key_id, token.algorithm, key.ctx),
                                as_text(token.payload));
  if (!layer) return unavailable();
  return layer;
}

Result<SecretBytes> value_of(ByteView frame, std::optional<Kind> kind, bool in_relationship) {
  const auto parsed = parse_frame(frame);
  if (!parsed || (kind && parsed->kind != *kind)) return unavailable();
  std::string_view value = parsed->value;
  if (in_relationship) {
    constexpr std::size_t kRelationship = sizeof(ScopeId);
    if (value.size() <= kRelationship) return unavailable();
    value.remove_prefix(kRelationship);
  }
  return SecretBytes::copy_of(value);
}

}  // namespace

Status ReverseVault::describe_bound(const BoundRow& row, const Id& id, KeyMemo& memo,
                                    TokenDescription& out) const {
  const Vault::State& state = *vault_.state_;
  out.kind = row.kind;
  for (const BoundCopy& copy : row.copies) {
    const auto seal = context_of(*state.catalogue, copy.seal_key_id, Algorithm::vault_row_subject);
    // A copy whose epoch or subject key is gone is gone; the others are there.
    if (!seal || id_from(seal->row().purpose_id) != copy.purpose) continue;
    const auto key = memo.key(*state.catalogue, *seal->record);
    if (!key) continue;
    const auto layer = layer_of_copy(**key, row, copy, id);
    if (!layer) continue;
    const auto found = find_handle(*state.subjects, layer->handle());
    if (!found || found->key.made.purpose != copy.purpose) continue;
    out.epoch = seal->row().epoch;
    describe_subject(*found, state.catalogue->names(), copy.created_day, out);
  }
  if (out.purposes.empty()) return unavailable();
  return {};
}

Result<TokenDescription> ReverseVault::describe_encrypted_subject(const ParsedToken& token,
                                                                  KeyMemo& memo) const {
  const Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(vault_.state_->mutex);
  const auto context = context_of(*state.catalogue, token.key_id, token.algorithm);
  if (!context) return unavailable();
  const auto kind = kind_of(context->row());
  const auto key = memo.key(*state.catalogue, *context->record);
  if (!key) return unavailable();
  const auto layer = layer_of_token(**key, token);
  if (!kind || !layer) return unavailable();
  const auto found = find_handle(*state.subjects, layer->handle());
  if (!found || found->key.made.purpose != id_from(context->row().purpose_id)) return unavailable();
  TokenDescription out;
  out.key_id = token.key_id;
  out.algorithm = token.algorithm;
  out.kind = *kind;
  out.reversible = true;
  describe_context(state.catalogue->names(), context->row(), out);
  // Never later than the collection: of an endless epoch, when the subject came.
  const bool endless = out.epoch.length == EpochLength::none;
  const std::uint32_t created =
      endless ? found->key.made.created_day : day_of(epoch_start(out.epoch));
  describe_subject(*found, state.catalogue->names(), created, out);
  return out;
}

Result<SecretBytes> ReverseVault::open_layer(const SubjectLayer& layer, const std::string& ctx,
                                             KeyMemo& memo) const {
  const Vault::State& state = *vault_.state_;
  const auto found = find_handle(*state.subjects, layer.handle());
  if (!found) return unavailable();
  const SubjectKeyMade& made = found->key.made;
  if (!state.catalogue->keys().usable(made.parent, KeyOperation::open)) return unavailable();
  const auto wrap = memo.wrap(*state.catalogue, found->subject.made.tenant, made.parent);
  if (!wrap) return unavailable();
  SecretBytes key(kTreeKeySize);
  if (!state.subjects->open_key(made, **wrap, key.mutable_bytes())) return unavailable();
  auto frame = layer.open(key.bytes(), ctx);
  if (!frame) return unavailable();
  return frame;
}

Result<SecretBytes> ReverseVault::open_bound(const BoundRow& row, const Id& id,
                                             std::string_view purpose, KeyMemo& memo) const {
  const Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(vault_.state_->mutex);
  const auto context = context_of(*state.catalogue, row.key_id, Algorithm::vault_token);
  if (!context) return unavailable();
  const auto wanted =
      state.catalogue->names().find(NameKind::purpose, id_from(context->row().tenant_id), purpose);
  const BoundCopy* copy = wanted ? copy_for(row, *wanted) : nullptr;
  if (copy == nullptr) return unavailable();
  const auto seal = context_of(*state.catalogue, copy->seal_key_id, Algorithm::vault_row_subject);
  if (!seal || id_from(seal->row().purpose_id) != copy->purpose) return unavailable();
  const auto key = memo.key(*state.catalogue, *seal->record);
  if (!key) return unavailable();
  const auto layer = layer_of_copy(**key, row, *copy, id);
  if (!layer) return unavailable();
  const auto frame = open_layer(*layer, context_string(seal->row()), memo);
  if (!frame) return unavailable();
  return value_of(frame->bytes(), row.kind, row.in_relationship);
}

Result<SecretBytes> ReverseVault::open_encrypted_subject(const ParsedToken& token,
                                                         KeyMemo& memo) const {
  const Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(vault_.state_->mutex);
  const auto context = context_of(*state.catalogue, token.key_id, token.algorithm);
  if (!context) return unavailable();
  const auto key = memo.key(*state.catalogue, *context->record);
  if (!key) return unavailable();
  const auto layer = layer_of_token(**key, token);
  if (!layer) return unavailable();
  const auto frame = open_layer(*layer, context_string(context->row()), memo);
  if (!frame) return unavailable();
  return value_of(frame->bytes(), std::nullopt, false);
}

Result<Id> ReverseVault::owner_of(const Id& tenant, const ParsedToken& token) const {
  const Vault::State& state = *vault_.state_;
  bool own = false;
  {
    const std::scoped_lock lock(vault_.state_->mutex);
    own = state.catalogue->tenant_contexts().find(tenant, token.key_id, token.algorithm).own;
  }
  if (token.algorithm == Algorithm::vault_token) return owner_of_stored(tenant, token, own);
  if (!own || token.algorithm != Algorithm::encrypted_subject) return unavailable();
  KeyMemo memo;
  const std::scoped_lock lock(vault_.state_->mutex);
  const auto layer =
      layer_to_look_into(*state.catalogue, token.key_id, token.algorithm, memo,
                         [&](const ProtectionKey& key) { return layer_of_token(key, token); });
  if (!layer) return layer.error();
  return owner_of_handle(*state.subjects, layer->handle());
}

Result<Id> ReverseVault::owner_of_stored(const Id& tenant, const ParsedToken& token,
                                         bool own) const {
  const Vault::State& state = *vault_.state_;
  const auto fetched = fetch(*state.tokens, id_to_ask_for(id_of(token), own));
  if (!fetched) return fetched.error();
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *state.catalogue;
  if (row_schema(as_bytes(fetched->bytes)) != kBoundRowSchema) {
    const auto view = decode_token_row(as_bytes(fetched->bytes));
    if (!view || view->row.key_id != token.key_id || !view->row.subject) return unavailable();
    const ContextRecord* seal = catalogue.context(view->row.seal_key_id);
    if (seal != nullptr && is_out_of_use(catalogue.keys(), seal->parent)) return out_of_use();
    if (!context_of(catalogue, view->row.seal_key_id, Algorithm::vault_row)) return unavailable();
    return state.subjects->read([&](const SubjectTable& table) -> Result<Id> {
      const Subject* found = table.by_reference(tenant, *view->row.subject);
      if (found == nullptr) return unavailable();
      return found->made.id;
    });
  }
  const auto row = decode_bound_row(as_bytes(fetched->bytes));
  if (!row || row->key_id != token.key_id) return unavailable();
  KeyMemo memo;
  Error why = unavailable();
  for (const BoundCopy& copy : row->copies) {
    const auto layer = layer_to_look_into(
        catalogue, copy.seal_key_id, Algorithm::vault_row_subject, memo,
        [&](const ProtectionKey& key) { return layer_of_copy(key, *row, copy, fetched->id); });
    if (!layer) {
      if (layer.error().kind() == ErrorKind::sealed) why = out_of_use();
      continue;
    }
    auto owner = owner_of_handle(*state.subjects, layer->handle());
    if (owner) return owner;
  }
  return why;
}

}  // namespace paravent::crypto::vault
