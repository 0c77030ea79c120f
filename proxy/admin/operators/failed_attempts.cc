#include "proxy/admin/operators/failed_attempts.h"

#include <algorithm>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/admin/operators/line_words.h"
#include "proxy/admin/operators/login_desk.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::WallTime;

constexpr std::string_view kFirstLine = "paravent-attempts-v1\n";
constexpr std::string_view kThrottle = "throttle";
constexpr std::string_view kName = "name";
constexpr std::string_view kEnd = "end\n";
constexpr std::uint32_t kMostFailures = 1'000'000;
constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;

bool read_throttle(Words& words, Throttle& throttle) {
  throttle.since = words.time();
  throttle.count = static_cast<std::uint32_t>(words.number(kMostFailures));
  return words.end();
}

bool read_name(Words& words, std::map<NameDigest, FailedName>& names) {
  NameDigest digest{};
  words.bytes(digest);
  FailedName one;
  one.failures = static_cast<std::uint32_t>(words.number(kMostFailures));
  one.locked_until = words.time();
  one.last = words.time();
  // In order, so that there is one spelling of a list.
  const bool in_order = names.empty() || names.rbegin()->first < digest;
  if (!words.end() || one.failures == 0 || !in_order) return false;
  names[digest] = one;
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
  out.append(kThrottle).append(" ").append(time_text(list.throttle.since)).append(" ");
  out.append(std::to_string(list.throttle.count)).append("\n");
  for (const auto& [digest, one] : list.names) {
    out.append(kName).append(" ");
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
  bool has_throttle = false;
  while (text != kEnd) {
    const auto line = take_until(text, '\n');
    if (!line) return std::nullopt;
    Words words(*line);
    const std::string_view what = words.word();
    const bool read = has_throttle ? what == kName && read_name(words, list.names)
                                   : what == kThrottle && read_throttle(words, list.throttle);
    if (!read) return std::nullopt;
    has_throttle = true;
  }
  if (!has_throttle) return std::nullopt;
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
