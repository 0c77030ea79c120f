// Content-Encoding (RFC 9110 8.4): the codings that bodies come in, and reading them whole.
//
// gzip (RFC 1952), deflate (RFC 9110 8.4.1.2: the zlib format of RFC 1950, not bare DEFLATE), br
// (RFC 7932), zstd (RFC 8878). One coding, one stream: a second member or frame, a dictionary, and
// bytes behind the end are malformed, because receivers differ in what they make of them. What
// unpacks to more than 50 times its own size beyond the first 64 KiB, or to more than the caller's
// limit, is too large; that is found out before much of it is written (hardening.md C7, C8, 4.4).

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

enum class ContentCoding : std::uint8_t { identity, gzip, deflate, br, zstd };

inline constexpr std::size_t kExpansionFree = 64 * 1024;  // bytes that may come of next to nothing
inline constexpr std::size_t kMaxExpansion = 50;

// The value of one Content-Encoding line. nullopt: several codings, or one that is not taken on
// (x-gzip among them: one accepted spelling each, in any case).
std::optional<ContentCoding> parse_content_coding(std::string_view value);

// Keeps the decoders' tables from one body to the next. Owned by one thread.
class ContentDecoder {
 public:
  ContentDecoder();
  ~ContentDecoder();
  ContentDecoder(const ContentDecoder&) = delete;
  ContentDecoder& operator=(const ContentDecoder&) = delete;

  // Replaces `out` by the decoded bytes, at most `limit`. Nothing that `out` held before or while
  // growing is left behind unwiped outside of it. ok, malformed or too_large. REQUIRES: a coding
  // other than identity.
  ScanStatus decode(ContentCoding coding, std::string_view packed, std::size_t limit,
                    std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace paravent::proxy::body
