#include "crypto/vault/engine/key_store_image.h"

#include <algorithm>
#include <string>

#include "crypto/vault/engine/byte_reader.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kMagic = "PVTKEYS1";
constexpr std::uint16_t kFormat = 1;

Error stale() {
  return Error(ErrorKind::busy,
               "The key store was changed by another process meanwhile; try again.");
}

KeyStoreHeader read_header(ByteReader& in) {
  KeyStoreHeader header;
  header.format = in.u16();
  header.installation = in.id();
  const ByteView check = in.take(header.root_check.size());
  std::copy(check.begin(), check.end(), header.root_check.begin());
  return header;
}

}  // namespace

Status KeyStoreImage::put(std::uint64_t expected, std::span<const StoredRecord> changed) {
  if (expected != generation) return stale();
  for (const StoredRecord& record : changed) records[record.ref] = record.payload;
  ++generation;
  return {};
}

Status KeyStoreImage::destroy(std::uint64_t expected, std::span<const RecordRef> refs) {
  if (expected != generation) return stale();
  for (const RecordRef& ref : refs) records.erase(ref);
  ++generation;
  return {};
}

Bytes encode_key_store(const KeyStoreImage& image) {
  std::string out(kMagic);
  append_u16be(out, kFormat);
  append_bytes(out, image.installation);
  append_bytes(out, image.root_check);
  append_u64be(out, image.generation);
  append_u32be(out, static_cast<std::uint32_t>(image.records.size()));
  for (const auto& [ref, payload] : image.records) {
    append_u8(out, static_cast<std::uint8_t>(ref.type));
    append_bytes(out, ref.id);
    append_u32be(out, static_cast<std::uint32_t>(payload.size()));
    append_bytes(out, payload);
  }
  const ByteView view = as_bytes(out);
  return {view.begin(), view.end()};
}

Result<KeyStoreHeader> parse_key_store_header(ByteView file) {
  ByteReader in(file);
  if (as_text(in.take(kMagic.size())) != kMagic) return Error(ErrorKind::malformed);
  const KeyStoreHeader header = read_header(in);
  if (in.failed()) return Error(ErrorKind::malformed);
  return header;
}

Result<KeyStoreImage> parse_key_store(ByteView without_mac) {
  ByteReader in(without_mac);
  if (as_text(in.take(kMagic.size())) != kMagic) return Error(ErrorKind::malformed);
  const KeyStoreHeader header = read_header(in);
  if (header.format != kFormat || header.installation == kNoId) {
    return Error(ErrorKind::malformed);
  }
  KeyStoreImage image;
  image.installation = header.installation;
  image.root_check = header.root_check;
  image.generation = in.u64();
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
    const std::uint8_t type = in.u8();
    const RecordRef ref{static_cast<RecordType>(type), in.id()};
    const std::uint32_t size = in.u32();
    if (type < 1 || type > 3 || size > kMaxRecordSize) return Error(ErrorKind::malformed);
    const ByteView payload = in.take(size);
    if (in.failed()) break;
    if (!image.records.empty() && image.records.rbegin()->first >= ref) {
      return Error(ErrorKind::malformed);
    }
    image.records.emplace_hint(image.records.end(), ref, Bytes(payload.begin(), payload.end()));
  }
  if (!in.done()) return Error(ErrorKind::malformed);
  return image;
}

}  // namespace paravent::crypto::vault
