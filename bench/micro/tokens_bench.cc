// Micro-benchmarks of the token room: each construction with its text, the encoders, the detector
// and the normalisers' ASCII paths. One field per iteration, everything kept, as the data path does
// it.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/encoding.h"
#include "crypto/keys/context_row.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/ff1.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/hpke.h"
#include "crypto/primitives/ipcrypt.h"
#include "crypto/primitives/x25519.h"
#include "crypto/primitives/xaes_gcm.h"
#include "crypto/tokens/bech32m.h"
#include "crypto/tokens/crc32c.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/token_detector.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {
namespace {

constexpr std::array<std::uint8_t, 32> kParent = {7};

ContextRow row_of(Algorithm algorithm) {
  ContextRow row;
  row.key_id = 0x01020304;
  row.tenant_id = std::string(kContextIdSize, 't');
  row.domain_id = std::string(kContextIdSize, 'd');
  row.purpose_id = std::string(kContextIdSize, 'p');
  row.space_id = std::string(kContextIdSize, 's');
  row.algorithm = algorithm;
  row.normaliser_id = normaliser_id(Kind::email);
  return row;
}

std::unique_ptr<FieldProtector> protector_for(Algorithm algorithm) {
  const auto recipient = x25519_public_key(kParent);
  if (!recipient) std::abort();
  auto key = make_protection_key(row_of(algorithm), kParent, *recipient);
  if (!key) std::abort();
  auto protector = FieldProtector::create(std::span<const ProtectionKey>(&*key, 1));
  if (!protector) std::abort();
  return std::move(*protector);
}

void protect_form(benchmark::State& state, Algorithm algorithm, const ProtectForm& form,
                  std::string_view value) {
  const auto protector = protector_for(algorithm);
  std::string out;
  for (auto _ : state) {
    out.clear();
    if (!protector->protect(0, form, value, out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
}

void protect(benchmark::State& state, Algorithm algorithm, Kind kind) {
  const std::string value(static_cast<std::size_t>(state.range(0)), 'a');
  protect_form(state, algorithm, {.kind = kind}, value);
}

void protect_derived(benchmark::State& state) { protect(state, Algorithm::derived, Kind::email); }
void protect_pseudonym(benchmark::State& state) {
  protect(state, Algorithm::pseudonym, Kind::email);
}
void protect_encrypted(benchmark::State& state) {
  protect(state, Algorithm::encrypted, Kind::text);
}
void protect_sealed(benchmark::State& state) { protect(state, Algorithm::sealed, Kind::text); }
void protect_sealed_single(benchmark::State& state) {
  protect(state, Algorithm::sealed_single, Kind::text);
}
BENCHMARK(protect_derived)->Arg(32)->Arg(200);
BENCHMARK(protect_pseudonym)->Arg(32)->Arg(200);
BENCHMARK(protect_encrypted)->Arg(32)->Arg(200)->Arg(4000);
BENCHMARK(protect_sealed)->Arg(32)->Arg(200);
BENCHMARK(protect_sealed_single)->Arg(32);

constexpr std::string_view kEmail = "marie.dupont.2026@example.com...";
constexpr ProtectForm kUuid = {.kind = Kind::email, .shape = Shape::uuid};
constexpr ProtectForm kAlphanumeric = {.kind = Kind::email, .shape = Shape::alphanumeric};
constexpr ProtectForm kDigits = {.kind = Kind::email, .shape = Shape::digits};
constexpr ProtectForm kScoped = {.kind = Kind::email, .scope = Scope::relationship};
constexpr ProtectForm kIp = {.kind = Kind::ip};
constexpr ProtectForm kLiteral = {.kind = Kind::ip, .shape = Shape::ip};
constexpr ProtectForm kPhone = {.kind = Kind::phone, .shape = Shape::preserve};
constexpr ProtectForm kCard = {.kind = Kind::card, .shape = Shape::preserve};
BENCHMARK_CAPTURE(protect_form, pseudonym_scoped, Algorithm::pseudonym, kScoped, kEmail);
BENCHMARK_CAPTURE(protect_form, pseudonym_uuid, Algorithm::pseudonym, kUuid, kEmail);
BENCHMARK_CAPTURE(protect_form, pseudonym_digits, Algorithm::pseudonym, kDigits, kEmail);
BENCHMARK_CAPTURE(protect_form, pseudonym_alphanumeric, Algorithm::pseudonym, kAlphanumeric,
                  kEmail);
BENCHMARK_CAPTURE(protect_form, address, Algorithm::address, kIp, "192.0.2.1");
BENCHMARK_CAPTURE(protect_form, address_literal, Algorithm::address, kLiteral, "192.0.2.1");
BENCHMARK_CAPTURE(protect_form, address_prefix, Algorithm::address_prefix, kIp, "192.0.2.1");
BENCHMARK_CAPTURE(protect_form, address_prefix_v6, Algorithm::address_prefix, kIp, "2001:db8::1");
BENCHMARK_CAPTURE(protect_form, address_random, Algorithm::address_random, kIp, "192.0.2.1");
BENCHMARK_CAPTURE(protect_form, preserved_phone, Algorithm::format_preserving, kPhone,
                  "+33612345678");
BENCHMARK_CAPTURE(protect_form, preserved_card, Algorithm::format_preserving, kCard,
                  "4111111111111111");

// The primitives alone, over as many bytes: what the constructions above cannot go below.

void raw_siv(benchmark::State& state) {  // protect_derived/32: frame of bucket 64
  Bytes key(AesSiv256::kKeySize, 1);
  key[0] = 2;
  auto siv = AesSiv256::create(key);
  const std::string ad =
      token_ad(1, Algorithm::derived, context_string(row_of(Algorithm::derived)));
  if (!siv || !siv->set_ad(as_bytes(ad))) std::abort();
  Bytes out(16 + 64);
  const MutableBytes frame = MutableBytes(out).subspan(16);
  for (auto _ : state) {
    if (!siv->seal(frame, out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(raw_siv);

void raw_hmac(benchmark::State& state) {  // protect_pseudonym/32
  std::string prefix;
  append_lp(prefix, context_string(row_of(Algorithm::pseudonym)));
  const HmacSha256 mac = HmacSha256(kParent).with_prefix(as_bytes(prefix));
  const std::string value(34, 'a');
  for (auto _ : state) benchmark::DoNotOptimize(mac.mac(as_bytes(value)));
}
BENCHMARK(raw_hmac);

void raw_xaes(benchmark::State& state) {  // protect_encrypted/32 and protect_sealed/32
  auto xaes = Xaes256Gcm::create(kParent);
  if (!xaes) std::abort();
  const std::string ad = token_ad(1, Algorithm::sealed, context_string(row_of(Algorithm::sealed)));
  Bytes out(48 + 16);
  const std::array<std::uint8_t, 24> nonce = {1};
  for (auto _ : state) {
    if (!xaes->seal(nonce, as_bytes(ad), MutableBytes(out).first(48), out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(raw_xaes);

void raw_hpke(
    benchmark::State& state) {  // protect_sealed_single/32, and once a second for a worker
  const auto recipient = x25519_public_key(kParent);
  std::array<std::uint8_t, 32> enc;
  std::array<std::uint8_t, 48> sealed;
  const std::array<std::uint8_t, 32> key = {3};
  for (auto _ : state) {
    if (!hpke_seal(*recipient, as_bytes("info"), {}, key, enc, sealed)) std::abort();
    benchmark::DoNotOptimize(sealed.data());
  }
}
BENCHMARK(raw_hpke);

void raw_ff1(benchmark::State& state) {  // preserved_phone: 9 digits; preserved_card: 15
  auto cipher = Ff1::create(kParent, 10);
  if (!cipher) std::abort();
  std::vector<std::uint16_t> digits(static_cast<std::size_t>(state.range(0)), 7);
  const std::array<std::uint8_t, 16> tweak = {1};
  for (auto _ : state) {
    if (!cipher->encrypt(tweak, digits, digits)) std::abort();
    benchmark::DoNotOptimize(digits.data());
  }
}
BENCHMARK(raw_ff1)->Arg(9)->Arg(15);

template <typename Cipher>
void raw_address(benchmark::State& state) {  // IPv6, as address_prefix_v6
  Bytes key(Cipher::kKeySize, 1);
  key[0] = 2;
  auto cipher = Cipher::create(key);
  if (!cipher) std::abort();
  std::array<std::uint8_t, 16> address = {0x20, 1};
  std::array<std::uint8_t, 16> out;
  for (auto _ : state) {
    if (!cipher->encrypt(address, out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(raw_address<IpcryptDeterministic>);
BENCHMARK(raw_address<IpcryptPfx>);

void encode_base64url(benchmark::State& state) {
  const Bytes payload(static_cast<std::size_t>(state.range(0)), 0x5A);
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_base64url(out, payload);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(encode_base64url)->Arg(98)->Arg(178);

void encode_bech32m(benchmark::State& state) {
  const Bytes payload(static_cast<std::size_t>(state.range(0)), 0x5A);
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_bech32m(out, kDerivedHrp, payload);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(encode_bech32m)->Arg(22)->Arg(86);

void check_derived_text(benchmark::State& state) {
  std::string text;
  if (!protector_for(Algorithm::derived)->protect(0, Kind::email, "a@b.example", text))
    std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(check_token(text));
}
BENCHMARK(check_derived_text);

void checksum_crc32c(benchmark::State& state) {
  const Bytes bytes(static_cast<std::size_t>(state.range(0)), 0x5A);
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(bytes));
}
BENCHMARK(checksum_crc32c)->Arg(110)->Arg(4096);

void detect_in_text(benchmark::State& state) {
  constexpr std::string_view kSentence =
      "Please call me back about the provision of the app, Pvt. P. ";
  std::string text;
  while (text.size() < static_cast<std::size_t>(state.range(0))) text.append(kSentence);
  for (auto _ : state) benchmark::DoNotOptimize(contains_token(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(detect_in_text)->Arg(32)->Arg(4096);

void normalise_kind(benchmark::State& state, Kind kind, std::string_view value) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    if (!normalise(kind, value, {}, out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK_CAPTURE(normalise_kind, email, Kind::email, "Marie.Dupont@Example.COM ");
BENCHMARK_CAPTURE(normalise_kind, phone, Kind::phone, "06 12 34 56 78");
BENCHMARK_CAPTURE(normalise_kind, name, Kind::name, " Marie  Dupont");
BENCHMARK_CAPTURE(normalise_kind, name_accents, Kind::name, "Zo\xC3\xA9 Lef\xC3\xA8vre");
BENCHMARK_CAPTURE(normalise_kind, text, Kind::text, "Bonjour, rappelez-moi demain matin svp.");
BENCHMARK_CAPTURE(normalise_kind, ip, Kind::ip, "2001:db8::1");

}  // namespace
}  // namespace paravent::crypto
