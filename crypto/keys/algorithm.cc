#include "crypto/keys/algorithm.h"

#include <array>

namespace paravent::crypto {
namespace {

struct Entry {
  Algorithm algorithm;
  std::string_view name;
};

constexpr std::array<Entry, 16> kAlgorithms = {{
    {Algorithm::vault_token, "vault-token"},
    {Algorithm::derived, "derived"},
    {Algorithm::pseudonym, "pseudonym"},
    {Algorithm::encrypted, "encrypted"},
    {Algorithm::address, "address"},
    {Algorithm::address_prefix, "address-prefix"},
    {Algorithm::address_random, "address-random"},
    {Algorithm::sealed, "sealed"},
    {Algorithm::sealed_single, "sealed-single"},
    {Algorithm::format_preserving, "format-preserving"},
    {Algorithm::encrypted_subject, "encrypted-subject"},
    {Algorithm::vault_row, "vault-row"},
    {Algorithm::audit_detail, "audit-detail"},
    {Algorithm::map_cookie, "map-cookie"},
    {Algorithm::subject_reference, "subject-reference"},
    {Algorithm::vault_row_subject, "vault-row-subject"},
}};

}  // namespace

Result<Algorithm> algorithm_from(std::uint8_t number) noexcept {
  for (const Entry& entry : kAlgorithms) {
    if (static_cast<std::uint8_t>(entry.algorithm) == number) return entry.algorithm;
  }
  return Error(ErrorKind::malformed);
}

std::string_view algorithm_name(Algorithm algorithm) noexcept {
  for (const Entry& entry : kAlgorithms) {
    if (entry.algorithm == algorithm) return entry.name;
  }
  return "unknown";
}

}  // namespace paravent::crypto
