// What it means for the request that a codec did not read a text to its end.

#pragma once

#include <optional>

#include "proxy/body/field.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

// nullopt: ok. Of `stopped` only the visitor knows why; here it is malformed.
inline std::optional<Refusal> refusal_of(body::ScanStatus status) {
  switch (status) {
    case body::ScanStatus::ok:
      return std::nullopt;
    case body::ScanStatus::too_large:
      return Refusal{Reason::too_large, {}};
    case body::ScanStatus::unsupported:
      return Refusal{Reason::unsupported_type, {}};
    case body::ScanStatus::malformed:
    case body::ScanStatus::stopped:
      break;
  }
  return Refusal{Reason::malformed_body, {}};
}

}  // namespace paravent::proxy
