#include "crypto/tokens/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define PARAVENT_CRC32C_INSTRUCTION 1
#endif

namespace paravent::crypto {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 4>;

// tables[k][b]: byte b followed by k zero bytes. The polynomial is reflected: bit 0 is the
// coefficient of x^31.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    tables[0][b] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t previous = tables[k - 1][b];
      tables[k][b] = (previous >> 8U) ^ tables[0][previous & 255U];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

#ifdef PARAVENT_CRC32C_INSTRUCTION
__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(ByteView bytes,
                                                             std::uint32_t previous) noexcept {
  std::uint64_t crc = std::uint32_t{~previous};
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; left > 0; ++p, --left) narrow = _mm_crc32_u8(narrow, *p);
  return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t previous) noexcept {
  std::uint32_t crc = ~previous;
  const std::uint8_t* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 4; p += 4, left -= 4) {
    crc ^= std::uint32_t{p[0]} | (std::uint32_t{p[1]} << 8U) | (std::uint32_t{p[2]} << 16U) |
           (std::uint32_t{p[3]} << 24U);
    crc = kTables[3][crc & 255U] ^ kTables[2][(crc >> 8U) & 255U] ^
          kTables[1][(crc >> 16U) & 255U] ^ kTables[0][crc >> 24U];
  }
  for (; left > 0; ++p, --left) crc = (crc >> 8U) ^ kTables[0][(crc ^ *p) & 255U];
  return ~crc;
}

std::uint32_t crc32c(ByteView bytes, std::uint32_t previous) noexcept {
#ifdef PARAVENT_CRC32C_INSTRUCTION
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(bytes, previous);
#endif
  return crc32c_portable(bytes, previous);
}

}  // namespace paravent::crypto
