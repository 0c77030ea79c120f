#include "crypto/vault/engine/catalogue/row_jobs.h"

#include <string>

#include "crypto/vault/engine/base/byte_reader.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kIndexFormat = 2;

Bytes bytes_of(const std::string& text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

}  // namespace

Bytes encode_row_wishes(const RowWishes& wishes) {
  std::string out;
  append_u8(out, kFormat);
  append_u8(out, wishes.reseal ? std::uint8_t{1} : std::uint8_t{0});
  append_u64be(out, static_cast<std::uint64_t>(wishes.purged_until.time_since_epoch().count()));
  return bytes_of(out);
}

Result<RowWishes> decode_row_wishes(ByteView bytes) {
  ByteReader in(bytes);
  RowWishes wishes;
  const bool format = in.u8() == kFormat;
  const std::uint8_t flags = in.u8();
  const auto until = static_cast<std::int64_t>(in.u64());
  if (!format || flags > 1 || until < 0 || !in.done()) return Error(ErrorKind::malformed);
  wishes.reseal = flags == 1;
  wishes.purged_until = WallTime(std::chrono::milliseconds(until));
  return wishes;
}

Bytes encode_index_versions(const IndexVersions& versions) {
  std::string out;
  append_u8(out, kIndexFormat);
  append_u32be(out, versions.current);
  append_u32be(out, versions.before);
  append_bytes(out, versions.key);
  append_bytes(out, versions.key_before);
  return bytes_of(out);
}

Result<IndexVersions> decode_index_versions(ByteView bytes) {
  ByteReader in(bytes);
  const std::uint8_t format = in.u8();
  IndexVersions versions;
  versions.current = in.u32();
  versions.before = in.u32();
  if (format == kIndexFormat) {
    versions.key = in.id();
    versions.key_before = in.id();
  }
  if ((format != kIndexFormat && format != kFormat) || versions.current == 0 ||
      versions.before >= versions.current || !in.done() ||
      (versions.before == 0 && versions.key_before != kNoId)) {
    return Error(ErrorKind::malformed);
  }
  return versions;
}

}  // namespace paravent::crypto::vault
