#include "crypto/tokens/frame.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace paravent::crypto {
namespace {

constexpr std::size_t smallest_bucket(Kind kind) noexcept {
  switch (kind) {
    case Kind::text:
    case Kind::address:
    case Kind::birth_date:
    case Kind::iban:
    case Kind::card:
    case Kind::nir:
    case Kind::siren:
    case Kind::siret:
    case Kind::gps:
    case Kind::user_agent:
    case Kind::url:
      return 16;
    case Kind::name:
    case Kind::email:
      return 64;
    case Kind::phone:
      return 32;
    case Kind::ip:
      return 48;  // the longest IPv6 text (39) and the header fit: the bucket hides the family
  }
  return kBuckets.front();
}

}  // namespace

std::size_t bucket_for(Kind kind, std::size_t value_size) noexcept {
  const std::size_t needed = std::max(kFrameHeaderSize + value_size, smallest_bucket(kind));
  for (const std::size_t bucket : kBuckets) {
    if (needed <= bucket) return bucket;
  }
  return (needed + kBucketStep - 1) / kBucketStep * kBucketStep;
}

bool is_bucket(std::size_t size) noexcept {
  if (size > kBuckets.back()) return size % kBucketStep == 0 && size <= kMaxEncryptedBucket;
  return std::find(kBuckets.begin(), kBuckets.end(), size) != kBuckets.end();
}

void build_frame(Kind kind, std::string_view value, MutableBytes frame) noexcept {
  if (value.empty() || value.size() > kMaxEncryptedValue ||
      frame.size() != bucket_for(kind, value.size())) {
    std::abort();
  }
  frame[0] = kFrameVersion;
  frame[1] = static_cast<std::uint8_t>(kind);
  store_u32be(frame.data() + 2, static_cast<std::uint32_t>(value.size()));
  std::memcpy(frame.data() + kFrameHeaderSize, value.data(), value.size());
  const std::size_t used = kFrameHeaderSize + value.size();
  std::memset(frame.data() + used, 0, frame.size() - used);
}

Result<FrameView> parse_frame(ByteView frame) noexcept {
  if (frame.size() < kBuckets.front() || frame[0] != kFrameVersion) {
    return Error(ErrorKind::malformed);
  }
  const auto kind = kind_from_number(frame[1]);
  const std::size_t length = load_u32be(frame.data() + 2);
  if (!kind || length == 0 || length > kMaxEncryptedValue ||
      frame.size() != bucket_for(*kind, length)) {
    return Error(ErrorKind::malformed);
  }
  std::uint8_t padding = 0;
  for (const std::uint8_t byte : frame.subspan(kFrameHeaderSize + length)) padding |= byte;
  if (padding != 0) return Error(ErrorKind::malformed);
  return FrameView{*kind, as_text(frame.subspan(kFrameHeaderSize, length))};
}

}  // namespace paravent::crypto
