#include "crypto/reveal/reidentifier.h"

#include "crypto/primitives/sha256.h"
#include "crypto/reveal/mask.h"

namespace paravent::crypto::reveal {
namespace {

// The digest is over the text, the vault opens the parsed fields: they must be one token.
bool consistent(const ParsedToken& token) {
  const Result<ParsedToken> again = parse_token(token.text);
  return again && again->text == token.text && again->token_class == token.token_class &&
         again->algorithm == token.algorithm && again->key_id == token.key_id &&
         again->payload == token.payload;
}

}  // namespace

Staircase build_staircase(vault::Vault& vault) {
  auto mark = std::make_shared<const StaircaseMark>();
  return {PrincipalAuthority(mark), GrantAuthority(mark),
          std::unique_ptr<const Reidentifier>(new Reidentifier(mark, vault))};
}

Result<DescribedToken> Reidentifier::describe(const ParsedToken& token) const {
  if (!consistent(token)) return Error(ErrorKind::refused);
  Result<vault::TokenDescription> description = vault_.describe(token);
  if (!description) return description.error();
  return DescribedToken(mark_, token_digest(token), std::move(*description));
}

Result<DescribedToken> Reidentifier::describe(const ParsedToken& token, const vault::Id& asker,
                                              vault::KeyMemo& memo) const {
  if (!consistent(token)) return Error(ErrorKind::refused);
  Result<vault::TokenDescription> description = vault_.describe(token, asker, memo);
  if (!description) return description.error();
  return DescribedToken(mark_, token_digest(token), std::move(*description));
}

Result<DescribedToken> Reidentifier::describe(const vault::BareValue& value) const {
  Result<vault::TokenDescription> description = vault_.describe(value);
  if (!description) return description.error();
  return DescribedToken(mark_, token_digest(value), std::move(*description));
}

Result<SecretBytes> Reidentifier::reidentify(const ParsedToken& token, Grant grant,
                                             audit::AuditReceipt receipt) const {
  vault::KeyMemo memo;
  return reidentify(token, std::move(grant), std::move(receipt), memo);
}

Result<SecretBytes> Reidentifier::reidentify(const ParsedToken& token, Grant grant,
                                             audit::AuditReceipt receipt,
                                             vault::KeyMemo& memo) const {
  if (!consistent(token)) return Error(ErrorKind::refused);
  return open(token, grant, receipt, memo);
}

Result<SecretBytes> Reidentifier::reidentify(const vault::BareValue& value, Grant grant,
                                             audit::AuditReceipt receipt) const {
  vault::KeyMemo memo;
  return open(value, grant, receipt, memo);
}

Result<SecretBytes> Reidentifier::opened(const ParsedToken& token, const Grant& grant,
                                         vault::KeyMemo& memo) const {
  return vault_.open_value(token, grant.purpose_, memo, vault::OpeningPermit());
}

Result<SecretBytes> Reidentifier::opened(const vault::BareValue& value, const Grant& /*grant*/,
                                         vault::KeyMemo& /*memo*/) const {
  return vault_.open_value(value, vault::OpeningPermit());
}

template <typename Surrogate>
Result<SecretBytes> Reidentifier::open(const Surrogate& surrogate, const Grant& grant,
                                       const audit::AuditReceipt& receipt,
                                       vault::KeyMemo& memo) const {
  if (!belongs(token_digest(surrogate), grant, receipt)) return Error(ErrorKind::refused);
  if (grant.level_ == RevealLevel::replaced) return SecretBytes::copy_of(kReplacement);
  Result<SecretBytes> value = opened(surrogate, grant, memo);
  if (!value || grant.level_ == RevealLevel::clear) return value;
  return mask_value(grant.kind_, value->bytes());
}

bool Reidentifier::belongs(const TokenDigest& digest, const Grant& grant,
                           const audit::AuditReceipt& receipt) const {
  return grant.valid() && grant.mark_ == mark_ && grant.digest_ == digest && receipt.valid() &&
         receipt.event() == audit::EventKind::reveal && receipt.outcome() == audit::Outcome::done &&
         receipt.log_id() == vault::id_hex(grant.tenant_) &&
         receipt.binding_digest() == sha256(as_bytes(grant.binding()));
}

}  // namespace paravent::crypto::reveal
