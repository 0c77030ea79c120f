// Surrogates in the shape of something else: a text of the required form, drawn uniformly from 256
// random (or pseudo-random) bits, and the question whether a text has such a form.
//
// A shaped text carries no checksum, no key id and no mark that it is a surrogate: what it stands
// for is found by look-up, and two values may meet in one text with the chance that the entropy
// below gives (half of a chance at about 2^(bits/2) values). Each draw is the fraction of the bits
// times the number of texts, so none is likelier than another by more than one part in 2^90.
//
// clang-format off
//   shape          text                                                entropy in bits
//   phone          +999 and 12 digits                                  39.9
//   digits         N digits, 6 to 18, the first not 0; default 12      log2(9 x 10^(N-1)): 39.7 for 12
//   digits.digits  ten digits, ".", ten digits, neither begins with 0  66.1
//   hex16          16 digits of 0-9a-f                                 64
//   uuid           RFC 9562 version 4, lower case                      122
//   alphanumeric   N of a-z0-9, 8 to 32, the first a letter;           4.7 + 5.17 (N - 1):
//                  default 16                                          82.2 for 16
//   ip             an IPv6 address in fd00::/8, RFC 5952               120
//   ipv4           an address in 240.0.0.0/4                           28
// clang-format on
//
// Pure functions; any thread; nothing allocates once `out` has its capacity.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "crypto/tokens/shape.h"

namespace paravent::crypto {

// `length` as it counts: 0 stands for the shape's default, and shapes of one length have none (0).
std::uint8_t effective_shape_length(Shape shape, std::uint8_t length) noexcept;

// Whether the shape is one of the table above and may have this length.
bool is_shape_drawn(Shape shape, std::uint8_t length) noexcept;

// REQUIRES: is_shape_drawn(shape, length); anything else is a broken invariant and ends the
// process.
void append_shape(Shape shape, std::uint8_t length, std::span<const std::uint8_t, 32> random,
                  std::string& out);

// Whether the whole text could have been written by append_shape with this length. False for shapes
// that are not of the table.
bool matches_shape(Shape shape, std::uint8_t length, std::string_view text) noexcept;

// Characters of the text; the most that it may have for ip (39) and ipv4 (15). 0 for shapes that
// are not of the table.
std::size_t shape_length(Shape shape, std::uint8_t length) noexcept;

}  // namespace paravent::crypto
