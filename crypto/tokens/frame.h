// The plaintext frame of every reversible encryption: the value's kind and length, padded with
// zeros to a bucket so that the ciphertext's length says little. Layout and ladder: token_format.h.
//
// Pure functions on the caller's memory; nothing is copied out and nothing allocates.

#pragma once

#include <cstddef>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/token_format.h"

namespace paravent::crypto {

// Size of the whole frame of a value: the smallest bucket of the ladder that holds it, and at least
// the kind's own (16 to 256; docs/token-format.md section 5), which hides the lengths that most of
// its values have.
std::size_t bucket_for(Kind kind, std::size_t value_size) noexcept;

// Whether some frame may have this size.
bool is_bucket(std::size_t size) noexcept;

// REQUIRES: frame.size() == bucket_for(kind, value.size()), value not empty and at most
// kMaxEncryptedValue long; another size is a broken invariant and ends the process.
void build_frame(Kind kind, std::string_view value, MutableBytes frame) noexcept;

struct FrameView {
  Kind kind = Kind::text;
  std::string_view value;  // borrows from the frame
};

// Strict: known version and kind, value not empty, exactly the bucket that build_frame would
// choose, all padding zero; else ErrorKind::malformed without a sentence.
Result<FrameView> parse_frame(ByteView frame) noexcept;

}  // namespace paravent::crypto
