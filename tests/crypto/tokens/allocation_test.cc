// Nothing on the data path's way through this room allocates once its buffers are warm. What C
// libraries take with malloc is not seen here.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "crypto/tokens/mask.h"
#include "crypto/tokens/token_detector.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/crypto/tokens/naughty_strings.h"
#include "tests/crypto/tokens/protector_fixture.h"
#include "tests/support/allocation_counter.h"

namespace paravent::crypto {
namespace {

template <typename Work>
std::uint64_t allocations_of(Work work, int times = 100) {
  work();  // warm
  const std::uint64_t before = paravent::testing::allocations();
  for (int i = 0; i < times; ++i) work();
  return paravent::testing::allocations() - before;
}

TEST(Allocation, TheCounterCounts) {
  std::string kept;
  EXPECT_EQ(allocations_of([&] { kept = std::string(100, 'x'); }), 100U);
}

TEST(Allocation, ProtectAllocatesNothing) {
  for (const Algorithm algorithm :
       {Algorithm::derived, Algorithm::pseudonym, Algorithm::encrypted}) {
    const auto key = testing::key_of(testing::row_of(algorithm, Kind::email));
    const auto protector = testing::protector_of(key);
    for (const std::size_t size : {1U, 32U, 200U, 500U}) {
      const std::string value(size, 'v');
      std::string out;
      EXPECT_EQ(allocations_of([&] {
                  out.clear();
                  if (!protector->protect(0, Kind::email, value, out)) std::abort();
                }),
                0U)
          << algorithm_name(algorithm) << " " << size;
    }
  }
}

TEST(Allocation, MaskingAsciiAllocatesNothing) {
  std::string out;
  out.reserve(256);
  for (const auto& [kind, value] :
       {std::pair{Kind::email, "marie.curie@gmail.com"}, {Kind::card, "4111 1111 1111 1111"}}) {
    EXPECT_EQ(allocations_of([&, kind = kind, value = value] {
                out.clear();
                append_masked(kind, value, mask_form(kind), out);
              }),
              0U);
  }
}

TEST(Allocation, EveryFormAllocatesNothing) {
  struct Case {
    Algorithm algorithm;
    ProtectForm form;
    const char* value;
  };
  const auto shaped = [](Shape shape, std::uint8_t length = 0) {
    return ProtectForm{.kind = Kind::email, .shape = shape, .length = length};
  };
  const ProtectForm scoped = {.kind = Kind::email, .scope_id = {1}, .scope = Scope::relationship};
  const ProtectForm literal = {.kind = Kind::ip, .shape = Shape::ip};
  const ProtectForm preserve = {.kind = Kind::card, .shape = Shape::preserve};
  const Case cases[] = {{Algorithm::pseudonym, shaped(Shape::phone), "a@b.example"},
                        {Algorithm::pseudonym, shaped(Shape::digits, 18), "a@b.example"},
                        {Algorithm::pseudonym, shaped(Shape::digits_digits), "a@b.example"},
                        {Algorithm::pseudonym, shaped(Shape::hex16), "a@b.example"},
                        {Algorithm::pseudonym, shaped(Shape::uuid), "a@b.example"},
                        {Algorithm::pseudonym, shaped(Shape::alphanumeric, 32), "a@b.example"},
                        {Algorithm::pseudonym, shaped(Shape::ip), "a@b.example"},
                        {Algorithm::pseudonym, scoped, "a@b.example"},
                        {Algorithm::address, {.kind = Kind::ip}, "2001:db8::1"},
                        {Algorithm::address, literal, "192.0.2.1"},
                        {Algorithm::address_prefix, literal, "2001:db8::1"},
                        {Algorithm::address_random, {.kind = Kind::ip}, "2001:db8::1"},
                        {Algorithm::format_preserving, preserve, "4111 1111 1111 1111"},
                        {Algorithm::sealed, {.kind = Kind::email}, "a@b.example"},
                        {Algorithm::sealed_single, {.kind = Kind::email}, "a@b.example"}};
  for (const Case& one : cases) {
    const auto key = testing::any_key_of(one.algorithm, one.form.kind);
    const auto protector = testing::protector_of(key);
    std::string out;
    EXPECT_EQ(allocations_of([&] {
                out.clear();
                if (!protector->protect(0, one.form, one.value, out)) std::abort();
              }),
              0U)
        << algorithm_name(one.algorithm) << " " << shape_name(one.form.shape);
  }
}

// Whatever the value: what ICU takes for letters outside ASCII it takes with malloc.
TEST(Allocation, NormalisersAllocateNothing) {
  std::vector<std::string> values = testing::naughty_strings();
  for (const auto& info : kinds()) {
    const bool regional = info.kind == Kind::phone || info.kind == Kind::birth_date;
    const std::string path = "tests/crypto/tokens/cases/" + std::string(info.name) + ".tsv";
    for (const auto& row : testing::read_cases(path, regional ? 3 : 2)) {
      values.push_back(row[row.size() - 2]);
    }
  }
  // Long ones, where no small string is at hand.
  for (const char* const word : {"Zoe\xCC\x81 ", "Zo\xC3\xA9 ", "\xE2\x80\x8B", "/%7e/../"}) {
    std::string text;
    for (int i = 0; i < 500; ++i) text += word;
    values.push_back("https://example.com/" + text);
    values.push_back(text);
  }
  std::string out;
  for (const auto& [kind, name] : kinds()) {
    for (const std::string& value : values) {
      const auto work = [&, kind = kind] {
        out.clear();
        static_cast<void>(normalise(kind, value, {}, out));
      };
      EXPECT_EQ(allocations_of(work, 2), 0U) << name << " " << value;
    }
  }
}

TEST(Allocation, LookingForTokensAllocatesNothing) {
  const auto key = testing::key_of(testing::row_of(Algorithm::encrypted, Kind::text));
  std::string token;
  ASSERT_TRUE(testing::protector_of(key)->protect(0, Kind::text, std::string(3000, 'x'), token));
  std::string damaged = token;
  damaged[100] = damaged[100] == 'A' ? 'B' : 'A';
  for (const std::string& text : {token, damaged, "see pvv1qqqq pve_AAAA " + damaged}) {
    EXPECT_EQ(allocations_of([&] { static_cast<void>(contains_token(text)); }), 0U);
  }
}

TEST(Allocation, WritingAVaultTokenAllocatesNothing) {
  const std::array<std::uint8_t, kVaultIdSize> id = {1, 2, 3};
  std::string out;
  EXPECT_EQ(allocations_of([&] {
              out.clear();
              write_vault_token(7, id, out);
            }),
            0U);
}

}  // namespace
}  // namespace paravent::crypto
