#include <cstddef>
#include <cstdint>

#include "crypto/tokens/frame.h"
#include "crypto/tokens/shape_text.h"
#include "crypto/tokens/token_format.h"
#include "policies/model/checks.h"

namespace paravent::policies {

ResultLength result_length(const Policy& policy, const Route& route, const Rule& rule) {
  const std::size_t bucket = crypto::bucket_for(rule.kind.value, 1);
  // Of the shapes whose text is not the token's own; 0 for the others.
  const std::size_t shaped =
      crypto::shape_length(shape_of(rule), static_cast<std::uint8_t>(shape_length_of(rule)));
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
    default: {
      const bool bound = is_subject_bound(rule, route, find_purpose(policy, route.purpose.value));
      return {bound ? crypto::encrypted_subject_token_length(bucket)
                    : crypto::encrypted_token_length(bucket),
              true};
    }
  }
}

}  // namespace paravent::policies
