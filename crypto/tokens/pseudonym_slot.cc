#include "crypto/tokens/pseudonym_slot.h"

#include <array>
#include <cstring>

#include "crypto/tokens/shape_text.h"
#include "crypto/tokens/token_format.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {
namespace {

// What stands in the place of a shape for number(): never the number of a shape.
constexpr std::uint8_t kNumberMark = 0xFF;

// The bytes around the value in the MAC's input, after LP(ctx):
// [LP(scope id)] | u16be length | value | [u8 shape | u8 length] | [u8 bits]
// A tail of 0, 1, 2 or 3 bytes says by its size alone which parts it has.
struct Framing {
  std::array<std::uint8_t, 2 + sizeof(ScopeId) + 2> head;
  std::size_t head_size = 0;
  std::array<std::uint8_t, 3> tail;
  std::size_t tail_size = 0;
};

Framing framing_of(const ProtectForm& form, std::size_t value_size) noexcept {
  Framing framing;
  auto& head = framing.head;
  if (form.scope != Scope::person) {
    head[0] = 0;
    head[1] = sizeof(ScopeId);
    std::memcpy(head.data() + 2, form.scope_id.data(), sizeof(ScopeId));
    framing.head_size = 2 + sizeof(ScopeId);
  }
  head[framing.head_size++] = static_cast<std::uint8_t>(value_size >> 8U);
  head[framing.head_size++] = static_cast<std::uint8_t>(value_size);
  // E-mail is a spelling of the token, not another surrogate.
  if (form.shape != Shape::none && form.shape != Shape::email) {
    framing.tail[framing.tail_size++] = static_cast<std::uint8_t>(form.shape);
    framing.tail[framing.tail_size++] = effective_shape_length(form.shape, form.length);
  }
  if (form.bits != 0) framing.tail[framing.tail_size++] = form.bits;
  return framing;
}

bool is_token_text(Shape shape) noexcept { return shape == Shape::none || shape == Shape::email; }

bool form_allowed(const ProtectForm& form) noexcept {
  if (is_token_text(form.shape)) return form.length == 0 && form.bits < kPseudonymSize * 8;
  return form.bits == 0 && is_shape_drawn(form.shape, form.length);
}

void keep_bits(std::uint8_t* bytes, std::size_t bits) noexcept {
  std::size_t at = bits / 8;
  if (bits % 8 != 0) {
    bytes[at] = static_cast<std::uint8_t>(bytes[at] & (0xFF00U >> (bits % 8)));
    ++at;
  }
  std::memset(bytes + at, 0, kPseudonymSize - at);
}

}  // namespace

Result<PseudonymSlot> PseudonymSlot::create(const ProtectionKey& key) {
  constexpr std::size_t kPseudonymKeySize = 32;
  if (key.key.size() != kPseudonymKeySize) return Error(ErrorKind::usage);
  std::string prefix;
  append_lp(prefix, key.ctx);
  return PseudonymSlot(token_header(key.key_id, key.algorithm),
                       HmacSha256(key.key.bytes()).with_prefix(as_bytes(prefix)));
}

Status PseudonymSlot::protect(const ProtectForm& form, std::string_view value, ProtectorTools&,
                              std::string& out) const {
  if (value.size() > kMaxPseudonymValue) return Error(ErrorKind::malformed);
  if (!form_allowed(form)) return Error(ErrorKind::usage);
  const Framing framing = framing_of(form, value.size());
  const Sha256Digest digest =
      mac_.mac({ByteView(framing.head).first(framing.head_size), as_bytes(value),
                ByteView(framing.tail).first(framing.tail_size)});
  if (!is_token_text(form.shape)) {
    append_shape(form.shape, form.length, digest, out);
    return {};
  }
  std::array<std::uint8_t, kTokenHeaderSize + kPseudonymSize> body;
  std::memcpy(body.data(), header_.data(), kTokenHeaderSize);
  std::memcpy(body.data() + kTokenHeaderSize, digest.data(), kPseudonymSize);
  if (form.bits != 0) keep_bits(body.data() + kTokenHeaderSize, form.bits);
  write_short_token(TokenClass::pseudonym, body, out);
  return {};
}

Result<std::uint64_t> PseudonymSlot::number(std::string_view value) const {
  if (value.empty() || value.size() > kMaxPseudonymValue) return Error(ErrorKind::malformed);
  const Framing framing = framing_of({}, value.size());
  constexpr std::array<std::uint8_t, 2> kTail = {kNumberMark, 0};
  const Sha256Digest digest =
      mac_.mac({ByteView(framing.head).first(framing.head_size), as_bytes(value), kTail});
  return (std::uint64_t{load_u32be(digest.data())} << 32U) | load_u32be(digest.data() + 4);
}

}  // namespace paravent::crypto
