#include "crypto/tokens/preserved_slot.h"

#include <algorithm>
#include <span>
#include <utility>

#include "crypto/tokens/preserved_form.h"
#include "crypto/tokens/preserved_tweak.h"

namespace paravent::crypto {
namespace {

// Zeros stand for enciphered digits; a country code is the only other digit there is.
bool says_only_how_it_is_written(const PreservedForm& form, std::string_view clear_part) noexcept {
  constexpr std::string_view kSeparators = "0 .-/";
  return clear_part.find_first_not_of(kSeparators, form.clear_prefix) == std::string_view::npos;
}

}  // namespace

Result<PreservedSlot> PreservedSlot::create(const ProtectionKey& key) {
  constexpr std::size_t kKeySize = 32;
  constexpr std::uint32_t kDecimal = 10;
  if (key.key.size() != kKeySize) return Error(ErrorKind::usage);
  auto cipher = Ff1::create(key.key.bytes(), kDecimal);
  if (!cipher) return cipher.error();
  return PreservedSlot(std::move(*cipher), preserved_tweak_prefix(key.ctx));
}

PreservedTweak PreservedSlot::tweak_of(const PreservedForm& form,
                                       std::string_view clear_part) noexcept {
  if (kept_.size != 0 && kept_.clear_prefix == form.clear_prefix &&
      clear_part == std::string_view(kept_.clear_part.data(), kept_.size)) {
    return kept_.tweak;
  }
  const PreservedTweak tweak = preserved_tweak(prefix_, form, clear_part);
  if (clear_part.size() <= kept_.clear_part.size() &&
      says_only_how_it_is_written(form, clear_part)) {
    std::copy(clear_part.begin(), clear_part.end(), kept_.clear_part.begin());
    kept_.size = clear_part.size();
    kept_.clear_prefix = form.clear_prefix;
    kept_.tweak = tweak;
  }
  return tweak;
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
    const PreservedTweak tweak = tweak_of(preserved, {text.data(), text.size()});
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
