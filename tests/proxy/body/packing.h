// Makes the encoded bodies of the tests, with the reference encoders.

#pragma once

#include <string>
#include <string_view>

#include "proxy/body/content_coding.h"

namespace paravent::proxy::body::test {

// REQUIRES: a coding other than identity.
std::string pack(ContentCoding coding, std::string_view text);
// zstd as a stream, whose frame does not tell its size.
std::string pack_zstd_stream(std::string_view text);

}  // namespace paravent::proxy::body::test
