#include "proxy/pipeline/generalise/truncate_text.h"

namespace paravent::proxy {

std::string_view truncate_text(std::string_view text, std::uint32_t characters) noexcept {
  std::size_t at = 0;
  for (std::uint32_t n = 0; at < text.size(); ++at) {
    const bool starts_character = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts_character && n++ == characters) break;
  }
  return text.substr(0, at);
}

}  // namespace paravent::proxy
