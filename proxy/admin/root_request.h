// The body of POST /v1/rewrap: which way to unseal is wanted, with the secrets that it needs; or
// the confirmation that shares are in people's hands.
//
//   {"reason": "...", ONE OF
//      "root_key_file": "/path" | "systemd_credential": "name" | "passphrase": "..." |
//      "pkcs11": {"module": "...", "token": "...", "key": "...", "pin": "..."} | "shares": "3/5",
//    "present": ["the pass-phrase, or each share"]}
//   {"reason": "...", "confirm": "TICKET"}
// Strict; what is parsed lies in locked memory that is wiped. Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/admin/root_desk.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMaxRootRequest = 16 * 1024;

struct RootRequest {
  std::string reason;
  std::string confirm;  // not empty: nothing else is there
  std::optional<RootWish> wish;
};

// ErrorKind::malformed with what is asked for; never with what was given.
crypto::Result<RootRequest> parse_root_request(std::string_view body);

}  // namespace paravent::proxy::admin
