#include "crypto/primitives/self_test.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "crypto/base/encoding.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/aes_cmac.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/ff1.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/hpke.h"
#include "crypto/primitives/ipcrypt.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/sodium_ready.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/primitives/xchacha20_poly1305.h"

namespace paravent::crypto {
namespace {

// CVE-2024-4741: before 3.0.14 SSL_free_buffers() frees what is in use. CVE-2023-2975:
// before 3.0.10 empty associated data entries were ignored by AES-SIV.
constexpr unsigned long kOldestOpenssl = 0x300000e0UL;

// The constants below are ours; a bad one gives an empty string and therefore a failed test.
Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  return bytes ? std::move(*bytes) : Bytes{};
}

bool same(ByteView a, std::string_view expected_hex) {
  return equal_constant_time(a, hex(expected_hex));
}

// FIPS 180-4 example; RFC 4231 case 2.
bool sha256_right() {
  return same(sha256(as_bytes("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

bool hmac_right() {
  return same(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// RFC 5869 case 1.
bool hkdf_right() {
  const Sha256Digest prk = hkdf_extract_sha256(hex("000102030405060708090a0b0c"),
                                               hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"));
  std::array<std::uint8_t, 42> okm{};
  return hkdf_expand_sha256(prk, hex("f0f1f2f3f4f5f6f7f8f9"), okm) &&
         same(okm,
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b88718586"
              "5");
}

// NIST SP 800-38B example 10 (AES-256, 16 bytes).
bool cmac_right() {
  auto cmac =
      AesCmac::create(hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"));
  AesBlock tag{};
  return cmac && cmac->mac(hex("6bc1bee22e409f96e93d7e117393172a"), tag) &&
         same(tag, "28a7023f452e8f82bd4bf28d8c37c35c");
}

// Wycheproof aes_siv_cmac_test, tcId 303.
bool siv_right() {
  auto siv =
      AesSiv256::create(hex("27faf97fb303aa4f2f364edd23997f4c77b8e51ebb8293c59dfb1d24f0fb629f"
                            "6c820fc2d91bf48f0035eeec347e37ec4fb0cb36102bcdc5a248c47a2f97eab9"));
  if (!siv || !siv->set_ad(hex("cc94f64e14df90265f7f12a8a0386d0a"))) return false;
  const Bytes message = hex("6b1db0f5a43376885002dc98bd556f1dac9b66b66213a9fa6069df995a123384");
  Bytes sealed(message.size() + AesSiv256::kOverhead);
  Bytes opened(message.size());
  if (!siv->seal(message, sealed) ||
      !same(sealed,
            "d0016d675b49f11ea873707412d45709b7703a028a0cfc312cf61cbe22b91e3c"
            "f20b7d4c9308ee15f18b4eba00889284") ||
      !siv->open(sealed, opened) || opened != message) {
    return false;
  }
  sealed.back() ^= 1U;
  return !siv->open(sealed, opened) && opened == Bytes(message.size());
}

// C2SP XAES-256-GCM, second vector, through the back end that this machine will use and the other.
bool xaes_right(GcmBackend backend) {
  auto xaes = Xaes256Gcm::create(Bytes(32, 3), backend);
  if (!xaes) return false;
  const ByteView nonce = as_bytes("ABCDEFGHIJKLMNOPQRSTUVWX");
  const ByteView ad = as_bytes("c2sp.org/XAES-256-GCM");
  const ByteView message = as_bytes("XAES-256-GCM");
  Bytes sealed(message.size() + Xaes256Gcm::kTagSize);
  Bytes opened(message.size());
  if (!xaes->seal(nonce, ad, message, sealed) ||
      !same(sealed, "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d") ||
      !xaes->open(nonce, ad, sealed, opened) ||
      !std::equal(opened.begin(), opened.end(), message.begin())) {
    return false;
  }
  sealed.front() ^= 1U;
  return !xaes->open(nonce, ad, sealed, opened) && opened == Bytes(message.size());
}

// draft-arciszewski-xchacha A.3.1, the tag only: it covers the whole ciphertext.
bool xchacha_right() {
  const ByteView message = as_bytes(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.");
  const Bytes key = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const Bytes nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
  const Bytes ad = hex("50515253c0c1c2c3c4c5c6c7");
  Bytes sealed(message.size() + kXchachaTagSize);
  Bytes opened(message.size());
  if (!xchacha20_poly1305_seal(key, nonce, ad, message, sealed) ||
      !same(ByteView(sealed).last(kXchachaTagSize), "c0875924c1c7987947deafd8780acf49") ||
      !xchacha20_poly1305_open(key, nonce, ad, sealed, opened)) {
    return false;
  }
  sealed.back() ^= 1U;
  return !xchacha20_poly1305_open(key, nonce, ad, sealed, opened);
}

// RFC 8032 7.1, test 1.
bool ed25519_right() {
  const auto signer = Ed25519Signer::create(SecretBytes::copy_of(
      hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
  if (!signer || !same(signer->public_key(),
                       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")) {
    return false;
  }
  const Ed25519Signature signature = signer->sign({});
  return same(signature,
              "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
              "39"
              "701cf9b46bd25bf5f0595bbe24655141438e7a100b") &&
         ed25519_verify(signer->public_key(), {}, signature) &&
         !ed25519_verify(signer->public_key(), as_bytes("x"), signature);
}

// SP 800-38G samples 7 and 9 (AES-256): machine integers in one and in two AES blocks a round.
bool ff1_right(std::uint32_t radix, std::string_view tweak, std::string_view expected) {
  auto ff1 =
      Ff1::create(hex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94"), radix);
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::array<std::uint16_t, 19> digits{};
  const std::span<std::uint16_t> used(digits.data(), expected.size());
  for (std::size_t i = 0; i < used.size(); ++i) used[i] = static_cast<std::uint16_t>(i);
  if (!ff1 || !ff1->encrypt(hex(tweak), used, used)) return false;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (kDigits[used[i]] != expected[i]) return false;
  }
  if (!ff1->decrypt(hex(tweak), used, used)) return false;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] != i) return false;
  }
  return true;
}

// RFC 9180 A.2.1.1, the first message, both ends; the recipient's key pair from 7.1.3.
bool hpke_right() {
  const Bytes info = hex("4f6465206f6e2061204772656369616e2055726e");
  const Bytes aad = hex("436f756e742d30");
  const ByteView message = as_bytes("Beauty is truth, truth beauty");
  const auto recipient = hpke_derive_private_key(
      hex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df"));
  if (!recipient) return false;
  const auto public_key = x25519_public_key(recipient->bytes());
  Bytes enc(kHpkeEncapsulation);
  Bytes sealed(message.size() + kHpkeTagSize);
  Bytes opened(message.size());
  if (!public_key) return false;
  auto sender = HpkeContext::sender(
      *public_key, info, hex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600"),
      enc);
  if (!sender || !sender->seal(0, aad, message, sealed) ||
      !same(sealed,
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b5"
            "1a28") ||
      !hpke_open(recipient->bytes(), enc, info, aad, sealed, opened) ||
      !std::equal(opened.begin(), opened.end(), message.begin())) {
    return false;
  }
  sealed.front() ^= 1U;
  return !hpke_open(recipient->bytes(), enc, info, aad, sealed, opened) &&
         opened == Bytes(message.size());
}

// The draft's first vectors of each variant: 0.0.0.0.
bool ipcrypt_right() {
  const Bytes clear = hex("00000000000000000000ffff00000000");
  Bytes out(clear.size());
  auto fixed = IpcryptDeterministic::create(hex("0123456789abcdeffedcba9876543210"));
  auto pfx =
      IpcryptPfx::create(hex("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301"));
  auto ndx =
      IpcryptNdx::create(hex("0123456789abcdeffedcba98765432101032547698badcfeefcdab8967452301"));
  const Bytes tweak = hex("21bd1834bc088cd2b4ecbe30b70898d7");
  return fixed && pfx && ndx && fixed->encrypt(clear, out) &&
         same(out, "bde96789d353824cd7c6f58a6bd226eb") && fixed->decrypt(out, out) &&
         out == clear && pfx->encrypt(clear, out) &&
         same(out, "00000000000000000000ffff97529b86") && pfx->decrypt(out, out) && out == clear &&
         ndx->encrypt(tweak, clear, out) && same(out, "82db0d4125fdace61db35b8339f20ee5") &&
         ndx->decrypt(tweak, out, out) && out == clear;
}

// Not a test of quality: it sees a generator that does not answer at all.
bool random_alive() {
  std::array<std::uint8_t, 32> first{};
  std::array<std::uint8_t, 32> second{};
  random_bytes(first);
  random_bytes(second);
  return first != second;
}

struct KnownAnswer {
  std::string_view part;
  bool (*right)();
};

constexpr KnownAnswer kKnownAnswers[] = {
    {"SHA-256", sha256_right},
    {"HMAC-SHA-256", hmac_right},
    {"HKDF-SHA-256", hkdf_right},
    {"AES-256-CMAC", cmac_right},
    {"AES-256-SIV", siv_right},
    {"XAES-256-GCM", [] { return xaes_right(GcmBackend::automatic); }},
    {"XAES-256-GCM through OpenSSL", [] { return xaes_right(GcmBackend::openssl); }},
    {"XChaCha20-Poly1305", xchacha_right},
    {"Ed25519", ed25519_right},
    {"FF1", [] { return ff1_right(10, "", "6657667009"); }},
    {"FF1 with a tweak",
     [] { return ff1_right(36, "3737373770717273373737", "xs8a0azh2avyalyzuwd"); }},
    {"X25519 and HPKE", hpke_right},
    {"ipcrypt", ipcrypt_right},
    {"the kernel's random generator", random_alive},
};

}  // namespace

Status run_self_tests() {
  if (OpenSSL_version_num() < kOldestOpenssl) {
    return Error(ErrorKind::verification,
                 std::string("This OpenSSL is too old (") +
                     OpenSSL_version(OPENSSL_VERSION_STRING) +
                     "); install the security updates: 3.0.14 or later is needed.");
  }
  require_sodium();
  for (const KnownAnswer& answer : kKnownAnswers) {
    if (!answer.right()) {
      return Error(ErrorKind::verification,
                   "The self-test of " + std::string(answer.part) +
                       " failed; the installed cryptographic libraries must not be used.");
    }
  }
  return {};
}

}  // namespace paravent::crypto
