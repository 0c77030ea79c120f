// Audit entries, bundles, details and tile paths: whatever is accepted is written back the same.
// The first byte chooses the parser.

#include <cstdint>
#include <cstdlib>

#include "crypto/audit/detail.h"
#include "crypto/audit/leaf.h"
#include "crypto/audit/tile_layout.h"

namespace {

namespace audit = paravent::crypto::audit;
using paravent::crypto::as_text;
using paravent::crypto::ByteView;

void require(bool law) {
  if (!law) std::abort();
}

void entry(ByteView bytes) {
  const auto decoded = audit::decode_entry(bytes);
  if (!decoded) return;
  std::string again;
  audit::append_leaf(again, decoded->leaf);
  paravent::crypto::append_bytes(again, decoded->encrypted_detail);
  require(again == as_text(bytes));
}

void bundle(ByteView bytes) {
  if (bytes.empty()) return;
  const auto entries = audit::split_bundle(bytes.subspan(1), bytes[0]);
  if (!entries) return;
  std::string again;
  for (const ByteView one : *entries) {
    paravent::crypto::append_lp(again, as_text(one));
    entry(one);
  }
  require(entries->size() == bytes[0] && again == as_text(bytes.subspan(1)));
}

void detail(ByteView bytes) {
  const auto decoded = audit::decode_detail(bytes);
  if (!decoded) return;
  require(audit::check_detail(*decoded).has_value());
  require(audit::encode_detail(*decoded, bytes.first(32)) == as_text(bytes));
}

void path(ByteView bytes) {
  const auto name = audit::parse_tile_path(as_text(bytes));
  if (name) require(audit::tile_path(*name) == as_text(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      entry(rest);
      break;
    case 1:
      bundle(rest);
      break;
    case 2:
      detail(rest);
      break;
    default:
      path(rest);
  }
  return 0;
}
