#include "crypto/tokens/preserved_slot.h"

#include <array>
#include <span>
#include <utility>

#include "crypto/tokens/preserved_form.h"
#include "crypto/tokens/preserved_tweak.h"

namespace paravent::crypto {

Result<PreservedSlot> PreservedSlot::create(const ProtectionKey& key) {
  constexpr std::size_t kKeySize = 32;
  constexpr std::uint32_t kDecimal = 10;
  if (key.key.size() != kKeySize) return Error(ErrorKind::usage);
  auto cipher = Ff1::create(key.key.bytes(), kDecimal);
  if (!cipher) return cipher.error();
  return PreservedSlot(std::move(*cipher), preserved_tweak_prefix(key.ctx));
}

Status PreservedSlot::protect(const ProtectForm& form, std::string_view value, ProtectorTools&,
                              std::string& out) {
  ProtectForm rest = form;
  rest.shape = Shape::none;
  if (form.shape != Shape::preserve || !is_plain(rest) || !kind_preserves(form.kind)) {
    return Error(ErrorKind::usage);
  }
  if (value.size() > kMaxPreservedValue) return Error(ErrorKind::malformed);
  const std::size_t begin = out.size();
  out.append(value);
  const std::span<char> text(out.data() + begin, value.size());
  PreservedForm preserved;
  Status status = split_preserved(form.kind, PreservedSide::clear, text, preserved);
  if (status) {
    const PreservedTweak tweak = preserved_tweak(prefix_, preserved, {text.data(), text.size()});
    status = cipher_.encrypt(tweak, preserved.used(), preserved.used());
  }
  if (status) {
    join_preserved(preserved, PreservedSide::enciphered, text);
  } else {
    wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
    out.resize(begin);
  }
  wipe(preserved);
  return status;
}

}  // namespace paravent::crypto
