// An epoch's text has exactly one spelling, and its bounds hold its own start but not its end.

#include <cstdint>
#include <cstdlib>

#include "crypto/base/bytes.h"
#include "crypto/keys/epoch.h"

namespace crypto = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = crypto::as_text({data, size});
  const auto epoch = crypto::parse_epoch(text);
  if (!epoch) return 0;
  if (!crypto::epoch_valid(*epoch) || crypto::epoch_text(*epoch) != text) std::abort();
  if (crypto::epoch_start(*epoch) >= crypto::epoch_end(*epoch)) std::abort();
  return 0;
}
