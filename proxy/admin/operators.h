// Operators: who may ask, and the only thing kept of what proves it: a hash.
//
// DATA/operators/operators (mode 0600), one line per operator, one spelling:
//   paravent-operators-v1
//   NAME TENANT-ID-HEX|- ROLE CREDENTIAL-HASH-HEX
// A credential is 32 random bytes in text; 256 bits need no slow hash, so SHA-256 of the text is
// kept and compared in constant time over all operators. The tenant is empty until the first policy
// is loaded; the two operators of init then join its tenant. Thread safe: the list is immutable
// between changes, which are durable when the call returns.

#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/id.h"

namespace paravent::proxy::admin {

struct Operator {
  std::string name;
  crypto::vault::Id tenant{};  // kNoId: none yet
  std::string role;
  crypto::Sha256Digest credential_hash{};
};

class Operators {
 public:
  // An empty list where the file does not exist yet. ErrorKind::data: altered or unreadable.
  static crypto::Result<std::unique_ptr<Operators>> open(const std::filesystem::path& folder);
  // For tests and explain: nothing on disk.
  static std::unique_ptr<Operators> in_memory();

  // An operator that nobody keeps yet: what would be kept, and the credential, which exists nowhere
  // else.
  struct Made {
    Operator kept;
    crypto::SecretBytes credential;
  };
  // ErrorKind::usage: a name or role of another form, or a name that is taken.
  crypto::Result<Made> make(std::string_view name, std::string_view role,
                            const crypto::vault::Id& tenant) const;
  // Keeps operators, all in one durable step. A credential has to be in somebody's hands before:
  // afterwards it cannot be made again. ErrorKind::usage: a name that is taken.
  crypto::Status keep(const std::vector<Operator>& made);
  // Both at once; the caller hands the credential on.
  crypto::Result<crypto::SecretBytes> add(std::string_view name, std::string_view role,
                                          const crypto::vault::Id& tenant);

  // Gives every operator without a tenant this one.
  crypto::Status join_tenant(const crypto::vault::Id& tenant);

  // Takes the same time for every credential that nobody has.
  std::optional<Operator> authenticate(std::string_view credential) const;

  // The operator of that name, for one who proved it otherwise.
  std::optional<Operator> named(std::string_view name) const;

  std::size_t size() const;

 private:
  explicit Operators(std::filesystem::path file) : file_(std::move(file)) {}
  crypto::Status save(const std::vector<Operator>& list) const;

  std::filesystem::path file_;  // empty: in memory
  mutable std::mutex mutex_;
  std::vector<Operator> list_;
};

}  // namespace paravent::proxy::admin
