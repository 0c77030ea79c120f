// Shamir's secret sharing (Communications of the ACM 22/11, 1979) over GF(256), byte by byte: any
// `threshold` shares make the secret, fewer say nothing about it.
//
// The field is that of AES (x^8 + x^4 + x^3 + x + 1). Share i is the value at the point i of a
// random polynomial of degree threshold - 1 whose constant term is the secret. Arithmetic without
// tables or branches on secrets: time depends on sizes and points only. Nothing here tells a wrong
// share from a right one; the caller has a key check value for that. Pure functions; any thread.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/random.h"

namespace paravent::crypto {

struct ShamirShare {
  std::uint8_t point = 0;  // 1 to 255
  SecretBytes value;       // as long as the secret
};

// ErrorKind::usage unless 2 <= threshold <= shares <= 255 and the secret has 1 to 1024 bytes.
Result<std::vector<ShamirShare>> shamir_split(ByteView secret, unsigned threshold, unsigned shares,
                                              RandomSource& random);

// The secret that exactly these shares make. ErrorKind::usage: fewer than two, a point that is zero
// or there twice, or values of different sizes.
Result<SecretBytes> shamir_join(std::span<const ShamirShare> shares);

}  // namespace paravent::crypto
