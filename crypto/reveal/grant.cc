#include "crypto/reveal/grant.h"

#include <algorithm>

#include "crypto/primitives/sha256.h"

namespace paravent::crypto::reveal {

TokenDigest token_digest(const ParsedToken& token) noexcept { return sha256(as_bytes(token.text)); }

TokenDigest token_digest(const vault::BareValue& value) {
  std::string text = "paravent/v1/bare";
  append_u8(text, 0);
  append_u8(text, static_cast<std::uint8_t>(value.algorithm));
  append_u32be(text, value.key_id);
  text.append(value.text);
  return sha256(as_bytes(text));
}

std::string Grant::binding() const {
  std::string out = "paravent/v1/reveal";
  append_u8(out, 0);
  append_bytes(out, id_);
  append_bytes(out, digest_);
  append_bytes(out, tenant_);
  append_u8(out, static_cast<std::uint8_t>(level_));
  append_lp(out, purpose_);
  append_lp(out, operator_name_);
  append_lp(out, role_);
  return out;
}

audit::AuditEntry Grant::audit_entry(std::string reason) const {
  audit::AuditEntry entry;
  entry.event = audit::EventKind::reveal;
  entry.outcome = audit::Outcome::done;
  entry.detail.operator_name = operator_name_;
  entry.detail.role = role_;
  entry.detail.purpose = purpose_;
  entry.detail.reason = std::move(reason);
  if (subject_) entry.detail.subject = as_text(ByteView(*subject_));
  entry.detail.remark = level_ == RevealLevel::clear    ? "clear"
                        : level_ == RevealLevel::masked ? "masked"
                                                        : "replaced";
  entry.detail.grant = vault::id_text(id_);
  entry.detail.tokens.push_back({key_id_, digest_});
  entry.binding = binding();
  return entry;
}

Result<Grant> GrantAuthority::issue(const Principal& principal, const DescribedToken& token,
                                    const std::string& purpose, RevealLevel level) const {
  const vault::TokenDescription& description = token.description_;
  const bool for_purpose =
      std::any_of(description.purposes.begin(), description.purposes.end(),
                  [&](const vault::PurposeClock& clock) { return clock.name == purpose; });
  if (mark_ == nullptr || principal.mark_ != mark_ || token.mark_ != mark_ || !for_purpose ||
      !description.reversible || description.tenant_id == vault::kNoId ||
      principal.tenant_ != description.tenant_id) {
    return Error(ErrorKind::refused);
  }
  Grant grant;
  grant.mark_ = mark_;
  grant.id_ = vault::random_id();
  grant.digest_ = token.digest_;
  grant.key_id_ = description.key_id;
  grant.kind_ = description.kind;
  grant.level_ = level;
  grant.tenant_ = description.tenant_id;
  grant.operator_name_ = principal.operator_name_;
  grant.role_ = principal.role_;
  grant.purpose_ = purpose;
  grant.subject_ = description.subject;
  return grant;
}

}  // namespace paravent::crypto::reveal
