// FailedAttempts: what is kept of failures that belong to no operator: logins under names that
// nobody has, and wrong credentials. Failed logins of operators are kept with them
// (operator_record.h); these survive a restart as those do, so that what is locked afterwards does
// not tell who exists.
//
// DATA/operators/attempts (mode 0600). One spelling; any other is refused whole:
//
//   paravent-attempts-v1
//   throttle SINCE COUNT                         of wrong credentials: a minute's beginning
//   name DIGEST-HEX FAILURES LOCKED-UNTIL LAST   in the order of the digests
//   end
//
// Times are milliseconds since 1970, UTC. A name is kept as a digest under a key of the vault
// (LoginRules::names), because it may be somebody's pass-phrase typed into the wrong field: the
// file, and a data backup that it goes into, confirm no guess.
//
// At most 10 000 names. Beyond, a new one takes the place of the one with the fewest failures, of
// those the one whose last failure is longest ago: whoever wants a locked name forgotten has to
// fail as often under 10 000 others.
//
// Thread safe; a change is durable when the call returns.

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostFailedNames = 10'000;

using NameDigest = std::array<std::uint8_t, 16>;

struct FailedName {
  std::uint32_t failures = 0;  // in a row, as nobody ever succeeds
  crypto::WallTime locked_until;
  crypto::WallTime last;

  bool operator==(const FailedName&) const = default;
};

// Wrong credentials in the minute that began at `since`.
struct Throttle {
  crypto::WallTime since;
  std::uint32_t count = 0;

  bool operator==(const Throttle&) const = default;
};

struct FailedList {
  Throttle throttle;
  std::map<NameDigest, FailedName> names;

  bool operator==(const FailedList&) const = default;
};

std::string attempts_text(const FailedList& list);
// nullopt: altered, truncated, or in another spelling.
std::optional<FailedList> parse_attempts(std::string_view text);

class FailedAttempts {
 public:
  // `folder`: DATA/operators; empty: in memory, for tests. ErrorKind::data: altered or unreadable.
  static crypto::Result<std::unique_ptr<FailedAttempts>> open(const std::filesystem::path& folder);

  // Until when this name is locked; long ago where it is not.
  crypto::WallTime locked_until(const NameDigest& name) const;
  // One more failure. An error: nothing was counted.
  crypto::Status count(const NameDigest& name, crypto::WallTime now);
  // Writes all once more as it is: what takes as long as count(), where nothing changes.
  crypto::Status write_again();

  Throttle throttle() const;
  crypto::Status keep(const Throttle& throttle);

 private:
  explicit FailedAttempts(std::filesystem::path file) : file_(std::move(file)) {}
  crypto::Status change(const std::function<void(FailedList&)>& edit);

  std::filesystem::path file_;  // empty: in memory
  mutable std::mutex mutex_;
  FailedList list_;
};

}  // namespace paravent::proxy::admin
