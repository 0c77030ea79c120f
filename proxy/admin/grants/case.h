// Case: what one operator asked for and another approved: a re-identification that the policy does
// not leave to one person alone, or a change that could widen one.
//
// Plain data, kept in a file of its own without any free text: the reasons lie in the tenant's
// audit log, encrypted like every detail, at the places that the case remembers. No thread rules.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/merkle.h"
#include "crypto/base/clock.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMaxCaseTokens = 1000;
inline constexpr std::size_t kMaxCaseFields = 64;
inline constexpr std::uint32_t kMaxCaseSubjects = 10'000;
inline constexpr std::uint32_t kMaxCaseValues = 1'000'000;
inline constexpr std::uint32_t kMaxCaseHours = 30 * 24;

// `change`: of operators or policies; its approval is used once.
enum class CaseType : std::uint8_t { reveal, change };
enum class CaseState : std::uint8_t { open, approved, refused, closed };

// Entries [first, first + count) of the tenant's log.
struct LogRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const LogRange&) const = default;
};

struct Case {
  crypto::vault::Id id{};
  crypto::vault::Id tenant{};
  CaseType type = CaseType::reveal;
  CaseState state = CaseState::open;
  std::string requester;
  std::string requester_role;
  std::string approver;  // or who refused; empty: nobody yet
  std::string approver_role;
  crypto::WallTime opened;
  crypto::WallTime expires;
  // Of a reveal.
  std::string purpose;
  std::string basis;                        // a word of GDPR 6(1), as policies spell it
  std::vector<std::string> fields;          // empty: every field of the purpose
  std::vector<crypto::audit::Hash> tokens;  // digests; empty: every token of the purpose
  std::uint32_t most_subjects = 0;
  std::uint32_t most_values = 0;
  std::vector<crypto::audit::Hash> subjects;  // revealed so far: references, or digests of values
  std::uint32_t values = 0;
  // Of a change: what is to be done, in words of the policy and of the list of operators.
  std::string change;
  std::vector<LogRange> entries;  // its steps, and what was revealed under it, in order

  bool operator==(const Case&) const = default;
};

// Its time is over. So it is of one that was opened more than a day from now: by a clock that ran
// ahead, so that nobody knows how long ago.
inline bool is_over(const Case& one, crypto::WallTime now) noexcept {
  return now >= one.expires || one.opened > now + std::chrono::hours(24);
}

std::string_view case_state_name(CaseState state) noexcept;
std::string_view case_type_name(CaseType type) noexcept;

// One spelling; nullopt for anything that case_text() does not write.
std::string case_text(const Case& one);
std::optional<Case> parse_case(std::string_view text);

}  // namespace paravent::proxy::admin
