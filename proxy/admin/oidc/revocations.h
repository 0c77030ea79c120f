// OidcRevocations: subjects of other issuers that are shut out here, whatever their issuer still
// signs. For good, as with every operator: on the record a name means one of them.
//
// DATA/operators/oidc-revoked (mode 0600). One spelling; any other is refused whole:
//
//   paravent-oidc-revoked-v1
//   revoked ISSUER/SUBJECT TIME                  milliseconds since 1970, UTC
//   end
//
// Thread safe; a change is durable when the call returns, and the next request is judged by it.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostRevocations = 10'000;

using RevokedSubjects = std::map<std::string, crypto::WallTime, std::less<>>;

std::string revocations_text(const RevokedSubjects& revoked);
std::optional<RevokedSubjects> parse_revocations(std::string_view text);

class OidcRevocations {
 public:
  // `folder`: DATA/operators; empty: in memory, for tests. ErrorKind::data: altered or unreadable.
  static crypto::Result<std::unique_ptr<OidcRevocations>> open(const std::filesystem::path& folder);

  // `name`: "ISSUER/SUBJECT".
  bool holds(std::string_view name) const;
  // When it was revoked: now, or before. ErrorKind::usage: as many as there can be.
  crypto::Result<crypto::WallTime> revoke(std::string_view name, crypto::WallTime now);
  RevokedSubjects list() const;

 private:
  explicit OidcRevocations(std::filesystem::path file) : file_(std::move(file)) {}

  std::filesystem::path file_;  // empty: in memory
  mutable std::mutex mutex_;
  RevokedSubjects revoked_;
};

}  // namespace paravent::proxy::admin
