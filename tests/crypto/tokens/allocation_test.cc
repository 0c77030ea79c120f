// Nothing on the data path's way through this room allocates once its buffers are warm. What C
// libraries take with malloc is not seen here.

#include <gtest/gtest.h>

#include <cstdlib>

#include "crypto/tokens/mask.h"
#include "crypto/tokens/token_detector.h"
#include "tests/crypto/tokens/protector_fixture.h"
#include "tests/support/allocation_counter.h"

namespace paravent::crypto {
namespace {

template <typename Work>
std::uint64_t allocations_of(Work work) {
  work();  // warm
  const std::uint64_t before = paravent::testing::allocations();
  for (int i = 0; i < 100; ++i) work();
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

TEST(Allocation, NormalisersOfAsciiAllocateNothing) {
  const std::pair<Kind, const char*> values[] = {
      {Kind::email, " Marie.Dupont@Example.com "}, {Kind::name, "  Marie   Dupont "},
      {Kind::phone, "+33 (0)6 12 34 56 78"},       {Kind::ip, "2001:db8::1"},
      {Kind::text, "Bonjour, rappelez-moi."},      {Kind::email, "no address at all, and refused"}};
  for (const auto& [kind, value] : values) {
    std::string out;
    out.reserve(256);
    EXPECT_EQ(allocations_of([&, kind = kind, value = value] {
                out.clear();
                static_cast<void>(normalise(kind, value, {}, out));
              }),
              0U)
        << value;
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
