// NIST's ACVP files come in pairs: a prompt (keys and inputs) and its expected results (outputs),
// joined on tgId and tcId. A file with both, the server's "internal projection", needs no partner.

#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <optional>
#include <span>

namespace paravent::crypto {

enum class AcvpPart : std::uint8_t { none, prompt, results, whole };

// The object with `algorithm` and `testGroups`, which the protocol wraps in a list behind its
// version; nullptr when the document is not of ACVP.
const boost::json::value* acvp_body(const boost::json::value& document) noexcept;

AcvpPart acvp_part(const boost::json::value& document) noexcept;

// True when the two are a prompt and results, in either order, of one vector set.
bool is_acvp_pair(const boost::json::value& a, const boost::json::value& b) noexcept;

// The prompt with the members of the results added to each of its tests. REQUIRES: a pair.
boost::json::value join_acvp(const boost::json::value& a, const boost::json::value& b);

struct AcvpPartner {
  std::filesystem::path path;
  boost::json::value document;
};

// The partner of `document`, which was read from `path`: among `given` first, then among at most 64
// JSON files beside it, in the order of their names. Files that cannot be read are passed over.
std::optional<AcvpPartner> find_acvp_partner(const std::filesystem::path& path,
                                             const boost::json::value& document,
                                             std::span<const std::filesystem::path> given);

}  // namespace paravent::crypto
