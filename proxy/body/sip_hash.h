// SipHash (Aumasson and Bernstein, 2012): a keyed hash of short texts, so that nobody without the
// key can choose many keys that fall into one slot. With one round per block and three at the end
// it is what hash tables use; the test checks the 2-4 variant, whose vectors the authors published.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace paravent::proxy::body {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

namespace sip_detail {

struct Words {
  std::uint64_t a, b, c, d;

  void round() noexcept {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
};

// Little-endian, at most 8 bytes.
inline std::uint64_t load(const char* p, std::size_t n) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < n; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8U * i);
  }
  return word;
}

}  // namespace sip_detail

template <int kBlockRounds = 1, int kFinalRounds = 3>
std::uint64_t sip_hash(const SipKey& key, std::string_view text) noexcept {
  sip_detail::Words v{key.k0 ^ 0x736f6d6570736575U, key.k1 ^ 0x646f72616e646f6dU,
                      key.k0 ^ 0x6c7967656e657261U, key.k1 ^ 0x7465646279746573U};
  const char* p = text.data();
  std::size_t left = text.size();
  const auto absorb = [&v](std::uint64_t word) {
    v.d ^= word;
    for (int i = 0; i < kBlockRounds; ++i) v.round();
    v.a ^= word;
  };
  for (; left >= 8; p += 8, left -= 8) absorb(sip_detail::load(p, 8));
  absorb(sip_detail::load(p, left) | (std::uint64_t{text.size()} << 56U));
  v.c ^= 0xFFU;
  for (int i = 0; i < kFinalRounds; ++i) v.round();
  return v.a ^ v.b ^ v.c ^ v.d;
}

}  // namespace paravent::proxy::body
