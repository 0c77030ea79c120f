// AdminRequest and AdminResponse: what the admin API speaks, free of any HTTP library.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::proxy::admin {

// Wiped when let go: it may hold what unseals, and a credential.
struct AdminRequest {
  ~AdminRequest() {
    crypto::wipe(body);
    crypto::wipe(authorization);
  }

  std::string method;  // of HEAD the answer's body is left out on its way (RFC 9110 9.3.2)
  std::string path;    // in front of '?'
  std::string query;   // behind it
  std::string authorization;
  std::string content_type;
  std::string accept;
  std::string idempotency_key;
  std::string body;
  bool from_loopback = false;
  // The name in the client's verified certificate (tls::verified_common_name); empty: none.
  std::string certificate_name;
  // When that certificate ends, which a connection may outlive; nullopt: it is not known to.
  std::optional<crypto::WallTime> certificate_expires;
};

// The body may hold clear values on their way to the authorised role: it is wiped when let go.
struct AdminResponse {
  AdminResponse() = default;
  AdminResponse(std::uint16_t with_status, std::string_view type, std::string text)
      : status(with_status), content_type(type), body(std::move(text)) {}
  AdminResponse(AdminResponse&&) noexcept = default;
  AdminResponse& operator=(AdminResponse&&) noexcept = default;
  AdminResponse(const AdminResponse&) = delete;
  AdminResponse& operator=(const AdminResponse&) = delete;
  ~AdminResponse() { crypto::wipe(body); }

  std::uint16_t status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string reason;  // of a problem: the member of that name; else empty
  std::vector<std::pair<std::string, std::string>> headers;
  // Instead of `body`, for long answers: puts the next piece into `piece`, which is wiped behind
  // it; false: it was the last. May block on the disk; called on one thread at a time.
  std::function<bool(std::string& piece)> more;
  // Beside `more`, or empty: called once, instead of asking for the next piece, when the reader is
  // gone, or the server ends, before the last one was taken by the connection. May block on the
  // disk.
  std::function<void()> abandoned;
};

// Answers one request; may block on the disk. Thread safe.
class AdminHandler {
 public:
  virtual ~AdminHandler() = default;
  virtual AdminResponse handle(const AdminRequest& request) = 0;
};

// application/problem+json (RFC 9457) with `type: urn:paravent:problem:REASON`. Never a value.
AdminResponse admin_problem(std::uint16_t status, std::string_view reason, std::string_view detail);
// 503: what is to be done has no entry, so it is not done.
AdminResponse audit_unavailable();

}  // namespace paravent::proxy::admin
