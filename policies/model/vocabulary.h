// The closed sets of the policy language: plain enumerations that the model, the compiled plan and
// the data path share. Their words are in CONTRACTS' "Policy file" and docs/policy-reference.md.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/keys/algorithm.h"
#include "crypto/keys/scope.h"
#include "crypto/tokens/shape.h"

namespace paravent::policies {

// `value`: the one value that some opened field holds (inside.h); never a part of a message.
// `file_name`, `file_content`: of an uploaded file (file_rule.h); inside of a part.
enum class Carrier : std::uint8_t {
  form,
  json,
  multipart,
  query,
  header,
  cookie,
  path,
  csv,
  xml,
  value,
  file_name,
  file_content,
};

inline constexpr std::size_t kCarrierCount = 10;

// What is done with a field. Behind one word of the policy (`tokenise`, `encrypt`, `generalise`)
// may stand several, each with its own algorithm.
enum class ActionKind : std::uint8_t {
  keep,
  drop,
  refuse,
  replace,
  mask,
  truncate,
  generalise,
  pseudonymise,
  tokenise_vault,
  tokenise_derived,
  encrypt,
  tokenise_address,         // ipcrypt-deterministic
  tokenise_address_prefix,  // ipcrypt-pfx
  tokenise_address_random,  // ipcrypt-ndx
  tokenise_preserve,        // FF1
  seal,                     // encrypt `to` a public key, one encapsulation for many values
  seal_single,              // the same, one each
  shift_date,               // generalise to shifted-date: by days that a key gives each subject
  open,                     // what is inside has rules of its own (inside.h)
};

enum class OnError : std::uint8_t { refuse, drop, mask, protect_raw };

using crypto::Scope;
using crypto::Shape;

enum class Generalisation : std::uint8_t {
  none,
  browser_family,
  browser_version,
  language,
  department,
  year,
  month,
  day,
  age_band,
  shifted_date,  // carried out as ActionKind::shift_date
  grid,
  bins,
  url,
};

enum class ClientAddress : std::uint8_t { drop, truncate, pseudonym, fixed, keep };

enum class Unlisted : std::uint8_t { refuse, drop, keep, encrypt };

// What a body under text/plain, or without a type, may really be.
struct TextPlain {
  bool json = false;
  bool form = false;
  bool gzip = false;  // known by its first two bytes

  bool any() const noexcept { return json || form || gzip; }
};

// What a body that is read as JSON, or a form under text/plain, holds: one document; one a line; or
// an envelope, where headers say what the next line is (proxy/body/lines.h).
enum class Lines : std::uint8_t { none, each, envelope };

// What a role gets to see.
enum class RevealLevel : std::uint8_t { clear, masked, replaced, refused };

// GDPR 6(1).
enum class Basis : std::uint8_t {
  consent,
  contract,
  legal_obligation,
  vital_interests,
  public_task,
  legitimate_interest,
};

// From when a retention counts.
// What becomes of a request of somebody who objected, where an objection counts (GDPR 21).
enum class OnObjection : std::uint8_t { refuse, drop };

enum class RetentionFrom : std::uint8_t { collection, last_contact, contract_end, case_closed };

// GDPR 45 (dpf: only certified companies of the US) and 46(2).
enum class Safeguard : std::uint8_t { none, dpf, scc, bcr, code_of_conduct, certification };

std::string_view carrier_name(Carrier carrier) noexcept;
// The policy's word: "tokenise" for every mode, "encrypt" for sealing too.
std::string_view action_name(ActionKind action) noexcept;
// "age-band" for age_band; empty for none.
std::string_view generalisation_name(Generalisation generalisation) noexcept;

// The actions that need a key, and therefore a recipient and a purpose.
bool is_keyed(ActionKind action) noexcept;
// A key, and a result that stands for exactly one value: everything keyed but the shift of a date.
bool makes_surrogate(ActionKind action) noexcept;
// sealed or sealed_single: nobody but the holder of a private key opens it.
bool is_sealed(ActionKind action) noexcept;
// Equal values give equal results as long as the key is the same, without any store.
bool is_deterministic(ActionKind action) noexcept;
// Whether the action can be carried out on any bytes, and so on a value that its kind's normaliser
// refused.
bool can_protect_raw(ActionKind action) noexcept;
// REQUIRES: is_keyed(action).
crypto::Algorithm algorithm_of(ActionKind action) noexcept;

}  // namespace paravent::policies
