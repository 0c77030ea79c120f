#include "crypto/tokens/frame.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace paravent::crypto {
namespace {

constexpr std::size_t smallest_bucket(Kind kind) noexcept {
  switch (kind) {
    case Kind::text:
    case Kind::birth_date:  // always ten characters
    case Kind::siren:       // nine
      return 16;
    case Kind::phone:
    case Kind::card:  // 12 to 19 digits
    case Kind::nir:
    case Kind::siret:
    case Kind::gps:  // two coordinates take 24 characters at most, and look like one
      return 32;
    case Kind::ip:    // the longest IPv6 text (39) and the header fit: the bucket hides the family
    case Kind::iban:  // 15 to 33 characters: the bucket hides the country
      return 48;
    case Kind::name:
    case Kind::email:
      return 64;
    case Kind::address:
      return 96;
    case Kind::url:
      return 128;
    case Kind::user_agent:
      return 256;  // the length of a user agent is part of the fingerprint
  }
  return kBuckets.front();
}

}  // namespace

std::size_t bucket_for(Kind kind, std::size_t value_size) noexcept {
  const std::size_t least = smallest_bucket(kind);
  const std::size_t needed = kFrameHeaderSize + value_size;
  if (needed <= least) return least;
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
