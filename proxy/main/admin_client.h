// AdminClient: one request to the admin API, for the commands that are its clients.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::proxy::main {

struct AdminAnswer {
  std::uint16_t status = 0;
  std::string body;  // may hold clear values: the caller wipes it
};

// `url`: http://HOST[:PORT]. ErrorKind::usage: another form; unreachable: no connection or no
// answer within half a minute.
crypto::Result<AdminAnswer> admin_post(const std::string& url, std::string_view path,
                                       const crypto::SecretBytes& credential,
                                       std::string_view json);

// The credential in a file: bare text, or the JSON that init prints, which holds both of these.
enum class CredentialOf : std::uint8_t { operator_, admin };
crypto::Result<crypto::SecretBytes> read_credential(const std::string& file,
                                                    CredentialOf whose = CredentialOf::operator_);

}  // namespace paravent::proxy::main
