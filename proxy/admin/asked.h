// Asked: one surrogate on its way up the staircase of POST /v1/reidentify, and the first steps of
// that way: find, describe, decide. Nothing here opens a value.
//
// One request's; used by one thread.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/secret_bytes.h"
#include "crypto/reveal/reidentifier.h"
#include "crypto/tokens/token_text.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/reidentify_request.h"

namespace paravent::proxy::admin {

enum class AskedStatus : std::uint8_t { granted, malformed, unavailable, refused, unreachable };

struct Asked {
  std::string text;   // as it was asked
  std::string field;  // of a value that came with one
  AskedStatus status = AskedStatus::unavailable;
  // What the text turned out to be: a token, also behind a shaped text, or a value without a key
  // id. Neither: malformed or unavailable.
  std::optional<crypto::ParsedToken> token;
  std::optional<crypto::vault::BareValue> bare;
  // What a shaped text may have meant, where none of it was the one: for the record, and for honey.
  std::vector<crypto::audit::AuditToken> perhaps;
  std::optional<crypto::reveal::DescribedToken> described;
  std::optional<crypto::reveal::Grant> grant;
  // Found by a shaped text of so few possibilities that a mistyped one may well be another
  // person's.
  bool guessable = false;
  crypto::reveal::RevealLevel level = crypto::reveal::RevealLevel::replaced;
  std::optional<crypto::SecretBytes> value;
  // Of what is refused for want of something that can be had: "four-eyes", "not-in-grant".
  std::string_view because;
};

// Raises the alarm for honey tokens among what is asked for, each once; the answer is the same.
// Texts in any spelling, before anything is decided about them.
void watch_for_honey(const AdminParts& parts, const Operator& who, std::string_view purpose,
                     std::span<const std::string> texts);
void watch_for_honey(const AdminParts& parts, const Operator& who, std::string_view purpose,
                     const std::vector<crypto::audit::AuditToken>& tokens);

// Whether there is any honey to be heard.
bool hears_honey(const AdminParts& parts);

// What these texts are on the record, before anything is decided or described: tokens in any of
// their spellings, and shaped texts of the tenant. What is neither, or cannot be looked for now, is
// left out.
std::vector<crypto::audit::AuditToken> recorded_tokens(const AdminParts& parts,
                                                       const crypto::vault::Id& tenant,
                                                       std::span<const std::string> texts);

// The same entry as often as it takes to name these tokens, at most 1024 in each; once for none.
std::vector<crypto::audit::AuditEntry> entries_naming(
    const crypto::audit::AuditEntry& entry, std::span<const crypto::audit::AuditToken> tokens);

// What the record says of a request that is refused whole, with this remark: each token, at most
// 1024 an entry, and how many values there were.
std::vector<crypto::audit::AuditEntry> refusals_of(const AdminParts& parts, const Operator& who,
                                                   const ReidentifyRequest& request,
                                                   std::string_view remark);

// Takes every surrogate of one request as far as a decision. All must outlive it.
class Decider {
 public:
  Decider(const AdminParts& parts, const crypto::reveal::Principal& principal,
          const std::string& purpose, crypto::vault::KeyMemo& memo) noexcept
      : parts_(parts), principal_(principal), purpose_(purpose), memo_(memo) {}

  // A token in any of its spellings, or a shaped text, which is looked for in the domains of the
  // principal's tenant. A text that several domains know stands for the one token of this purpose;
  // for several of them it is unavailable.
  Asked token(const std::string& text) const;
  // malformed: no field, or several different ones, of that name and purpose and without a key id
  // in its texts; or as_of is no day.
  Asked value(const AskedValue& asked) const;

 private:
  void decide(Asked& asked) const;
  void decide_shaped(Asked& asked) const;

  const AdminParts& parts_;
  const crypto::reveal::Principal& principal_;
  const std::string& purpose_;
  crypto::vault::KeyMemo& memo_;
};

}  // namespace paravent::proxy::admin
