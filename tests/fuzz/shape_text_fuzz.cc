// Shapes and addresses on any bytes: no crash, one spelling, and nothing fits two shapes that could
// be told apart. The first byte chooses the length.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/base/ip_address.h"
#include "crypto/tokens/shape_text.h"

namespace pc = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t length = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (std::uint8_t number = 0; number <= 11; ++number) {
    const auto shape = static_cast<pc::Shape>(number);
    if (!pc::matches_shape(shape, length, text)) continue;
    const std::size_t most = pc::shape_length(shape, length);
    const bool address = shape == pc::Shape::ip || shape == pc::Shape::ipv4;
    if (address ? text.size() > most : text.size() != most) std::abort();
  }

  pc::IpAddress bytes;
  if (!pc::parse_ip(text, bytes)) return 0;
  std::string written;
  pc::append_ip(bytes, written);
  pc::IpAddress again;
  if (written.size() > pc::kMaxIpText || !pc::parse_ip(written, again) || again != bytes) {
    std::abort();
  }
  return 0;
}
