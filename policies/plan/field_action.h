// FieldAction: what is to be done with one field, decided when the policy was compiled.
//
// Immutable and owned by its RoutePlan; the data path reads it and keeps nothing. `name` is the
// policy's spelling of the field (`form.email`): the only name that may appear in metrics, logs and
// problems.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "crypto/tokens/kind.h"
#include "policies/model/generalise_options.h"
#include "policies/model/vocabulary.h"

namespace paravent::policies {

inline constexpr std::uint32_t kNoSlot = 0xFFFFFFFF;

struct InsidePlan;  // policies/plan/inside_plan.h
struct FilePlan;    // policies/plan/file_plan.h

struct FieldAction {
  std::string name;
  Carrier carrier = Carrier::form;
  ActionKind action = ActionKind::refuse;
  crypto::Kind kind = crypto::Kind::text;
  Shape shape = Shape::none;
  OnError on_error = OnError::refuse;
  Generalisation generalisation = Generalisation::none;
  bool required = false;
  bool subject_bound = false;         // its values belong to the request's subject
  bool is_subject = false;            // the route's `subject` names this field
  bool accepts_own_tokens = false;    // once the vault has confirmed them; mode vault only
  bool delimits = false;              // some rule's `relationship` names this field
  std::uint32_t slot = kNoSlot;       // index of PolicyPlan::context_specs(); set for keyed actions
  std::uint32_t id = 0;               // dense over the plan: the index of this rule's counters
  std::uint32_t required_index = 0;   // dense over the route's required rules, when `required`
  std::uint32_t delimiter_index = 0;  // dense over the route's delimiting rules, when `delimits`
  std::uint32_t max_len = 0;          // of the result in bytes, 0: unlimited
  std::uint32_t keep_length = 0;      // truncate of text: characters kept
  std::uint32_t ipv4_bits = 16;       // truncate of kind ip
  std::uint32_t ipv6_bits = 48;
  std::uint8_t shape_length = 0;  // of shapes digits and alphanumeric
  std::uint8_t bits = 0;          // pseudonymise: bits kept, 0: all
  std::uint8_t show_first = 0;    // mask: characters shown at the one end or the other
  std::uint8_t show_last = 0;
  Scope scope = Scope::person;
  // Scope relationship: whose value delimits it, a rule of the same route. It may match after this
  // one, and not at all. Else nullptr.
  const FieldAction* relationship = nullptr;
  // The flat name, or in json the key beside the field's own, that carries the pseudonym of the
  // epoch before during an overlap; empty: none. What a sender writes there is dropped by a rule of
  // its own.
  std::string previous;
  std::string literal;                       // replace: the value written instead
  GeneraliseOptions options;                 // generalise and shift_date
  std::shared_ptr<const InsidePlan> inside;  // open: never null
  std::shared_ptr<const FilePlan> file;      // multipart: of files under this name, or null
  // Conditions of the route that must all hold, by bit; 0: applies whatever the message says. Where
  // one does not hold, `otherwise` applies, which is then never null and has no conditions.
  std::uint64_t when = 0;
  const FieldAction* otherwise = nullptr;
  bool is_otherwise = false;
};

inline bool is_keep(const FieldAction& action) noexcept {
  return action.action == ActionKind::keep;
}
// Whatever the conditions say.
inline bool always_keeps(const FieldAction& action) noexcept {
  return is_keep(action) && (action.otherwise == nullptr || is_keep(*action.otherwise));
}
inline bool may_keep(const FieldAction& action) noexcept {
  return is_keep(action) || (action.otherwise != nullptr && is_keep(*action.otherwise));
}

}  // namespace paravent::policies
