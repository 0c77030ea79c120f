// Text encodings of bytes: hexadecimal, base64 and base64url. One accepted spelling each: decoders
// refuse the other case (hex is lower), white space, wrong padding and non-zero spare bits
// (RFC 4648 3.5). Pure functions; encoders append to the caller's buffer and keep its capacity.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

void append_hex(std::string& out, ByteView bytes);
std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text);

// RFC 4648 section 4, padded.
void append_base64(std::string& out, ByteView bytes);
std::string to_base64(ByteView bytes);
Result<Bytes> from_base64(std::string_view text);

// RFC 4648 section 5, never padded.
void append_base64url(std::string& out, ByteView bytes);
Result<Bytes> from_base64url(std::string_view text);

}  // namespace paravent::crypto
