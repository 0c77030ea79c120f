#include "crypto/primitives/aes_block.h"

namespace paravent::crypto {
namespace {

// nullptr: no AES key has this size.
const char* ecb_of(std::size_t key_size) noexcept {
  switch (key_size) {
    case 16:
      return "AES-128-ECB";
    case 24:
      return "AES-192-ECB";
    case 32:
      return "AES-256-ECB";
    default:
      return nullptr;
  }
}

}  // namespace

Result<AesBlocks> AesBlocks::create(ByteView key) {
  const char* cipher = ecb_of(key.size());
  if (cipher == nullptr) return Error(ErrorKind::usage);
  auto context = make_encrypt_context(cipher, key);
  if (!context) return context.error();
  return AesBlocks(std::move(*context));
}

Status AesBlocks::encrypt(ByteView in, MutableBytes out) noexcept {
  if (in.size() != out.size() || in.size() % kAesBlockSize != 0 ||
      !encrypt_update(context_.get(), in, out.data())) {
    return Error(ErrorKind::internal);
  }
  return {};
}

Result<AesInverse> AesInverse::create(ByteView key) {
  const char* cipher = ecb_of(key.size());
  if (cipher == nullptr) return Error(ErrorKind::usage);
  auto context = make_decrypt_context(cipher, key);
  if (!context) return context.error();
  return AesInverse(std::move(*context));
}

Status AesInverse::decrypt(ByteView in, MutableBytes out) noexcept {
  if (in.size() != out.size() || in.size() % kAesBlockSize != 0 ||
      !decrypt_update(context_.get(), in, out.data())) {
    return Error(ErrorKind::internal);
  }
  return {};
}

AesBlock doubled(const AesBlock& block) noexcept {
  AesBlock result{};
  unsigned carry = 0;
  for (std::size_t i = block.size(); i-- > 0;) {
    const unsigned shifted = (static_cast<unsigned>(block[i]) << 1U) | carry;
    result[i] = static_cast<std::uint8_t>(shifted);
    carry = shifted >> 8U;
  }
  // 0x87 when the top bit fell out, 0 otherwise, without a branch.
  result[15] = static_cast<std::uint8_t>(result[15] ^ (0x87U & (0U - carry)));
  return result;
}

}  // namespace paravent::crypto
