// golden_forms.py made the file from docs/token-format.md with other people's cryptography. Sealed
// values are made with a fresh ephemeral key each: tests/crypto/reveal opens those of the file.

#include "tests/crypto/tokens/golden_forms.h"

#include <gtest/gtest.h>

#include "crypto/base/encoding.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/crypto/tokens/protector_fixture.h"

namespace paravent::crypto {
namespace {

TEST(GoldenForms, TheProtectorGivesThem) {
  int made = 0;
  for (const testing::GoldenForm& golden : testing::golden_forms()) {
    EXPECT_EQ(to_hex(as_bytes(context_string(golden.row))), golden.ctx_hex);
    if (golden.sealed()) continue;
    const auto key = make_protection_key(golden.row, golden.parent);
    ASSERT_TRUE(key);
    auto protector =
        FieldProtector::create(std::span<const ProtectionKey>(&*key, 1), {},
                               {std::make_unique<testing::FixedRandom>(golden.random), {}});
    ASSERT_TRUE(protector);
    EXPECT_EQ(testing::protect(**protector, golden.form, golden.value), golden.token)
        << algorithm_name(golden.row.algorithm) << " " << shape_name(golden.form.shape);
    ++made;
  }
  EXPECT_EQ(made, 52);
}

}  // namespace
}  // namespace paravent::crypto
