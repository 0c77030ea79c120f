#include "crypto/primitives/xaes_gcm.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/sodium_ready.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kGcmNonceSize = 12;

bool update_all(EVP_CIPHER_CTX* gcm, bool seal, std::uint8_t* out, ByteView in) noexcept {
  if (in.empty()) return true;
  const int size = static_cast<int>(in.size());
  int written = 0;
  const int ok = seal ? EVP_EncryptUpdate(gcm, out, &written, in.data(), size)
                      : EVP_DecryptUpdate(gcm, out, &written, in.data(), size);
  return ok == 1 && written == size;
}

bool openssl_seal(EVP_CIPHER_CTX* gcm, ByteView key, ByteView nonce, ByteView ad,
                  ByteView plaintext, MutableBytes out) noexcept {
  int written = 0;
  const bool sealed =
      EVP_EncryptInit_ex2(gcm, nullptr, key.data(), nonce.data(), nullptr) == 1 &&
      update_all(gcm, true, nullptr, ad) && update_all(gcm, true, out.data(), plaintext) &&
      EVP_EncryptFinal_ex(gcm, out.data() + plaintext.size(), &written) == 1 && written == 0 &&
      EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, Xaes256Gcm::kTagSize,
                          out.data() + plaintext.size()) == 1;
  if (!sealed) ERR_clear_error();
  return sealed;
}

bool openssl_open(EVP_CIPHER_CTX* gcm, ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                  MutableBytes plaintext) noexcept {
  std::array<std::uint8_t, Xaes256Gcm::kTagSize> tag{};
  std::copy(sealed.end() - Xaes256Gcm::kTagSize, sealed.end(), tag.begin());
  std::array<std::uint8_t, kAesBlockSize> nothing{};
  int written = 0;
  const bool opened =
      EVP_DecryptInit_ex2(gcm, nullptr, key.data(), nonce.data(), nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, Xaes256Gcm::kTagSize, tag.data()) == 1 &&
      update_all(gcm, false, nullptr, ad) &&
      update_all(gcm, false, plaintext.data(), sealed.first(plaintext.size())) &&
      EVP_DecryptFinal_ex(gcm, nothing.data(), &written) == 1 && written == 0;
  if (!opened) ERR_clear_error();
  return opened;
}

}  // namespace

Xaes256Gcm::Xaes256Gcm(AesBlocks blocks, EvpContext gcm, const AesBlock& subkey1,
                       GcmBackend backend) noexcept
    : blocks_(std::move(blocks)), gcm_(std::move(gcm)), subkey1_(subkey1), backend_(backend) {}

Xaes256Gcm::~Xaes256Gcm() { wipe(subkey1_); }

Result<Xaes256Gcm> Xaes256Gcm::create(ByteView key, GcmBackend backend) {
  if (key.size() != kKeySize) return Error(ErrorKind::usage);
  require_sodium();
  const bool available = crypto_aead_aes256gcm_is_available() == 1;
  if (backend == GcmBackend::sodium && !available) return Error(ErrorKind::usage);
  if (backend == GcmBackend::automatic) {
    backend = available ? GcmBackend::sodium : GcmBackend::openssl;
  }
  auto blocks = AesBlocks::create(key);
  if (!blocks) return blocks.error();
  EvpContext gcm;
  if (backend == GcmBackend::openssl) {
    auto made = make_encrypt_context("AES-256-GCM", key);
    if (!made) return made.error();
    gcm = std::move(*made);
  }
  AesBlock zero_encrypted{};
  if (auto status = blocks->encrypt(zero_encrypted, zero_encrypted); !status) return status.error();
  Xaes256Gcm xaes(std::move(*blocks), std::move(gcm), doubled(zero_encrypted), backend);
  wipe(zero_encrypted);
  return xaes;
}

// The NIST SP 800-108 counter-mode KDF with CMAC, whose messages are one block each:
// 0x00 | i | 'X' | 0x00 | nonce[0..12) for i = 1, 2.
Status Xaes256Gcm::derive(ByteView nonce, Subkey& subkey) noexcept {
  for (std::size_t i = 0; i < 2; ++i) {
    std::uint8_t* block = subkey.data() + i * kAesBlockSize;
    block[0] = 0;
    block[1] = static_cast<std::uint8_t>(i + 1);
    block[2] = 'X';
    block[3] = 0;
    std::memcpy(block + 4, nonce.data(), kGcmNonceSize);
    xor_into(block, subkey1_.data(), kAesBlockSize);
  }
  return blocks_.encrypt(subkey, subkey);
}

Status Xaes256Gcm::seal(ByteView nonce, ByteView ad, ByteView plaintext,
                        MutableBytes out) noexcept {
  if (nonce.size() != kNonceSize || plaintext.size() > kMaxPlaintext || ad.size() > kMaxPlaintext ||
      out.size() != plaintext.size() + kTagSize) {
    return Error(ErrorKind::usage);
  }
  Subkey subkey{};
  Status status = derive(nonce, subkey);
  const ByteView gcm_nonce = nonce.subspan(kGcmNonceSize);
  if (status) {
    const bool sealed =
        backend_ == GcmBackend::sodium
            ? crypto_aead_aes256gcm_encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(),
                                            ad.data(), ad.size(), nullptr, gcm_nonce.data(),
                                            subkey.data()) == 0
            : openssl_seal(gcm_.get(), subkey, gcm_nonce, ad, plaintext, out);
    if (!sealed) status = Error(ErrorKind::internal);
  }
  wipe(subkey);
  if (!status) wipe(out);
  return status;
}

Status Xaes256Gcm::open(ByteView nonce, ByteView ad, ByteView sealed,
                        MutableBytes plaintext) noexcept {
  if (nonce.size() != kNonceSize || sealed.size() < kTagSize || ad.size() > kMaxPlaintext ||
      sealed.size() > kMaxPlaintext + kTagSize || plaintext.size() != sealed.size() - kTagSize) {
    wipe(plaintext);
    return Error(ErrorKind::malformed);
  }
  Subkey subkey{};
  Status status = derive(nonce, subkey);
  const ByteView gcm_nonce = nonce.subspan(kGcmNonceSize);
  if (status) {
    const bool opened = backend_ == GcmBackend::sodium
                            ? crypto_aead_aes256gcm_decrypt(
                                  plaintext.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                  ad.data(), ad.size(), gcm_nonce.data(), subkey.data()) == 0
                            : openssl_open(gcm_.get(), subkey, gcm_nonce, ad, sealed, plaintext);
    if (!opened) status = Error(ErrorKind::malformed);
  }
  wipe(subkey);
  if (!status) wipe(plaintext);
  return status;
}

}  // namespace paravent::crypto
