// Microbenchmarks of crypto/primitives, each beside the raw library calls it stands on (T16 of the
// targets), in one binary so that a ratio comes from one run. Take the minimum of several
// repetitions: interference only adds time.
//
// Sizes are those of a form field: a 48-byte frame under about 100 bytes of header and context.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "bench/micro/micro_support.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/hedged_nonce.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/sha256.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/primitives/xchacha20_poly1305.h"

namespace {

namespace crypto = paravent::crypto;
using paravent::bench::require;
using paravent::bench::some_bytes;

constexpr std::size_t kFrame = 48;
constexpr std::size_t kContext = 100;

struct EvpFree {
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  void operator()(EVP_MAC* p) const { EVP_MAC_free(p); }
  void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
};

void siv_seal(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  auto siv = crypto::AesSiv256::create(some_bytes(64));
  require(siv.has_value() && siv->set_ad(some_bytes(kContext)).has_value());
  const crypto::Bytes frame = some_bytes(size);
  crypto::Bytes out(size + 16);
  for (auto _ : state) {
    benchmark::DoNotOptimize(siv->seal(frame, out).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(siv_seal)->Arg(16)->Arg(kFrame)->Arg(64)->Arg(256)->Arg(1024);

void siv_open(benchmark::State& state) {
  auto siv = crypto::AesSiv256::create(some_bytes(64));
  require(siv.has_value() && siv->set_ad(some_bytes(kContext)).has_value());
  crypto::Bytes sealed(kFrame + 16);
  crypto::Bytes frame = some_bytes(kFrame);
  require(siv->seal(frame, sealed).has_value());
  for (auto _ : state) {
    require(siv->open(sealed, frame).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(siv_open);

// The least work in any SIV of this size through EVP: a chained CBC pass and a CTR pass on kept
// contexts.
void raw_siv_ecb_ctr(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const crypto::Bytes key = some_bytes(32);
  const crypto::Bytes iv = some_bytes(16);
  const std::unique_ptr<EVP_CIPHER_CTX, EvpFree> ecb(EVP_CIPHER_CTX_new());
  const std::unique_ptr<EVP_CIPHER_CTX, EvpFree> ctr(EVP_CIPHER_CTX_new());
  require(EVP_EncryptInit_ex2(ecb.get(), EVP_aes_256_ecb(), key.data(), nullptr, nullptr) == 1);
  require(EVP_CIPHER_CTX_set_padding(ecb.get(), 0) == 1);
  require(EVP_EncryptInit_ex2(ctr.get(), EVP_aes_256_ctr(), key.data(), iv.data(), nullptr) == 1);
  const crypto::Bytes frame = some_bytes(size);
  crypto::Bytes out(size);
  std::array<std::uint8_t, 16> chain{};
  for (auto _ : state) {
    int written = 0;
    for (std::size_t i = 0; i < size; i += 16) {
      for (std::size_t k = 0; k < 16; ++k) chain[k] ^= frame[i + k];
      require(EVP_EncryptUpdate(ecb.get(), chain.data(), &written, chain.data(), 16) == 1);
    }
    require(EVP_EncryptInit_ex2(ctr.get(), nullptr, nullptr, chain.data(), nullptr) == 1);
    require(EVP_EncryptUpdate(ctr.get(), out.data(), &written, frame.data(),
                              static_cast<int>(size)) == 1);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(raw_siv_ecb_ctr)->Arg(16)->Arg(kFrame)->Arg(64)->Arg(256)->Arg(1024);

void hmac(benchmark::State& state) {
  const crypto::HmacSha256 mac(some_bytes(32));
  const crypto::Bytes message = some_bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(mac.mac(message));
}
BENCHMARK(hmac)->Arg(64)->Arg(150);

// The pseudonym's shape: a constant context hashed once, then a short value.
void hmac_with_prefix(benchmark::State& state) {
  const crypto::HmacSha256 mac =
      crypto::HmacSha256(some_bytes(32)).with_prefix(some_bytes(kContext));
  const crypto::Bytes message = some_bytes(24);
  for (auto _ : state) benchmark::DoNotOptimize(mac.mac(message));
}
BENCHMARK(hmac_with_prefix);

void raw_hmac_evp(benchmark::State& state) {
  const std::unique_ptr<EVP_MAC, EvpFree> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  const std::unique_ptr<EVP_MAC_CTX, EvpFree> context(EVP_MAC_CTX_new(mac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                   OSSL_PARAM_construct_end()};
  const crypto::Bytes key = some_bytes(32);
  require(EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1);
  const crypto::Bytes message = some_bytes(static_cast<std::size_t>(state.range(0)));
  crypto::Sha256Digest out{};
  for (auto _ : state) {
    std::size_t written = 0;
    require(EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1);
    require(EVP_MAC_update(context.get(), message.data(), message.size()) == 1);
    require(EVP_MAC_final(context.get(), out.data(), &written, out.size()) == 1);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(raw_hmac_evp)->Arg(64)->Arg(150);

void xaes_seal(benchmark::State& state, crypto::GcmBackend backend) {
  auto xaes = crypto::Xaes256Gcm::create(some_bytes(32), backend);
  if (!xaes) return state.SkipWithError("this back end is not on this machine");
  const crypto::Bytes nonce = some_bytes(24);
  const crypto::Bytes ad = some_bytes(kContext);
  const crypto::Bytes frame = some_bytes(kFrame);
  crypto::Bytes out(kFrame + 16);
  for (auto _ : state) {
    require(xaes->seal(nonce, ad, frame, out).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK_CAPTURE(xaes_seal, sodium, crypto::GcmBackend::sodium);
BENCHMARK_CAPTURE(xaes_seal, openssl, crypto::GcmBackend::openssl);

// What an encrypted field costs: hedged nonce from the buffer, then XAES.
void encrypted_field(benchmark::State& state) {
  const crypto::Bytes ctx = some_bytes(kContext);
  auto xaes = crypto::Xaes256Gcm::create(some_bytes(32));
  auto hedge = crypto::HedgedNonce::create(some_bytes(32), ctx);
  require(xaes.has_value() && hedge.has_value());
  crypto::RandomBuffer random;
  const crypto::Bytes frame = some_bytes(kFrame);
  std::array<std::uint8_t, 24> nonce{};
  crypto::Bytes out(kFrame + 16);
  for (auto _ : state) {
    require(hedge->next(frame, random, nonce).has_value());
    require(xaes->seal(nonce, ctx, frame, out).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(encrypted_field);

void xchacha_seal(benchmark::State& state) {
  const crypto::Bytes key = some_bytes(32);
  const crypto::Bytes nonce = some_bytes(24);
  const crypto::Bytes ad = some_bytes(kContext);
  const crypto::Bytes frame = some_bytes(kFrame);
  crypto::Bytes out(kFrame + 16);
  for (auto _ : state) {
    require(crypto::xchacha20_poly1305_seal(key, nonce, ad, frame, out).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(xchacha_seal);

void raw_xchacha_sodium(benchmark::State& state) {
  require(sodium_init() >= 0);
  const crypto::Bytes key = some_bytes(32);
  const crypto::Bytes nonce = some_bytes(24);
  const crypto::Bytes ad = some_bytes(kContext);
  const crypto::Bytes frame = some_bytes(kFrame);
  crypto::Bytes out(kFrame + 16);
  for (auto _ : state) {
    require(crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, frame.data(),
                                                       frame.size(), ad.data(), ad.size(), nullptr,
                                                       nonce.data(), key.data()) == 0);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(raw_xchacha_sodium);

void hkdf_expand(benchmark::State& state) {
  const crypto::Bytes parent = some_bytes(32);
  const crypto::Bytes info = some_bytes(kContext);
  std::array<std::uint8_t, 32> out{};
  for (auto _ : state) {
    require(crypto::hkdf_expand_sha256(parent, info, out).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(hkdf_expand);

void sha256_leaf(benchmark::State& state) {
  const crypto::Bytes message = some_bytes(65);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(message));
}
BENCHMARK(sha256_leaf);

void random_buffered(benchmark::State& state) {
  crypto::RandomBuffer random;
  std::array<std::uint8_t, 24> out{};
  for (auto _ : state) {
    random.fill(out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(random_buffered);

void random_system(benchmark::State& state) {
  std::array<std::uint8_t, 24> out{};
  for (auto _ : state) {
    crypto::random_bytes(out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(random_system);

}  // namespace
