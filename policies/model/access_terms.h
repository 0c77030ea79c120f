// What a policy says about how much a role may see at once, and when one person is not enough.
// Plain data, made by access_reader.h.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/tokens/kind.h"
#include "policies/model/diagnostics.h"
#include "policies/model/vocabulary.h"

namespace paravent::policies {

struct KindLevel {
  crypto::Kind kind = crypto::Kind::text;
  RevealLevel level = RevealLevel::refused;
  Position at;
};

// Counted over the last hour and the last 24 hours. Absent: no limit. A subject is a person where
// the value belongs to one, else the value itself. Whoever goes beyond gets nothing more until
// `cooling_off` has passed.
struct Budget {
  std::optional<std::uint32_t> values_per_hour;
  std::optional<std::uint32_t> values_per_day;
  std::optional<std::uint32_t> subjects_per_hour;
  std::optional<std::uint32_t> subjects_per_day;
  std::uint32_t cooling_off = 60;  // minutes

  bool is_limited() const noexcept {
    return values_per_hour || values_per_day || subjects_per_hour || subjects_per_day;
  }
  bool operator==(const Budget&) const = default;
};

// Protecting is a dictionary oracle, so it is counted also where the policy says nothing.
inline constexpr Budget kProtectBudget{100, 1000, std::nullopt, std::nullopt, 60};

// What one person alone may not reveal.
struct FourEyes {
  Position at;
  std::vector<Located<std::string>> approve;       // roles that may approve for others
  std::vector<Located<std::string>> purposes;      // everything that is asked for these
  std::vector<Located<crypto::Kind>> kinds;        // values of these kinds, whatever the purpose
  std::optional<Located<std::uint32_t>> subjects;  // more than so many people in 24 hours
};

}  // namespace paravent::policies
