// The closed sets of the policy language: plain enumerations that the model, the compiled plan and
// the data path share. Their words are in CONTRACTS' "Policy file" and docs/policy-reference.md.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/keys/algorithm.h"
#include "crypto/tokens/shape.h"

namespace paravent::policies {

enum class Carrier : std::uint8_t { form, json, multipart, query, header, cookie, path };

inline constexpr std::size_t kCarrierCount = 7;

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
};

enum class OnError : std::uint8_t { refuse, drop, mask, protect_raw };

using crypto::Shape;

enum class Generalisation : std::uint8_t { none, browser_family };

enum class ClientAddress : std::uint8_t { drop, truncate, fixed, keep };

enum class Unlisted : std::uint8_t { refuse, drop, keep, encrypt };

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
enum class RetentionFrom : std::uint8_t { collection, last_contact, contract_end, case_closed };

// GDPR 45 (dpf: only certified companies of the US) and 46(2).
enum class Safeguard : std::uint8_t { none, dpf, scc, bcr, code_of_conduct, certification };

std::string_view carrier_name(Carrier carrier) noexcept;
// "tokenise" for both modes.
std::string_view action_name(ActionKind action) noexcept;

// The four actions that need a key.
bool is_keyed(ActionKind action) noexcept;
// REQUIRES: is_keyed(action).
crypto::Algorithm algorithm_of(ActionKind action) noexcept;

}  // namespace paravent::policies
