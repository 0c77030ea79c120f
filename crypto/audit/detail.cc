#include "crypto/audit/detail.h"

#include <algorithm>
#include <array>

#include "crypto/audit/tile_layout.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xchacha20_poly1305.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::size_t kSaltSize = 32;
constexpr std::size_t kBlock = 64;
constexpr std::size_t kSealedOverhead = kXchachaNonceSize + kXchachaTagSize;
constexpr std::size_t kTokenFieldSize = 4 + kSha256Size;
constexpr std::uint8_t kTokenTag = 9;
constexpr std::uint8_t kCredentialTag = 10;
// What fits into an entry of 65535 bytes beside the leaf (87 bytes).
constexpr std::size_t kMaxPlaintext = (kMaxEntrySize - 87 - kSealedOverhead) / kBlock * kBlock;

struct TextField {
  std::uint8_t tag;
  std::string AuditDetail::*member;
};

// In the order of their tags, which are never reused.
constexpr std::array<TextField, 8> kTextFields{{
    {1, &AuditDetail::operator_name},
    {2, &AuditDetail::role},
    {3, &AuditDetail::purpose},
    {4, &AuditDetail::reason},
    {5, &AuditDetail::subject},
    {6, &AuditDetail::object},
    {7, &AuditDetail::remark},
    {8, &AuditDetail::grant},
}};

std::string associated_data(std::string_view origin, ByteView public_part) {
  std::string ad = "paravent/v1/audit.detail";
  append_u8(ad, 0);
  append_lp(ad, origin);
  append_bytes(ad, public_part);
  return ad;
}

std::size_t encoded_size(const AuditDetail& detail) noexcept {
  std::size_t size = detail.tokens.size() * (3 + kTokenFieldSize);
  if (!detail.credential.empty()) size += 3 + detail.credential.size();
  for (const TextField& field : kTextFields) {
    const std::string& value = detail.*field.member;
    if (!value.empty()) size += 3 + value.size();
  }
  return size;
}

// Reads fields and leaves order and repetition to the comparison in decode_detail.
bool take_field(ByteView& rest, AuditDetail& detail) {
  if (rest.size() < 3) return false;
  const std::uint8_t tag = rest[0];
  const std::size_t size = std::size_t{rest[1]} << 8U | rest[2];
  if (rest.size() - 3 < size || size == 0) return false;
  const ByteView value = rest.subspan(3, size);
  rest = rest.subspan(3 + size);
  if (tag == kTokenTag) {
    if (size != kTokenFieldSize) return false;
    AuditToken token;
    token.key_id = load_u32be(value.data());
    std::copy(value.begin() + 4, value.end(), token.digest.begin());
    detail.tokens.push_back(token);
    return true;
  }
  if (tag == kCredentialTag) {
    detail.credential.assign(as_text(value));
    return true;
  }
  if (tag == 0 || tag > kTextFields.size()) return false;
  (detail.*kTextFields.at(tag - 1U).member).assign(as_text(value));
  return true;
}

}  // namespace

Status check_detail(const AuditDetail& detail) {
  const bool long_text = std::any_of(
      kTextFields.begin(), kTextFields.end(),
      [&](const TextField& field) { return (detail.*field.member).size() > kMaxDetailField; });
  if (long_text || detail.credential.size() > kMaxDetailField) {
    return Error(ErrorKind::usage, "A text in an audit entry exceeds 4096 bytes.");
  }
  if (detail.tokens.size() > kMaxDetailTokens ||
      kSaltSize + 2 + encoded_size(detail) > kMaxPlaintext) {
    return Error(ErrorKind::usage, "An audit entry names too many tokens.");
  }
  return {};
}

std::string encode_detail(const AuditDetail& detail, ByteView salt) {
  const std::size_t fields = encoded_size(detail);
  std::string out;
  out.reserve((kSaltSize + 2 + fields + kBlock - 1) / kBlock * kBlock);
  append_bytes(out, salt);
  append_u16be(out, static_cast<std::uint16_t>(fields));
  for (const TextField& field : kTextFields) {
    const std::string& value = detail.*field.member;
    if (value.empty()) continue;
    append_u8(out, field.tag);
    append_lp(out, value);
  }
  for (const AuditToken& token : detail.tokens) {
    append_u8(out, kTokenTag);
    append_u16be(out, kTokenFieldSize);
    append_u32be(out, token.key_id);
    append_bytes(out, token.digest);
  }
  if (!detail.credential.empty()) {
    append_u8(out, kCredentialTag);
    append_lp(out, detail.credential);
  }
  out.resize((out.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return out;
}

Result<AuditDetail> decode_detail(ByteView plaintext) {
  const Error bad = ErrorKind::malformed;
  if (plaintext.size() % kBlock != 0 || plaintext.size() < kSaltSize + 2) return bad;
  const std::size_t size = std::size_t{plaintext[kSaltSize]} << 8U | plaintext[kSaltSize + 1];
  if (plaintext.size() - kSaltSize - 2 < size) return bad;
  AuditDetail detail;
  ByteView rest = plaintext.subspan(kSaltSize + 2, size);
  while (!rest.empty()) {
    if (!take_field(rest, detail)) return bad;
  }
  if (!check_detail(detail)) return bad;
  // One spelling: order, repetition, padding and its amount are checked by writing it again.
  std::string again = encode_detail(detail, plaintext.first(kSaltSize));
  const bool same = again == as_text(plaintext);
  wipe(again);
  if (!same) return bad;
  return detail;
}

bool valid_sealed_detail_size(std::size_t size) noexcept {
  return size >= kSealedOverhead + kBlock && size <= kSealedOverhead + kMaxPlaintext &&
         (size - kSealedOverhead) % kBlock == 0;
}

Status seal_detail(ByteView key, std::string_view origin, ByteView public_part, ByteView plaintext,
                   std::string& out) {
  Bytes sealed(kXchachaNonceSize + plaintext.size() + kXchachaTagSize);
  const MutableBytes all(sealed);
  random_bytes(all.first(kXchachaNonceSize));
  const std::string ad = associated_data(origin, public_part);
  Status done = xchacha20_poly1305_seal(key, all.first(kXchachaNonceSize), as_bytes(ad), plaintext,
                                        all.subspan(kXchachaNonceSize));
  if (done) append_bytes(out, sealed);
  return done;
}

Result<std::string> open_detail(ByteView key, std::string_view origin, ByteView public_part,
                                ByteView sealed) {
  if (!valid_sealed_detail_size(sealed.size())) return Error(ErrorKind::malformed);
  std::string plaintext(sealed.size() - kSealedOverhead, '\0');
  const MutableBytes out(reinterpret_cast<std::uint8_t*>(plaintext.data()), plaintext.size());
  const std::string ad = associated_data(origin, public_part);
  Status opened = xchacha20_poly1305_open(key, sealed.first(kXchachaNonceSize), as_bytes(ad),
                                          sealed.subspan(kXchachaNonceSize), out);
  if (!opened) return opened.error();
  return plaintext;
}

}  // namespace paravent::crypto::audit
