#include "crypto/audit/leaf.h"

#include <algorithm>

#include "crypto/audit/detail.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::string_view kMagic = "PVA1";
constexpr std::uint64_t kMaxTime = 253402300799999;  // 9999-12-31T23:59:59.999Z

std::uint64_t load_u64be(const std::uint8_t* p) noexcept {
  return std::uint64_t{load_u32be(p)} << 32U | load_u32be(p + 4);
}

Hash load_hash(const std::uint8_t* p) noexcept {
  Hash hash;
  std::copy_n(p, hash.size(), hash.begin());
  return hash;
}

}  // namespace

void append_public_part(std::string& out, const PublicPart& part) {
  out.append(kMagic);
  append_u64be(out, static_cast<std::uint64_t>(part.time.time_since_epoch().count()));
  append_u64be(out, part.sequence);
  append_u16be(out, static_cast<std::uint16_t>(part.event));
  append_u8(out, static_cast<std::uint8_t>(part.outcome));
}

void append_leaf(std::string& out, const Leaf& leaf) {
  append_public_part(out, leaf.open);
  append_bytes(out, leaf.detail_commitment);
  append_bytes(out, leaf.ciphertext_hash);
}

Result<Leaf> decode_leaf(ByteView bytes) {
  const auto fault = [](const char* what) { return Error(ErrorKind::malformed, what); };
  if (bytes.size() != kLeafSize) return fault("a leaf has another size");
  const std::uint8_t* const p = bytes.data();
  if (as_text(bytes.first(kMagic.size())) != kMagic) return fault("an entry begins otherwise");
  Leaf leaf;
  const std::uint64_t time = load_u64be(p + 4);
  if (time > kMaxTime) return fault("the time of an entry is out of range");
  leaf.open.time = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(time)));
  leaf.open.sequence = load_u64be(p + 12);
  const auto event_number = static_cast<std::uint16_t>(p[20] << 8U | p[21]);
  const auto event = event_from_number(event_number);
  const auto outcome = outcome_from_number(p[22]);
  if (!event || !outcome) return fault("an entry is of an unknown kind");
  leaf.open.event = *event;
  leaf.open.outcome = *outcome;
  leaf.detail_commitment = load_hash(p + kPublicPartSize);
  leaf.ciphertext_hash = load_hash(p + kPublicPartSize + kSha256Size);
  return leaf;
}

Result<DecodedEntry> decode_entry(ByteView entry) {
  if (entry.size() < kLeafSize || !valid_sealed_detail_size(entry.size() - kLeafSize)) {
    return Error(ErrorKind::malformed, "an entry cannot have this size");
  }
  const Result<Leaf> leaf = decode_leaf(entry.first(kLeafSize));
  if (!leaf) return leaf.error();
  DecodedEntry decoded{*leaf, entry.first(kLeafSize), entry.subspan(kLeafSize)};
  if (sha256(decoded.encrypted_detail) != decoded.leaf.ciphertext_hash) {
    return Error(ErrorKind::malformed, "the detail of an entry does not match its leaf");
  }
  return decoded;
}

}  // namespace paravent::crypto::audit
