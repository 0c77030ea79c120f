#include "crypto/vault/engine/reverse/open_preserved.h"

#include <span>

#include "crypto/primitives/ff1.h"
#include "crypto/tokens/preserved_form.h"
#include "crypto/tokens/preserved_tweak.h"

namespace paravent::crypto::vault {

Result<SecretBytes> open_preserved(ByteView key, std::string_view ctx, Kind kind,
                                   std::string_view value) {
  constexpr std::size_t kKeySize = 32;
  constexpr std::uint32_t kDecimal = 10;
  const Error unavailable(ErrorKind::refused);
  if (!kind_preserves(kind) || value.empty() || value.size() > kMaxPreservedValue ||
      key.size() != kKeySize) {
    return unavailable;
  }
  auto cipher = Ff1::create(key, kDecimal);
  if (!cipher) return unavailable;
  SecretBytes opened = SecretBytes::copy_of(value);
  const std::span<char> text(reinterpret_cast<char*>(opened.mutable_bytes().data()), opened.size());
  PreservedForm form;
  Status status = split_preserved(kind, PreservedSide::enciphered, text, form);
  if (status) {
    const auto tweak =
        preserved_tweak(preserved_tweak_prefix(ctx), form, {text.data(), text.size()});
    status = cipher->decrypt(tweak, form.used(), form.used());
  }
  if (status) join_preserved(form, PreservedSide::clear, text);
  wipe(form);
  if (!status) return unavailable;
  return opened;
}

}  // namespace paravent::crypto::vault
