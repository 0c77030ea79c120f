// EvpContext: owner of one OpenSSL cipher context, named without including OpenSSL, so that no
// other room sees the library. Movable, owned by one thread at a time; freeing it wipes the key
// schedule.

#pragma once

#include <cstdint>
#include <memory>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

struct evp_cipher_ctx_st;

namespace paravent::crypto {

struct EvpContextDeleter {
  void operator()(evp_cipher_ctx_st* context) const noexcept;
};

using EvpContext = std::unique_ptr<evp_cipher_ctx_st, EvpContextDeleter>;

// A context set up to encrypt with the named block cipher mode, keyed, IV zero, no padding. `key`
// must have the cipher's size (ErrorKind::usage); ErrorKind::internal when OpenSSL does not
// cooperate.
Result<EvpContext> make_encrypt_context(const char* cipher, ByteView key);

// The same, set up to decrypt.
Result<EvpContext> make_decrypt_context(const char* cipher, ByteView key);

// out = the encryption of `in` by a context of make_encrypt_context; same size, whole blocks, at
// most 1 GiB. False on any failure, after which the context must not be used again.
bool encrypt_update(evp_cipher_ctx_st* context, ByteView in, std::uint8_t* out) noexcept;
bool decrypt_update(evp_cipher_ctx_st* context, ByteView in, std::uint8_t* out) noexcept;

}  // namespace paravent::crypto
