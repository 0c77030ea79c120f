// What an audit entry is about. Closed sets; the numbers are part of the stored format
// (docs/audit-format.md) and are never reused.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace paravent::crypto::audit {

enum class EventKind : std::uint16_t {
  init = 1,              // the log's first entry: the installation or tenant came into being
  start = 2,             // the process opened the log
  stop = 3,              // it closed it in order
  unseal = 4,            // the keys became available
  seal = 5,              // they were put away
  reveal = 6,            // a token was asked to be re-identified, and it was allowed
  refusal = 7,           // it was asked, and refused
  protect = 8,           // values were protected through the API
  key_operation = 9,     // rotate, disable, destroy, re-wrap
  policy_load = 10,      // a policy was loaded or refused
  names_change = 11,     // tenants, domains, purposes created or renamed
  operator_change = 12,  // an operator or credential was made, changed, revoked
  grant_change = 13,     // a case was opened, approved, refused, closed
  subject_right = 14,    // locate, export, restrict, object, erase
  authentication = 15,   // a credential was refused or locked
  backup = 16,           // backup, restore, export of a log
  log_checkpoint = 17,   // of another log of the installation; its detail is public (leaf.h)
  alarm = 18,            // a honey token was asked for
  honey_change = 19,     // one was planted, or is no longer watched
  record_export = 20,    // entries of the record were handed out: a dossier, an export
};

enum class Outcome : std::uint8_t {
  done = 1,     // for a reveal: it may proceed
  refused = 2,  // not allowed
  failed = 3,   // allowed, and went wrong
};

// Names for listings and the API; nullopt for a number that is not in the set.
std::string_view event_name(EventKind kind) noexcept;
std::string_view outcome_name(Outcome outcome) noexcept;
std::optional<EventKind> event_from_number(std::uint16_t number) noexcept;
std::optional<Outcome> outcome_from_number(std::uint8_t number) noexcept;

}  // namespace paravent::crypto::audit
