// KeyState: the life of a key as NIST SP 800-57 part 1 rev. 5, section 7, draws it, and what may be
// done with a key in each state. One table, tested cell by cell.
//
// Suspended is what our commands call disabled: nothing is protected and nothing opens, until the
// key is enabled again. A compromised key protects nothing; it opens only under an override, which
// is itself an operation, with a reason, on the record. Of a destroyed key only this record is
// left. Pure functions.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace paravent::crypto::vault {

// Stored numbers: never renumber, never reuse.
enum class KeyState : std::uint8_t {
  pre_activation = 1,
  active = 2,
  suspended = 3,
  deactivated = 4,  // opens, protects nothing more: rotated, or its epoch is over
  compromised = 5,
  destroyed = 6,
  destroyed_compromised = 7,
};
inline constexpr std::size_t kKeyStates = 7;

enum class KeyOperation : std::uint8_t {
  protect,  // new values, or new children
  open,     // values, or children
  activate,
  disable,
  enable,
  deactivate,  // by rotation, or at the end of the epoch
  compromise,
  override_compromise,  // lets a compromised key open again, until it is disabled
  destroy,
};
inline constexpr std::size_t kKeyOperations = 9;

struct KeyCondition {
  KeyState state = KeyState::active;
  bool overridden = false;  // of compromised only
  bool ended = false;       // was deactivated once: enabling it gives that state back
  friend bool operator==(const KeyCondition&, const KeyCondition&) = default;
};

// Whether a key in this condition may protect or open. False for every other operation.
bool may_use(KeyCondition condition, KeyOperation operation) noexcept;

// What an operation makes of a key; nullopt where it is not allowed. protect and open change
// nothing.
std::optional<KeyCondition> after(KeyCondition condition, KeyOperation operation) noexcept;

constexpr bool is_destroyed(KeyState state) noexcept {
  return state == KeyState::destroyed || state == KeyState::destroyed_compromised;
}

// "pre-activation" to "destroyed-compromised"; "disabled" for suspended.
std::string_view key_state_name(KeyState state) noexcept;
std::optional<KeyState> key_state_from_number(std::uint8_t number) noexcept;
std::string_view key_operation_name(KeyOperation operation) noexcept;

}  // namespace paravent::crypto::vault
