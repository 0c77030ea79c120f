// Ff1: format-preserving encryption FF1 (NIST SP 800-38G) over strings of digits of one radix: a
// keyed, tweaked permutation of all strings of a length.
//
// It knows digits, not characters: the caller maps its alphabet to 0..radix-1. No integrity: any
// string decrypts to some other. Who knows pairs under one key and tweak knows those entries of
// the code book, so the tweak must carry all that may tell values apart (constructions 4.4).
//
// Domains of fewer than 10^6 strings are refused (SP 800-38G Rev. 1): they fall to published
// attacks. Up to 96-bit halves (58 decimal digits) run in machine integers without any heap
// allocation; longer strings take a slower way through OpenSSL's big numbers (ff1_long.h), which
// the product does not use. Neither time nor memory accesses are independent of the digits. One
// owner thread at a time; move-only.

#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/aes_block.h"
#include "crypto/primitives/uint128.h"

namespace paravent::crypto {

class Ff1 {
 public:
  static constexpr std::uint32_t kMinRadix = 2;
  static constexpr std::uint32_t kMaxRadix = 65536;
  static constexpr std::uint32_t kMinDomain = 1'000'000;
  static constexpr std::uint32_t kMinComputed = 100;  // SP 800-38G of 2016, 5.1
  static constexpr std::size_t kMaxLength = 4096;     // digits
  static constexpr std::size_t kMaxTweak = 4096;      // bytes

  // Domains below kMinDomain: `computed` down to kMinComputed is for published vectors only, whose
  // answers can then be compared; nothing is ever protected so.
  enum class SmallDomains : std::uint8_t { refused, computed };

  // key: 16, 24 or 32 bytes; else, or with a radix outside [2, 65536], ErrorKind::usage.
  static Result<Ff1> create(ByteView key, std::uint32_t radix,
                            SmallDomains small = SmallDomains::refused);

  Ff1(Ff1&&) noexcept = default;
  Ff1& operator=(Ff1&&) noexcept = default;
  ~Ff1();

  // `in` and `out` have the same length and are the same memory or disjoint. ErrorKind::usage,
  // with `out` untouched: a digit that is not below the radix, a domain below 10^6, other lengths
  // than allowed.
  Status encrypt(ByteView tweak, std::span<const std::uint16_t> in, std::span<std::uint16_t> out);
  Status decrypt(ByteView tweak, std::span<const std::uint16_t> in, std::span<std::uint16_t> out);

  std::uint32_t radix() const noexcept { return radix_; }

 private:
  // What depends on the lengths of string and tweak only, and is refused for them; kept from one
  // call to the next.
  struct Layout {
    std::size_t length = 0;  // digits; 0: none yet
    std::size_t tweak_size = 0;
    std::size_t left = 0;              // u: digits of the first half
    std::size_t number_size = 0;       // b: bytes of a half as a number
    std::size_t round_size = 0;        // d: bytes taken from the round function
    UInt128 modulus[2] = {};           // radix^u and radix^v, for even and odd rounds
    std::uint64_t reciprocal[2] = {};  // of those, where they fit 64 bits
    AesBlock first_block = {};         // AES(P)
    bool in_machine_integers = true;
  };

  Ff1(AesBlocks blocks, std::uint32_t radix, std::uint32_t least) noexcept
      : blocks_(std::move(blocks)), radix_(radix), least_domain_(least) {}

  Status lay_out(std::size_t length, std::size_t tweak_size);
  Status run(ByteView tweak, std::span<const std::uint16_t> in, std::span<std::uint16_t> out,
             bool forward);
  template <typename Number>
  Status apply(ByteView tweak, std::span<const std::uint16_t> in, std::span<std::uint16_t> out,
               bool forward) noexcept;
  bool begin(ByteView tweak, AesBlock& state) noexcept;
  template <bool forward, typename Number>
  Status rounds(ByteView tweak, Number& a, Number& b) noexcept;

  AesBlocks blocks_;
  std::uint32_t radix_;
  std::uint32_t least_domain_;
  Layout layout_;
  // The round function's state behind the last tweak of one block: fields of one form share it.
  AesBlock kept_tweak_ = {};
  AesBlock kept_state_ = {};
  bool has_kept_ = false;  // and both are of layout_
};

}  // namespace paravent::crypto
