#include "proxy/admin/operators/failed_attempts.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/durable_file.h"
#include "proxy/admin/operators/login_desk.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::WallTime;

constexpr std::string_view kFirstLine = "paravent-attempts-v1\n";
constexpr std::string_view kThrottle = "throttle ";
constexpr std::string_view kName = "name ";
constexpr std::string_view kEnd = "end\n";
constexpr std::uint64_t kMostMilliseconds = 253'402'300'799'999;  // the end of the year 9999
constexpr std::uint32_t kMostFailures = 1'000'000;
constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;

// Up to `end`, which is consumed.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view piece = text.substr(0, at);
  text.remove_prefix(at + 1);
  return piece;
}

std::optional<std::uint64_t> take_number(std::string_view& text, char end, std::uint64_t most) {
  const auto digits = take_until(text, end);
  if (!digits || (digits->size() > 1 && digits->starts_with('0'))) return std::nullopt;
  std::uint64_t value = 0;
  const char* const stop = digits->data() + digits->size();
  const auto read = std::from_chars(digits->data(), stop, value);
  if (read.ec != std::errc() || read.ptr != stop || value > most) return std::nullopt;
  return value;
}

std::optional<WallTime> take_time(std::string_view& text, char end) {
  const auto value = take_number(text, end, kMostMilliseconds);
  if (!value) return std::nullopt;
  return WallTime(std::chrono::milliseconds(*value));
}

std::optional<Throttle> take_throttle(std::string_view& text) {
  if (!text.starts_with(kThrottle)) return std::nullopt;
  text.remove_prefix(kThrottle.size());
  const auto since = take_time(text, ' ');
  if (!since) return std::nullopt;
  const auto count = take_number(text, '\n', kMostFailures);
  if (!count) return std::nullopt;
  return Throttle{*since, static_cast<std::uint32_t>(*count)};
}

bool take_name(std::string_view& text, std::map<NameDigest, FailedName>& names) {
  if (!text.starts_with(kName)) return false;
  text.remove_prefix(kName.size());
  const auto hex = take_until(text, ' ');
  if (!hex) return false;
  const auto bytes = crypto::from_hex(*hex);
  NameDigest digest{};
  if (!bytes || bytes->size() != digest.size()) return false;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  const auto failures = take_number(text, ' ', kMostFailures);
  if (!failures || *failures == 0) return false;
  const auto until = take_time(text, ' ');
  if (!until) return false;
  const auto last = take_time(text, '\n');
  if (!last) return false;
  // In order, so that there is one spelling of a list.
  if (!names.empty() && digest <= names.rbegin()->first) return false;
  names[digest] = {static_cast<std::uint32_t>(*failures), *until, *last};
  return names.size() <= kMostFailedNames;
}

std::string time_text(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

void make_room(std::map<NameDigest, FailedName>& names) {
  if (names.size() < kMostFailedNames) return;
  names.erase(std::min_element(names.begin(), names.end(), [](const auto& one, const auto& other) {
    return std::pair(one.second.failures, one.second.last) <
           std::pair(other.second.failures, other.second.last);
  }));
}

}  // namespace

std::string attempts_text(const FailedList& list) {
  std::string out(kFirstLine);
  out.append(kThrottle).append(time_text(list.throttle.since)).append(" ");
  out.append(std::to_string(list.throttle.count)).append("\n");
  for (const auto& [digest, one] : list.names) {
    out.append(kName);
    crypto::append_hex(out, digest);
    out.append(" ").append(std::to_string(one.failures)).append(" ");
    out.append(time_text(one.locked_until)).append(" ").append(time_text(one.last)).append("\n");
  }
  return out.append(kEnd);
}

std::optional<FailedList> parse_attempts(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return std::nullopt;
  text.remove_prefix(kFirstLine.size());
  FailedList list;
  const auto throttle = take_throttle(text);
  if (!throttle) return std::nullopt;
  list.throttle = *throttle;
  while (text != kEnd) {
    if (!take_name(text, list.names)) return std::nullopt;
  }
  return list;
}

Result<std::unique_ptr<FailedAttempts>> FailedAttempts::open(const std::filesystem::path& folder) {
  std::unique_ptr<FailedAttempts> made(
      new FailedAttempts(folder.empty() ? folder : folder / "attempts"));
  if (folder.empty() || !std::filesystem::exists(made->file_)) return made;
  if (auto status = crypto::vault::check_private(made->file_); !status) return status.error();
  auto bytes = crypto::vault::read_file(made->file_, kMaxFileBytes);
  if (!bytes) return bytes.error();
  auto list = parse_attempts(crypto::as_text(bytes->bytes()));
  if (!list) {
    return Error(ErrorKind::data, "The list of failed attempts " + made->file_.string() +
                                      " is altered or truncated; restore it from a backup.");
  }
  made->list_ = std::move(*list);
  return made;
}

Status FailedAttempts::change(const std::function<void(FailedList&)>& edit) {
  const std::scoped_lock lock(mutex_);
  FailedList next = list_;
  edit(next);
  if (!file_.empty()) {
    const std::string text = attempts_text(next);
    auto written = crypto::vault::write_file_durably(file_, crypto::as_bytes(text));
    if (!written) return written;
  }
  list_ = std::move(next);
  return {};
}

WallTime FailedAttempts::locked_until(const NameDigest& name) const {
  const std::scoped_lock lock(mutex_);
  const auto known = list_.names.find(name);
  return known == list_.names.end() ? WallTime() : known->second.locked_until;
}

Status FailedAttempts::count(const NameDigest& name, WallTime now) {
  return change([&](FailedList& list) {
    if (!list.names.contains(name)) make_room(list.names);
    FailedName& one = list.names[name];
    one.failures = std::min(one.failures + 1, kMostFailures);
    one.locked_until = std::max(one.locked_until, admin::locked_until(one.failures, now));
    one.last = std::max(one.last, now);
  });
}

Status FailedAttempts::write_again() {
  return change([](FailedList&) {});
}

Throttle FailedAttempts::throttle() const {
  const std::scoped_lock lock(mutex_);
  return list_.throttle;
}

Status FailedAttempts::keep(const Throttle& throttle) {
  return change([&](FailedList& list) { list.throttle = throttle; });
}

}  // namespace paravent::proxy::admin
