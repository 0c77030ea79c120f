#include "crypto/vault/engine/reverse/open_address.h"

#include <array>

#include "crypto/base/bytes.h"
#include "crypto/base/ip_address.h"
#include "crypto/primitives/ipcrypt.h"
#include "crypto/tokens/token_format.h"

namespace paravent::crypto::vault {
namespace {

Error unavailable() noexcept { return Error(ErrorKind::refused); }

SecretBytes text_of(IpAddress& address) {
  std::array<char, kMaxIpText> text;
  const std::size_t size = write_ip(address, text);
  SecretBytes value = SecretBytes::copy_of(std::string_view(text.data(), size));
  wipe(address);
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  return value;
}

template <typename Cipher>
Result<SecretBytes> open_block(const ProtectionKey& key, ByteView block) {
  auto cipher = Cipher::create(key.key.bytes());
  IpAddress address{};
  if (!cipher || !cipher->decrypt(block, address)) return unavailable();
  return text_of(address);
}

Result<SecretBytes> open_random(const ProtectionKey& key, ByteView payload) {
  auto cipher = IpcryptNdx::create(key.key.bytes());
  IpAddress address{};
  if (!cipher ||
      !cipher->decrypt(payload.first(kAddressSize), payload.subspan(kAddressSize), address)) {
    return unavailable();
  }
  return text_of(address);
}

}  // namespace

Result<SecretBytes> open_address(const ProtectionKey& key, const ParsedToken& token) {
  if (token.algorithm != key.algorithm || token.key_id != key.key_id) return unavailable();
  const ByteView payload(token.payload);
  switch (key.algorithm) {
    case Algorithm::address:
      if (payload.size() != kAddressSize) break;
      return open_block<IpcryptDeterministic>(key, payload);
    case Algorithm::address_prefix:
      if (payload.size() != kAddressSize) break;
      return open_block<IpcryptPfx>(key, payload);
    case Algorithm::address_random:
      if (payload.size() != kAddressRandomSize) break;
      return open_random(key, payload);
    default:
      break;
  }
  return unavailable();
}

Result<SecretBytes> open_address_literal(const ProtectionKey& key, std::string_view text) {
  IpAddress block;
  if (!parse_ip(text, block)) return unavailable();
  if (key.algorithm == Algorithm::address) return open_block<IpcryptDeterministic>(key, block);
  if (key.algorithm == Algorithm::address_prefix) return open_block<IpcryptPfx>(key, block);
  return unavailable();
}

}  // namespace paravent::crypto::vault
