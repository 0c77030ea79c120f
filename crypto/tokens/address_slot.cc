#include "crypto/tokens/address_slot.h"

#include <array>
#include <cstring>
#include <utility>

#include "crypto/base/ip_address.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {
namespace {

// A slot's algorithm and form fit: only what is as long as an address has a literal.
bool form_allowed(const ProtectForm& form, bool fits_an_address) noexcept {
  ProtectForm rest = form;
  rest.shape = Shape::none;
  const bool shape_allowed =
      form.shape == Shape::none || (form.shape == Shape::ip && fits_an_address);
  return shape_allowed && is_plain(rest);
}

template <typename Cipher, typename Variant>
Result<Variant> cipher_of(const ProtectionKey& key) {
  auto cipher = Cipher::create(key.key.bytes());
  if (!cipher) return cipher.error();
  return Variant(std::move(*cipher));
}

}  // namespace

Result<AddressSlot> AddressSlot::create(const ProtectionKey& key) {
  const auto make = [&]() -> Result<Cipher> {
    switch (key.algorithm) {
      case Algorithm::address:
        return cipher_of<IpcryptDeterministic, Cipher>(key);
      case Algorithm::address_prefix:
        return cipher_of<IpcryptPfx, Cipher>(key);
      case Algorithm::address_random:
        return cipher_of<IpcryptNdx, Cipher>(key);
      default:
        return Error(ErrorKind::usage);
    }
  };
  auto cipher = make();
  if (!cipher) return cipher.error();
  return AddressSlot(token_header(key.key_id, key.algorithm), std::move(*cipher));
}

Status AddressSlot::protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                            std::string& out) {
  auto* random = std::get_if<IpcryptNdx>(&cipher_);
  if (!form_allowed(form, random == nullptr)) return Error(ErrorKind::usage);
  IpAddress address;
  if (Status status = parse_ip(value, address); !status) return status;

  std::array<std::uint8_t, kTokenHeaderSize + kAddressRandomSize> memory;
  const MutableBytes body = MutableBytes(memory).first(
      kTokenHeaderSize + (random != nullptr ? kAddressRandomSize : kAddressSize));
  std::memcpy(body.data(), header_.data(), kTokenHeaderSize);
  const MutableBytes payload = body.subspan(kTokenHeaderSize);
  Status status;
  if (random != nullptr) {
    const MutableBytes tweak = payload.first(kAddressSize);
    tools.random->fill(tweak);
    status = random->encrypt(tweak, address, payload.subspan(kAddressSize));
  } else if (auto* prefix = std::get_if<IpcryptPfx>(&cipher_)) {
    status = prefix->encrypt(address, payload);
  } else {
    status = std::get_if<IpcryptDeterministic>(&cipher_)->encrypt(address, payload);
  }
  wipe(address);
  if (!status) return status;
  if (form.shape == Shape::ip) {
    IpAddress literal;
    std::memcpy(literal.data(), payload.data(), literal.size());
    append_ip(literal, out);
  } else {
    write_short_token(TokenClass::address, body, out);
  }
  return {};
}

}  // namespace paravent::crypto
