// Refusal: why a request is turned away on the data path. The closed set of CONTRACTS; each reason
// has one status, one label of paravent_refusals_total, and never a value from the request.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy {

enum class Reason : std::uint8_t {
  framing,               // 400, closes the connection
  malformed_body,        // 400
  client_certificate,    // 403
  no_route,              // 404
  method,                // 405
  timeout,               // 408, closes
  length_required,       // 411, closes
  too_large,             // 413
  target_too_long,       // 414, closes
  unsupported_type,      // 415
  unsupported_encoding,  // 415
  expectation,           // 417, closes
  unlisted_field,        // 422
  missing_field,         // 422
  refused_field,         // 422
  ambiguous_field,       // 422
  own_token,             // 422
  transform_failed,      // 422
  objected,              // 422
  late_field,            // 422: behind a streamed file
  rate_limited,          // 429
  headers_too_large,     // 431, closes
  unsupported_coding,    // 501, closes
  upstream_failed,       // 502
  sealed,                // 503
  store_unavailable,     // 503
  overloaded,            // 503
  upstream_timeout,      // 504
  http_version,          // 505, closes
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::http_version) + 1;

std::uint16_t reason_status(Reason reason) noexcept;
std::string_view reason_label(Reason reason) noexcept;
// True where what follows on the connection can no longer be trusted.
bool reason_closes(Reason reason) noexcept;

struct Refusal {
  Reason reason = Reason::framing;
  // A name from the policy, or for unlisted_field the sender's own name cut at 64 bytes. Only ever
  // written into the answer to that sender.
  std::string_view field;
};

}  // namespace paravent::proxy
