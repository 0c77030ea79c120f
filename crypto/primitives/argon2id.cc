#include "crypto/primitives/argon2id.h"

#include <sodium.h>

#include <string>

#include "crypto/primitives/sodium_ready.h"

namespace paravent::crypto {

Status argon2id(ByteView password, ByteView salt, std::uint32_t passes, std::uint32_t memory_kib,
                MutableBytes out) {
  static_assert(crypto_pwhash_argon2id_SALTBYTES == kArgon2SaltSize);
  require_sodium();
  const std::size_t memory = std::size_t{memory_kib} * 1024;
  if (salt.size() != kArgon2SaltSize || passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
      memory < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
      out.size() < crypto_pwhash_argon2id_BYTES_MIN) {
    return Error(ErrorKind::usage);
  }
  // Nothing to read of an empty one, and still no null pointer.
  const char* words = password.empty() ? "" : as_text(password).data();
  if (crypto_pwhash_argon2id(out.data(), out.size(), words, password.size(), salt.data(), passes,
                             memory, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return Error(ErrorKind::internal, "There is not enough memory for Argon2id, which needs " +
                                          std::to_string(memory_kib / 1024) + " MiB.");
  }
  return {};
}

}  // namespace paravent::crypto
