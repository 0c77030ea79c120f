// Microbenchmarks of the primitives that keep a value's form (FF1, ipcrypt) and of sealing to a
// public key (HPKE), each beside the least work that its construction cannot do without, in one
// binary so that a ratio comes from one run. Take the minimum of several repetitions.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/micro/micro_support.h"
#include "crypto/primitives/ff1.h"
#include "crypto/primitives/hpke.h"
#include "crypto/primitives/ipcrypt.h"
#include "crypto/primitives/random.h"

namespace {

namespace crypto = paravent::crypto;
using paravent::bench::require;
using paravent::bench::some_bytes;

struct EvpFree {
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
};

// The product's tweak: the first 16 bytes of a hash.
void ff1(benchmark::State& state) {
  auto ff1 = crypto::Ff1::create(some_bytes(32), 10);
  require(ff1.has_value());
  const crypto::Bytes tweak = some_bytes(16);
  std::vector<std::uint16_t> digits(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) {
    require(ff1->encrypt(tweak, digits, digits).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(ff1)->Arg(9)->Arg(14)->Arg(16)->Arg(19)->Arg(34)->Arg(60);

std::unique_ptr<EVP_CIPHER_CTX, EvpFree> raw_aes(const EVP_CIPHER* cipher, std::size_t key_size) {
  std::unique_ptr<EVP_CIPHER_CTX, EvpFree> context(EVP_CIPHER_CTX_new());
  const crypto::Bytes key = some_bytes(key_size);
  require(EVP_EncryptInit_ex2(context.get(), cipher, key.data(), nullptr, nullptr) == 1);
  require(EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1);
  return context;
}

// The chain of AES blocks that FF1 cannot do without: one for the tweak, one per round.
void raw_ff1_eleven_blocks(benchmark::State& state) {
  const auto context = raw_aes(EVP_aes_256_ecb(), 32);
  crypto::AesBlock block{};
  for (auto _ : state) {
    int written = 0;
    for (int i = 0; i < 11; ++i) {
      require(EVP_EncryptUpdate(context.get(), block.data(), &written, block.data(), 16) == 1);
    }
    benchmark::DoNotOptimize(block);
  }
}
BENCHMARK(raw_ff1_eleven_blocks);

void ipcrypt_deterministic(benchmark::State& state) {
  auto ip = crypto::IpcryptDeterministic::create(some_bytes(16));
  require(ip.has_value());
  crypto::AesBlock address{};
  for (auto _ : state) {
    require(ip->encrypt(address, address).has_value());
    benchmark::DoNotOptimize(address);
  }
}
BENCHMARK(ipcrypt_deterministic);

void raw_aes_block(benchmark::State& state) {
  const auto context = raw_aes(EVP_aes_128_ecb(), 16);
  crypto::AesBlock block{};
  for (auto _ : state) {
    int written = 0;
    require(EVP_EncryptUpdate(context.get(), block.data(), &written, block.data(), 16) == 1);
    benchmark::DoNotOptimize(block);
  }
}
BENCHMARK(raw_aes_block);

// Argument: the address family.
void ipcrypt_pfx(benchmark::State& state) {
  auto ip = crypto::IpcryptPfx::create(some_bytes(32));
  require(ip.has_value());
  crypto::AesBlock address{};
  if (state.range(0) == 4) address[10] = address[11] = 0xff;
  for (auto _ : state) {
    require(ip->encrypt(address, address).has_value());
    benchmark::DoNotOptimize(address);
  }
}
BENCHMARK(ipcrypt_pfx)->Arg(4)->Arg(6);

// Two blocks for each bit, in two calls.
void raw_pfx_blocks(benchmark::State& state) {
  const auto context = raw_aes(EVP_aes_128_ecb(), 16);
  crypto::Bytes blocks(static_cast<std::size_t>(state.range(0) == 4 ? 32 : 128) * 16);
  const int size = static_cast<int>(blocks.size());
  for (auto _ : state) {
    int written = 0;
    for (int i = 0; i < 2; ++i) {
      require(EVP_EncryptUpdate(context.get(), blocks.data(), &written, blocks.data(), size) == 1);
    }
    benchmark::ClobberMemory();
  }
}
BENCHMARK(raw_pfx_blocks)->Arg(4)->Arg(6);

void ipcrypt_ndx(benchmark::State& state) {
  auto ip = crypto::IpcryptNdx::create(some_bytes(32));
  require(ip.has_value());
  const crypto::Bytes tweak = some_bytes(16);
  crypto::AesBlock address{};
  for (auto _ : state) {
    require(ip->encrypt(tweak, address, address).has_value());
    benchmark::DoNotOptimize(address);
  }
}
BENCHMARK(ipcrypt_ndx);

void hpke_seal(benchmark::State& state) {
  const crypto::X25519KeyPair pair = crypto::generate_x25519_key_pair();
  const crypto::Bytes info = some_bytes(100);
  const crypto::Bytes aad = some_bytes(6);
  const crypto::Bytes frame = some_bytes(48);
  crypto::Bytes enc(32);
  crypto::Bytes out(64);
  for (auto _ : state) {
    require(crypto::hpke_seal(pair.public_key, info, aad, frame, enc, out).has_value());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(hpke_seal);

void raw_hpke_two_x25519(benchmark::State& state) {
  require(sodium_init() >= 0);
  const crypto::Bytes key = some_bytes(32);
  std::array<std::uint8_t, 32> public_key{};
  std::array<std::uint8_t, 32> shared{};
  for (auto _ : state) {
    require(crypto_scalarmult_curve25519_base(public_key.data(), key.data()) == 0);
    require(crypto_scalarmult_curve25519(shared.data(), key.data(), public_key.data()) == 0);
    benchmark::DoNotOptimize(shared);
  }
}
BENCHMARK(raw_hpke_two_x25519);

}  // namespace
