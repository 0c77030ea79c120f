// The chunk decoder: no cut changes the body, the end or the refusal, and no byte comes out that
// did not go in. The first byte chooses the cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/net/http1/chunked_decoder.h"
#include "tests/fuzz/arriving_bytes.h"

namespace {

using paravent::proxy::http1::ChunkedDecoder;
using paravent::proxy::http1::ChunkStatus;

struct Run {
  Run(std::string_view input, std::size_t piece) {
    paravent::test::ArrivingBytes bytes(input);
    ChunkedDecoder decoder;
    while (status == ChunkStatus::need_more && used < bytes.size()) {
      const auto arrived = bytes.first(used + std::min(piece, bytes.size() - used));
      std::string_view in = std::string_view(arrived.data(), arrived.size()).substr(used);
      const std::size_t given = in.size();
      std::string_view data;
      while ((status = decoder.next(in, data)) == ChunkStatus::data) body.append(data);
      used += given - in.size();
    }
  }

  std::string body;
  std::size_t used = 0;
  ChunkStatus status = ChunkStatus::need_more;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Run whole(bytes, bytes.size() + 1);
  const Run cut(bytes, 1 + data[0] % 64U);
  if (whole.status != cut.status || whole.body != cut.body) std::abort();
  if (whole.body.size() > bytes.size()) std::abort();
  if (whole.status == ChunkStatus::done && whole.used != cut.used) std::abort();
  return 0;
}
