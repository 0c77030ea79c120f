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

// Where the admin API is: http://HOST[:PORT], https://HOST[:PORT] or unix:/PATH; `ca` is the file
// of the authority that issued its certificate, empty for the system's.
struct AdminAddress {
  std::string url;
  std::string ca;
};

// ErrorKind::usage: a URL of another form, or http to another machine, and nothing was sent;
// configuration: the authority's file cannot be used; unreachable: no connection, no trust in its
// certificate, or no answer within half a minute.
crypto::Result<AdminAnswer> admin_post(const AdminAddress& at, std::string_view path,
                                       const crypto::SecretBytes& credential,
                                       std::string_view json);

// The same with a GET.
crypto::Result<AdminAnswer> admin_get(const AdminAddress& at, std::string_view path,
                                      const crypto::SecretBytes& credential);

// A whole list {"NAME":[...]}, page by page; one document in the end, as if it had come at once. An
// answer other than 200 to any page is the answer. unreachable: also pages that lead nowhere.
crypto::Result<AdminAnswer> admin_get_list(const AdminAddress& at, std::string_view path,
                                           std::string_view name,
                                           const crypto::SecretBytes& credential);

// What an answer other than 200 means for a command: its title in one sentence.
crypto::Error admin_error(const AdminAnswer& answer);

// The credential in a file: bare text, or the JSON that init prints, which holds two.
enum class CredentialOf : std::uint8_t { dpo, admin };
crypto::Result<crypto::SecretBytes> read_credential(const std::string& file,
                                                    CredentialOf whose = CredentialOf::dpo);

}  // namespace paravent::proxy::main
