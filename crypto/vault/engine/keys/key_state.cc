#include "crypto/vault/engine/keys/key_state.h"

#include <array>

namespace paravent::crypto::vault {
namespace {

using enum KeyState;

constexpr std::array<std::string_view, kKeyStates> kStateNames{
    "pre-activation",       "active", "disabled", "deactivated", "compromised", "destroyed",
    "destroyed-compromised"};

constexpr std::array<std::string_view, kKeyOperations> kOperationNames{
    "protect",    "open",       "activate", "disable", "enable",
    "deactivate", "compromise", "override", "destroy"};

std::optional<KeyState> next_state(KeyState state, KeyOperation operation) noexcept {
  switch (operation) {
    case KeyOperation::protect:
    case KeyOperation::open:
      return std::nullopt;
    case KeyOperation::activate:
      if (state == pre_activation) return active;
      break;
    case KeyOperation::disable:
      if (state == active || state == deactivated) return suspended;
      break;
    case KeyOperation::enable:
      if (state == suspended) return active;
      break;
    case KeyOperation::deactivate:
      if (state == active) return deactivated;
      break;
    case KeyOperation::compromise:
      if (!is_destroyed(state) && state != compromised) return compromised;
      if (state == destroyed) return destroyed_compromised;
      break;
    case KeyOperation::override_compromise:
      if (state == compromised) return compromised;
      break;
    case KeyOperation::destroy:
      if (state == compromised) return destroyed_compromised;
      if (!is_destroyed(state)) return destroyed;
      break;
  }
  return std::nullopt;
}

}  // namespace

bool may_use(KeyCondition condition, KeyOperation operation) noexcept {
  switch (operation) {
    case KeyOperation::protect:
      return condition.state == active;
    case KeyOperation::open:
      return condition.state == active || condition.state == deactivated ||
             (condition.state == compromised && condition.overridden);
    default:
      return false;
  }
}

std::optional<KeyCondition> after(KeyCondition condition, KeyOperation operation) noexcept {
  if (may_use(condition, operation)) return condition;
  // Disabling a compromised key takes the override back and leaves it what it is.
  if (operation == KeyOperation::disable && condition.state == compromised &&
      condition.overridden) {
    return KeyCondition{compromised, false, condition.ended};
  }
  if (operation == KeyOperation::override_compromise && condition.overridden) return std::nullopt;
  auto next = next_state(condition.state, operation);
  if (!next) return std::nullopt;
  if (operation == KeyOperation::enable && condition.ended) next = deactivated;
  return KeyCondition{*next, operation == KeyOperation::override_compromise,
                      condition.ended || *next == deactivated};
}

std::string_view key_state_name(KeyState state) noexcept {
  return kStateNames[static_cast<std::size_t>(state) - 1];
}

std::optional<KeyState> key_state_from_number(std::uint8_t number) noexcept {
  if (number < 1 || number > kKeyStates) return std::nullopt;
  return static_cast<KeyState>(number);
}

std::string_view key_operation_name(KeyOperation operation) noexcept {
  return kOperationNames[static_cast<std::size_t>(operation)];
}

}  // namespace paravent::crypto::vault
