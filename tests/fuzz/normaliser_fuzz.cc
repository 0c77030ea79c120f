// Normalisers on any bytes. The first byte chooses the kind and the region. What is accepted is
// valid UTF-8 and its own normal form; a refusal leaves nothing behind; free text is never changed.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/utf8.h"

namespace pc = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto kinds = pc::kinds();
  const pc::Kind kind = kinds[data[0] % kinds.size()].kind;
  constexpr std::array<std::string_view, 9> kRegions = {"FR", "DE", "US", "IT", "LU",
                                                        "RE", "GB", "PM", "CA"};
  const pc::NormaliserOptions options{kRegions[data[0] / kinds.size() % kRegions.size()]};
  const std::string_view value(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string once = "kept";
  if (!pc::normalise(kind, value, options, once)) {
    if (once != "kept") std::abort();
    return 0;
  }
  once.erase(0, 4);
  if (once.empty() || !pc::is_utf8(once)) std::abort();
  if (kind == pc::Kind::text && once != value) std::abort();
  std::string twice;
  if (!pc::normalise(kind, once, options, twice) || twice != once) std::abort();
  return 0;
}
