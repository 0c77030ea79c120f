// HMAC and HKDF with a hash that is named at run time, by OpenSSL. For published vectors and
// formats of other people; everything of our own uses HmacSha256 and hkdf.h.
//
// Names are OpenSSL's ("SHA1", "SHA2-512", "SHA3-256"). Pure functions; any thread.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

// ErrorKind::usage: this OpenSSL has no such hash.
Result<Bytes> hmac_by_name(const char* hash, ByteView key, ByteView message);

// RFC 5869. ErrorKind::usage: no such hash, or a size of 0 or above 255 digests.
Result<Bytes> hkdf_by_name(const char* hash, ByteView input_key, ByteView salt, ByteView info,
                           std::size_t size);

}  // namespace paravent::crypto
