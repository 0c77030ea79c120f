// The speed of the transformations beside what they stand on: for each, the whole work on one field
// with its text (`targets/NAME`), the text alone on bytes of the same length (`.../text`), the
// primitive in a loop of its own (`.../primitive`), and in a loop of their own the library calls
// that the primitive cannot do without, on kept contexts (`.../library`). micro_targets.py makes
// the table.
//
// The field is 32 bytes, as an e-mail address (frame of 64) or a text (frame of 48); the preserved
// number has 16 digits, the address is IPv4.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "bench/micro/micro_support.h"
#include "crypto/base/bytes.h"
#include "crypto/base/encoding.h"
#include "crypto/keys/context_row.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/ff1.h"
#include "crypto/primitives/hedged_nonce.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/ipcrypt.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/sha256.h"
#include "crypto/primitives/x25519.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/preserved_form.h"
#include "crypto/tokens/preserved_tweak.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/recipient_key.h"
#include "crypto/tokens/token_format.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace {

namespace crypto = paravent::crypto;
using crypto::Algorithm;
using crypto::Kind;
using paravent::bench::require;

constexpr std::array<std::uint8_t, 32> kParent = {7};
constexpr std::string_view kEmail = "marie.dupont.2026@example.com...";
constexpr std::string_view kNumber = "4111111111111111";
static_assert(kEmail.size() == 32 && kNumber.size() == 16);

struct EvpFree {
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  void operator()(EVP_MAC* p) const { EVP_MAC_free(p); }
  void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, EvpFree>;

Cipher cipher_of(const EVP_CIPHER* cipher) {
  Cipher context(EVP_CIPHER_CTX_new());
  const std::array<std::uint8_t, 16> zero{};
  require(EVP_EncryptInit_ex2(context.get(), cipher, kParent.data(), zero.data(), nullptr) == 1);
  require(EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1);
  return context;
}

void update(const Cipher& context, std::uint8_t* bytes, int size) {
  int written = 0;
  require(EVP_EncryptUpdate(context.get(), bytes, &written, bytes, size) == 1);
}

crypto::ContextRow row_of(Algorithm algorithm) {
  crypto::ContextRow row;
  row.key_id = 0x01020304;
  row.tenant_id = std::string(crypto::kContextIdSize, 't');
  row.domain_id = std::string(crypto::kContextIdSize, 'd');
  row.purpose_id = std::string(crypto::kContextIdSize, 'p');
  row.space_id = std::string(crypto::kContextIdSize, 's');
  row.algorithm = algorithm;
  return row;
}

// ------------------------------------------------------------------------------------- the whole

void whole(benchmark::State& state, Algorithm algorithm, const crypto::ProtectForm& form,
           std::string_view value) {
  const auto recipient = crypto::x25519_public_key(kParent);
  require(recipient.has_value());
  auto key = crypto::make_protection_key(row_of(algorithm), kParent, *recipient);
  require(key.has_value());
  auto protector = crypto::FieldProtector::create(std::span<const crypto::ProtectionKey>(&*key, 1));
  require(protector.has_value());
  std::string out;
  for (auto _ : state) {
    out.clear();
    require((*protector)->protect(0, form, value, out).has_value());
    benchmark::DoNotOptimize(out.data());
  }
}

constexpr crypto::ProtectForm kEmailForm = {.kind = Kind::email};
constexpr crypto::ProtectForm kTextForm = {.kind = Kind::text};
constexpr crypto::ProtectForm kNumberForm = {.kind = Kind::text, .shape = crypto::Shape::preserve};

void derived(benchmark::State& state) { whole(state, Algorithm::derived, kEmailForm, kEmail); }
void pseudonym(benchmark::State& state) { whole(state, Algorithm::pseudonym, kEmailForm, kEmail); }
void encrypted(benchmark::State& state) { whole(state, Algorithm::encrypted, kTextForm, kEmail); }
void sealed(benchmark::State& state) { whole(state, Algorithm::sealed, kTextForm, kEmail); }
void preserved(benchmark::State& state) {
  whole(state, Algorithm::format_preserving, kNumberForm, kNumber);
}
BENCHMARK(derived)->Name("targets/derived");
BENCHMARK(pseudonym)->Name("targets/pseudonym");
BENCHMARK(encrypted)->Name("targets/encrypted");
BENCHMARK(sealed)->Name("targets/sealed");
BENCHMARK(preserved)->Name("targets/preserved");

// The text of an address is excluded from its target: the construction itself.
void ipcrypt(benchmark::State& state) {
  auto cipher = crypto::IpcryptDeterministic::create(crypto::ByteView(kParent).first(16));
  require(cipher.has_value());
  crypto::AesBlock address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  for (auto _ : state) {
    require(cipher->encrypt(address, address).has_value());
    benchmark::DoNotOptimize(address);
  }
}
BENCHMARK(ipcrypt)->Name("targets/ipcrypt");

// -------------------------------------------------------------------------------- the text alone

void short_text(benchmark::State& state, crypto::TokenClass token_class, std::size_t payload) {
  const crypto::Bytes body(crypto::kTokenHeaderSize + payload, 0x5a);
  std::string out;
  for (auto _ : state) {
    out.clear();
    crypto::write_short_token(token_class, body, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void long_text(benchmark::State& state, crypto::TokenClass token_class, std::size_t payload) {
  crypto::Bytes body(crypto::kTokenHeaderSize + payload + crypto::kCrcSize, 0x5a);
  std::string out;
  for (auto _ : state) {
    out.clear();
    crypto::write_long_token(token_class, body, out);
    benchmark::DoNotOptimize(out.data());
  }
}

constexpr std::size_t kTextSealed = crypto::kNonceSize + 48 + crypto::kTagSize;

void derived_text(benchmark::State& state) {
  short_text(state, crypto::TokenClass::derived, crypto::kSivSize + 64);
}
void pseudonym_text(benchmark::State& state) {
  short_text(state, crypto::TokenClass::pseudonym, crypto::kPseudonymSize);
}
void encrypted_text(benchmark::State& state) {
  long_text(state, crypto::TokenClass::encrypted, kTextSealed);
}
void sealed_text(benchmark::State& state) {
  long_text(state, crypto::TokenClass::sealed, crypto::kEncapsulationSize + kTextSealed);
}
// Digits out of the text and into it again.
void preserved_text(benchmark::State& state) {
  std::string text;
  crypto::PreservedForm form;
  for (auto _ : state) {
    text.assign(kNumber);
    require(
        crypto::split_preserved(Kind::text, crypto::PreservedSide::clear, text, form).has_value());
    crypto::join_preserved(form, crypto::PreservedSide::enciphered, text);
    crypto::wipe(form);
    benchmark::DoNotOptimize(text.data());
  }
}
BENCHMARK(derived_text)->Name("targets/derived/text");
BENCHMARK(pseudonym_text)->Name("targets/pseudonym/text");
BENCHMARK(encrypted_text)->Name("targets/encrypted/text");
BENCHMARK(sealed_text)->Name("targets/sealed/text");
BENCHMARK(preserved_text)->Name("targets/preserved/text");

// ----------------------------------------------------------------------------- the primitive alone

std::string header_and_context(Algorithm algorithm) {
  return crypto::token_ad(1, algorithm, crypto::context_string(row_of(algorithm)));
}

void derived_primitive(benchmark::State& state) {
  crypto::Bytes key(crypto::AesSiv256::kKeySize, 1);
  key[0] = 2;
  auto siv = crypto::AesSiv256::create(key);
  require(siv.has_value() &&
          siv->set_ad(crypto::as_bytes(header_and_context(Algorithm::derived))).has_value());
  std::array<std::uint8_t, crypto::kSivSize + 64> out = {1};
  const auto frame = crypto::MutableBytes(out).subspan(crypto::kSivSize);
  for (auto _ : state) {
    require(siv->seal(frame, out).has_value());
    benchmark::DoNotOptimize(out);
  }
}

void pseudonym_primitive(benchmark::State& state) {
  std::string prefix;
  crypto::append_lp(prefix, crypto::context_string(row_of(Algorithm::pseudonym)));
  const auto mac = crypto::HmacSha256(kParent).with_prefix(crypto::as_bytes(prefix));
  const std::array<std::uint8_t, 34> value = {0, 32};
  for (auto _ : state) benchmark::DoNotOptimize(mac.mac(value));
}

// Hedged nonce and XAES-256-GCM.
void xaes_primitive(benchmark::State& state, std::string_view hedge_prefix) {
  auto xaes = crypto::Xaes256Gcm::create(kParent);
  auto hedge = crypto::HedgedNonce::create(kParent, crypto::as_bytes(hedge_prefix));
  require(xaes.has_value() && hedge.has_value());
  const std::string ad = header_and_context(Algorithm::encrypted);
  crypto::RandomBuffer random;
  std::array<std::uint8_t, crypto::kNonceSize> nonce{};
  std::array<std::uint8_t, 48 + crypto::kTagSize> out = {1};
  const auto frame = crypto::MutableBytes(out).first(48);
  for (auto _ : state) {
    require(hedge->next(frame, random, nonce).has_value());
    require(xaes->seal(nonce, crypto::as_bytes(ad), frame, out).has_value());
    benchmark::DoNotOptimize(out);
  }
}
void encrypted_primitive(benchmark::State& state) {
  xaes_primitive(state, crypto::context_string(row_of(Algorithm::encrypted)));
}
void sealed_primitive(benchmark::State& state) {
  xaes_primitive(state, crypto::content_key_info(kParent));
}

void preserved_primitive(benchmark::State& state) {
  auto cipher = crypto::Ff1::create(kParent, 10);
  require(cipher.has_value());
  std::array<std::uint16_t, kNumber.size()> digits = {4, 1};
  const crypto::PreservedTweak tweak = {1};
  for (auto _ : state) {
    require(cipher->encrypt(tweak, digits, digits).has_value());
    benchmark::DoNotOptimize(digits);
  }
}

BENCHMARK(derived_primitive)->Name("targets/derived/primitive");
BENCHMARK(pseudonym_primitive)->Name("targets/pseudonym/primitive");
BENCHMARK(encrypted_primitive)->Name("targets/encrypted/primitive");
BENCHMARK(sealed_primitive)->Name("targets/sealed/primitive");
BENCHMARK(preserved_primitive)->Name("targets/preserved/primitive");

// ------------------------------------------------------------------------------ the library alone

// AES-256-SIV of a frame of 64 bytes, the part of the associated data ready made: the CMAC chain
// and the counter's key stream.
void derived_library(benchmark::State& state) {
  const Cipher chain = cipher_of(EVP_aes_256_cbc());
  const Cipher counter = cipher_of(EVP_aes_256_ecb());
  std::array<std::uint8_t, 64> frame = {1};
  std::array<std::uint8_t, 64> stream{};
  for (auto _ : state) {
    std::array<std::uint8_t, 64> chained = frame;
    update(chain, chained.data(), 64);
    for (std::size_t i = 0; i < 4; ++i) std::memcpy(&stream[16 * i], &chained[48], 16);
    update(counter, stream.data(), 64);
    for (std::size_t i = 0; i < 64; ++i) frame[i] ^= stream[i];
    benchmark::DoNotOptimize(frame);
  }
}

// HMAC-SHA-256 of a length and 32 bytes, pads and context hashed beforehand: the direct SHA-256
// calls of OpenSSL, which copy a state as a value.
void pseudonym_library(benchmark::State& state) {
  crypto::Sha256 inner;
  inner.update(crypto::Bytes(64 + 105, 1));
  crypto::Sha256 outer;
  outer.update(crypto::Bytes(64, 2));
  std::array<std::uint8_t, 34> value = {32};
  for (auto _ : state) {
    crypto::Sha256 hash = inner;
    const crypto::Sha256Digest digest = hash.update(value).finish();
    crypto::Sha256 last = outer;
    value[3] = last.update(digest).finish()[0];
    benchmark::DoNotOptimize(value);
  }
}

// XAES-256-GCM of a frame of 48 bytes under `context` bytes of associated data: two blocks for the
// subkey and libsodium's AES-256-GCM; in front of it 24 bytes of the kernel's randomness, drawn in
// pages, and the CMAC of the hedge over the `hedged` bytes behind its kept prefix.
void xaes_library(benchmark::State& state, std::size_t hedged) {
  require(sodium_init() >= 0);
  if (crypto_aead_aes256gcm_is_available() == 0) {
    return state.SkipWithError("libsodium has no AES-256-GCM on this processor");
  }
  const Cipher chain = cipher_of(EVP_aes_256_cbc());
  const Cipher blocks = cipher_of(EVP_aes_256_ecb());
  const crypto::Bytes ad(
      crypto::kTokenHeaderSize + crypto::context_string(row_of(Algorithm::encrypted)).size(), 3);
  crypto::RandomBuffer random;
  std::array<std::uint8_t, 64> frame = {1};
  std::array<std::uint8_t, 48 + 16> out{};
  for (auto _ : state) {
    std::array<std::uint8_t, 24> nonce{};
    random.fill(nonce);
    std::array<std::uint8_t, 64> chained = frame;
    update(chain, chained.data(), static_cast<int>(hedged));
    for (std::size_t i = 0; i < 16; ++i) nonce[i] ^= chained[hedged - 16 + i];
    std::array<std::uint8_t, 32> subkey{};
    std::memcpy(subkey.data(), nonce.data(), 12);
    std::memcpy(subkey.data() + 16, nonce.data(), 12);
    update(blocks, subkey.data(), 32);
    require(crypto_aead_aes256gcm_encrypt(out.data(), nullptr, frame.data(), 48, ad.data(),
                                          ad.size(), nullptr, nonce.data() + 12,
                                          subkey.data()) == 0);
    benchmark::DoNotOptimize(out);
  }
}
void encrypted_library(benchmark::State& state) { xaes_library(state, 64); }
void sealed_library(benchmark::State& state) { xaes_library(state, 64); }

// The chain of AES blocks that FF1 consists of: each waits for the one before.
void preserved_library(benchmark::State& state) {
  const Cipher context = cipher_of(EVP_aes_256_ecb());
  crypto::AesBlock block{};
  for (auto _ : state) {
    for (int round = 0; round < 10; ++round) update(context, block.data(), 16);
    benchmark::DoNotOptimize(block);
  }
}

void ipcrypt_library(benchmark::State& state) {
  const Cipher context = cipher_of(EVP_aes_128_ecb());
  crypto::AesBlock block{};
  for (auto _ : state) {
    update(context, block.data(), 16);
    benchmark::DoNotOptimize(block);
  }
}

BENCHMARK(derived_library)->Name("targets/derived/library");
BENCHMARK(pseudonym_library)->Name("targets/pseudonym/library");
BENCHMARK(encrypted_library)->Name("targets/encrypted/library");
BENCHMARK(sealed_library)->Name("targets/sealed/library");
BENCHMARK(preserved_library)->Name("targets/preserved/library");
BENCHMARK(ipcrypt_library)->Name("targets/ipcrypt/library");

}  // namespace
