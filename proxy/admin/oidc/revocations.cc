#include "proxy/admin/oidc/revocations.h"

#include <charconv>
#include <utility>

#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/admin/oidc/jwt.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::WallTime;

constexpr std::string_view kFirstLine = "paravent-oidc-revoked-v1\n";
constexpr std::string_view kEnd = "end\n";
constexpr std::string_view kWord = "revoked ";
constexpr std::uint64_t kMostMilliseconds = 253'402'300'799'999;  // the end of the year 9999
constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;

// "ISSUER/SUBJECT", as a line can hold it.
bool is_name(std::string_view name) {
  const std::size_t slash = name.find('/');
  return slash != std::string_view::npos && slash > 0 && is_oidc_subject(name.substr(0, slash)) &&
         is_oidc_subject(name.substr(slash + 1));
}

bool read_line(std::string_view line, RevokedSubjects& revoked) {
  if (!line.starts_with(kWord)) return false;
  line.remove_prefix(kWord.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, space);
  const std::string_view digits = line.substr(space + 1);
  std::uint64_t time = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, time);
  if (!is_name(name) || read.ec != std::errc() || read.ptr != end || time > kMostMilliseconds ||
      (digits.size() > 1 && digits.starts_with('0'))) {
    return false;
  }
  // In order, so that there is one spelling of a list.
  if (!revoked.empty() && name <= revoked.rbegin()->first) return false;
  revoked.emplace(name, WallTime(std::chrono::milliseconds(time)));
  return revoked.size() <= kMostRevocations;
}

}  // namespace

std::string revocations_text(const RevokedSubjects& revoked) {
  std::string out(kFirstLine);
  for (const auto& [name, time] : revoked) {
    out.append(kWord).append(name).append(" ");
    out.append(std::to_string(time.time_since_epoch().count())).append("\n");
  }
  return out.append(kEnd);
}

std::optional<RevokedSubjects> parse_revocations(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return std::nullopt;
  text.remove_prefix(kFirstLine.size());
  RevokedSubjects revoked;
  while (text != kEnd) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !read_line(text.substr(0, end), revoked)) {
      return std::nullopt;
    }
    text.remove_prefix(end + 1);
  }
  return revoked;
}

Result<std::unique_ptr<OidcRevocations>> OidcRevocations::open(
    const std::filesystem::path& folder) {
  std::unique_ptr<OidcRevocations> made(
      new OidcRevocations(folder.empty() ? folder : folder / "oidc-revoked"));
  if (folder.empty() || !std::filesystem::exists(made->file_)) return made;
  if (auto status = crypto::vault::check_private(made->file_); !status) return status.error();
  auto bytes = crypto::vault::read_file(made->file_, kMaxFileBytes);
  if (!bytes) return bytes.error();
  auto revoked = parse_revocations(crypto::as_text(bytes->bytes()));
  if (!revoked) {
    return Error(ErrorKind::data, "The list of revoked subjects " + made->file_.string() +
                                      " is altered or truncated; restore it from a backup.");
  }
  made->revoked_ = std::move(*revoked);
  return made;
}

bool OidcRevocations::holds(std::string_view name) const {
  const std::scoped_lock lock(mutex_);
  return revoked_.contains(name);
}

Result<WallTime> OidcRevocations::revoke(std::string_view name, WallTime now) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = revoked_.find(name); known != revoked_.end()) return known->second;
  if (!is_name(name)) return Error(ErrorKind::usage, "This is no subject of an issuer.");
  if (revoked_.size() >= kMostRevocations) {
    return Error(ErrorKind::usage, "As many subjects are revoked as there can be.");
  }
  RevokedSubjects next = revoked_;
  next.emplace(name, now);
  if (!file_.empty()) {
    auto written =
        crypto::vault::write_file_durably(file_, crypto::as_bytes(revocations_text(next)));
    if (!written) return written.error();
  }
  revoked_ = std::move(next);
  return now;
}

RevokedSubjects OidcRevocations::list() const {
  const std::scoped_lock lock(mutex_);
  return revoked_;
}

}  // namespace paravent::proxy::admin
