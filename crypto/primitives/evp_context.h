// EvpContext: owner of one OpenSSL cipher context, named without including OpenSSL, so that no other
// room sees the library. Movable, owned by one thread at a time; freeing it wipes the key schedule.

#pragma once

#include <memory>

struct evp_cipher_ctx_st;

namespace paravent::crypto {

struct EvpContextDeleter {
  void operator()(evp_cipher_ctx_st* context) const noexcept;
};

using EvpContext = std::unique_ptr<evp_cipher_ctx_st, EvpContextDeleter>;

}  // namespace paravent::crypto
