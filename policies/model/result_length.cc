#include <cstddef>

#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_format.h"
#include "policies/model/checks.h"

namespace paravent::policies {
namespace {

constexpr std::size_t kLongestIpv6 = 39;  // eight groups of four
constexpr std::size_t kLongestIpv4 = 15;

// Of the shapes whose text is not the token's own; 0 for the others.
std::size_t shape_bytes(const Rule& rule) {
  switch (shape_of(rule)) {
    case Shape::none:
    case Shape::email:
    case Shape::preserve:
      return 0;
    case Shape::phone:
      return 16;  // +999 and twelve digits
    case Shape::digits:
    case Shape::alphanumeric:
      return shape_length_of(rule);
    case Shape::digits_digits:
      return 21;  // ten digits on either side
    case Shape::hex16:
      return 16;
    case Shape::uuid:
      return 36;
    case Shape::ip:
      return kLongestIpv6;
    case Shape::ipv4:
      return kLongestIpv4;
  }
  return 0;
}

}  // namespace

ResultLength result_length(const Policy& policy, const Rule& rule) {
  const std::size_t bucket = crypto::bucket_for(rule.kind.value, 1);
  const std::size_t shaped = shape_bytes(rule);
  if (shaped != 0) return {shaped, false};
  const std::size_t mail =
      rule.shape.value == Shape::email ? 1 + policy.token_mail_domain.value.size() : 0;
  switch (*rule.action) {
    case ActionKind::tokenise_vault:
      return {crypto::kVaultTokenLength + mail, false};
    case ActionKind::pseudonymise:
      return {crypto::kPseudonymLength + mail, false};
    case ActionKind::tokenise_derived:
      return {crypto::derived_token_length(bucket), true};
    case ActionKind::tokenise_address:
    case ActionKind::tokenise_address_prefix:
      return {crypto::kAddressLength, false};
    case ActionKind::tokenise_address_random:
      return {crypto::kAddressRandomLength, false};
    case ActionKind::tokenise_preserve:
      return {0, true};  // as long as the value
    case ActionKind::seal:
      return {crypto::long_token_length(crypto::kEncapsulationSize + crypto::kNonceSize + bucket +
                                        crypto::kTagSize),
              true};
    case ActionKind::seal_single:
      return {
          crypto::long_token_length(crypto::kSingleEncapsulationSize + bucket + crypto::kTagSize),
          true};
    case ActionKind::shift_date:
      return {0, false};  // a date again
    default:
      return {crypto::encrypted_token_length(bucket), true};
  }
}

}  // namespace paravent::policies
