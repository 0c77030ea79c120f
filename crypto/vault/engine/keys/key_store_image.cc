#include "crypto/vault/engine/keys/key_store_image.h"

#include <algorithm>
#include <string>

#include "crypto/vault/engine/base/byte_reader.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kMagic = "PVTKEYS1";

Error stale() {
  return Error(ErrorKind::busy,
               "The key store was changed by another process meanwhile; try again.");
}

// Subject keys, which may be millions, have their own place.
constexpr bool stored_here(std::uint8_t type) noexcept {
  return type >= 1 && type <= static_cast<std::uint8_t>(RecordType::backup) &&
         type != static_cast<std::uint8_t>(RecordType::subject_key);
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

Status KeyStoreImage::apply(std::uint64_t expected, const StoreChange& change) {
  if (expected != generation) return stale();
  for (const StoredRecord& record : change.put) records[record.ref] = record.payload;
  for (const RecordRef& ref : change.remove) records.erase(ref);
  if (change.shred_number) shred_number = *change.shred_number;
  ++generation;
  return {};
}

Bytes encode_key_store(const KeyStoreImage& image) {
  std::size_t size = kKeyStoreHeaderSize + 16 + kKeyStoreMacSize;
  for (const auto& [ref, payload] : image.records) size += 21 + payload.size();
  std::string out;
  out.reserve(size);
  out.append(kMagic);
  append_u16be(out, kKeyStoreFormat);
  append_bytes(out, image.installation);
  append_bytes(out, image.root_check);
  append_u64be(out, image.generation);
  append_u32be(out, image.shred_number);
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
  if (header.format != kKeyStoreFormat || header.installation == kNoId) {
    return Error(ErrorKind::malformed);
  }
  KeyStoreImage image;
  image.installation = header.installation;
  image.root_check = header.root_check;
  image.generation = in.u64();
  image.shred_number = in.u32();
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
    const std::uint8_t type = in.u8();
    const RecordRef ref{static_cast<RecordType>(type), in.id()};
    const std::uint32_t size = in.u32();
    if (!stored_here(type) || size > kMaxRecordSize) return Error(ErrorKind::malformed);
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
