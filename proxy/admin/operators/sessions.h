// Sessions: the short credentials that a login gives. In memory only: a restart ends them all.
//
// Thread safe. A session ends with its time, with a logout, and with its operator; of one operator
// there are at most 16, of which the oldest goes.

#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/sha256.h"

namespace paravent::proxy::admin {

// "pvcred_" or another prefix, and 32 random bytes in text.
crypto::SecretBytes new_credential(std::string_view prefix);

class Sessions {
 public:
  static constexpr std::string_view kPrefix = "pvsess_";
  static constexpr std::size_t kMostOfOne = 16;

  crypto::SecretBytes begin(std::string_view name, crypto::WallTime now, crypto::WallTime expires);
  // The operator's name; nullopt: no such session, or it is over.
  std::optional<std::string> find(const crypto::Sha256Digest& hash, crypto::WallTime now);
  void end(const crypto::Sha256Digest& hash);
  void end_all_of(std::string_view name);

 private:
  struct Session {
    std::string name;
    crypto::WallTime begun;
    crypto::WallTime expires;
  };
  std::mutex mutex_;
  // By hash: what a look-up's time may tell is about a hash, which nobody can choose.
  std::map<crypto::Sha256Digest, Session> sessions_;
};

}  // namespace paravent::proxy::admin
