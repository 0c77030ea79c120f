#include "crypto/audit/event.h"

#include <array>

namespace paravent::crypto::audit {
namespace {

// In the order of their numbers, from 1.
constexpr std::array<std::string_view, 20> kEventNames{
    "init",         "start",           "stop",         "unseal",        "seal",
    "reveal",       "refusal",         "protect",      "key-operation", "policy-load",
    "names-change", "operator-change", "grant-change", "subject-right", "authentication",
    "backup",       "log-checkpoint",  "alarm",        "honey-change",  "record-export",
};
constexpr std::array<std::string_view, 3> kOutcomeNames{"done", "refused", "failed"};

}  // namespace

std::string_view event_name(EventKind kind) noexcept {
  return kEventNames.at(static_cast<std::size_t>(kind) - 1);
}

std::string_view outcome_name(Outcome outcome) noexcept {
  return kOutcomeNames.at(static_cast<std::size_t>(outcome) - 1);
}

std::optional<EventKind> event_from_number(std::uint16_t number) noexcept {
  if (number == 0 || number > kEventNames.size()) return std::nullopt;
  return EventKind{number};
}

std::optional<Outcome> outcome_from_number(std::uint8_t number) noexcept {
  if (number == 0 || number > kOutcomeNames.size()) return std::nullopt;
  return Outcome{number};
}

}  // namespace paravent::crypto::audit
