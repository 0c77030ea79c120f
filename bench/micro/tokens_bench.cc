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

#include "crypto/base/bytes.h"
#include "crypto/keys/context_row.h"
#include "crypto/keys/protection_key.h"
#include "crypto/tokens/bech32m.h"
#include "crypto/tokens/crc32c.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/token_detector.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto {
namespace {

std::unique_ptr<FieldProtector> protector_for(Algorithm algorithm) {
  ContextRow row;
  row.key_id = 0x01020304;
  row.tenant_id = std::string(kContextIdSize, 't');
  row.domain_id = std::string(kContextIdSize, 'd');
  row.purpose_id = std::string(kContextIdSize, 'p');
  row.space_id = std::string(kContextIdSize, 's');
  row.algorithm = algorithm;
  row.normaliser_id = normaliser_id(Kind::email);
  const std::array<std::uint8_t, 32> parent = {7};
  auto key = make_protection_key(row, parent);
  if (!key) std::abort();
  auto protector = FieldProtector::create(std::span<const ProtectionKey>(&*key, 1));
  if (!protector) std::abort();
  return std::move(*protector);
}

void protect(benchmark::State& state, Algorithm algorithm, Kind kind) {
  const auto protector = protector_for(algorithm);
  const std::string value(static_cast<std::size_t>(state.range(0)), 'a');
  std::string out;
  for (auto _ : state) {
    out.clear();
    if (!protector->protect(0, kind, value, out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
}

void protect_derived(benchmark::State& state) { protect(state, Algorithm::derived, Kind::email); }
void protect_pseudonym(benchmark::State& state) {
  protect(state, Algorithm::pseudonym, Kind::email);
}
void protect_encrypted(benchmark::State& state) {
  protect(state, Algorithm::encrypted, Kind::text);
}
BENCHMARK(protect_derived)->Arg(32)->Arg(200);
BENCHMARK(protect_pseudonym)->Arg(32)->Arg(200);
BENCHMARK(protect_encrypted)->Arg(32)->Arg(200)->Arg(4000);

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
