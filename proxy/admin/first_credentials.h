// FirstCredentials: DATA/first-credentials (mode 0600), where `serve` leaves what `init --json`
// prints when it initialised the data directory itself. Each credential leaves the file at its own
// first use, and the file goes with the last one. Thread safe; changes are durable when the call
// returns.

#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::proxy::admin {

// {"operator":"dpo","credential":"...","admin_operator":"admin","admin_credential":"..."}
crypto::SecretBytes first_credentials_json(const crypto::SecretBytes& dpo,
                                           const crypto::SecretBytes& admin);

class FirstCredentials {
 public:
  explicit FirstCredentials(const std::filesystem::path& data)
      : file_(data / "first-credentials") {}

  crypto::Status write(const crypto::SecretBytes& json);
  // Takes the credential out of the file, if it is there. A file that cannot be read or written is
  // an error: a credential must not stay readable without anybody knowing.
  crypto::Status used(std::string_view credential);

 private:
  std::filesystem::path file_;
  std::mutex mutex_;
  bool gone_ = false;
};

}  // namespace paravent::proxy::admin
