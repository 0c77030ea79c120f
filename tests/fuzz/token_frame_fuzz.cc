// Plaintext frame parser on any bytes: what is accepted is exactly what build_frame would write.

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "crypto/tokens/frame.h"

namespace pc = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const pc::ByteView bytes(data, size);
  const auto frame = pc::parse_frame(bytes);
  if (!frame) return 0;
  pc::Bytes rebuilt(pc::bucket_for(frame->kind, frame->value.size()));
  pc::build_frame(frame->kind, frame->value, rebuilt);
  if (!std::equal(rebuilt.begin(), rebuilt.end(), bytes.begin(), bytes.end())) std::abort();
  return 0;
}
