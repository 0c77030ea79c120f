#include <gtest/gtest.h>

#include <array>
#include <cctype>

#include "crypto/vault/unseal/share_provider.h"
#include "crypto/vault/unseal/share_text.h"
#include "tests/crypto/vault/unseal/unseal_testing.h"

namespace paravent::crypto::vault {
namespace {

TEST(ShareText, KnownAnswerAndOneSpelling) {
  SecretBytes value(32);
  for (std::size_t i = 0; i < 32; ++i) value.mutable_bytes()[i] = static_cast<std::uint8_t>(i);
  const SecretBytes text = share_text({0xDE, 0xAD, 0xBE, 0xEF}, 3, ShamirShare{2, value.clone()});
  const std::string written(as_text(text.bytes()));
  EXPECT_EQ(written,
            "pvshare1q802m0h0qvpqqqgzqvzq2ps8pqys5zcvp58q7yq3zgf3g9gkzuvpjxsmrsw3u8cx0rmhc");
  const auto parsed = parse_share(written);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->threshold, 3);
  EXPECT_EQ(parsed->share.point, 2);
  EXPECT_TRUE(equal_constant_time(parsed->share.value.bytes(), value.bytes()));
  std::string upper = written;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(parse_share(upper));
  upper[10] = written[10] == upper[10] ? written[11] : written[10];
  EXPECT_FALSE(parse_share(upper));
  EXPECT_FALSE(parse_share(written + "q"));
  EXPECT_FALSE(parse_share(written.substr(1)));
  EXPECT_FALSE(parse_share(""));
}

TEST(ShareText, UpToFourWrongCharactersAreNoticed) {
  const SecretBytes text = share_text({1, 2, 3, 4}, 2, ShamirShare{1, SecretBytes(32)});
  const std::string good(as_text(text.bytes()));
  constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  std::uint32_t random = 1;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = good;
    for (int i = 0; i < 1 + round % 4; ++i) {
      random = random * 1664525 + 1013904223;
      damaged[8 + random / 977 % (good.size() - 8)] = kAlphabet[random / 131 % 32];
    }
    if (damaged != good) {
      EXPECT_FALSE(parse_share(damaged)) << damaged;
    }
  }
}

struct Shared {
  KeysFolder keys;
  Handouts texts;
  Shared() {
    auto made = ShareProvider(keys.folder, 3, 5)
                    .establish(keys.root, keys.check.installation, RecordPlace::current);
    if (!made) std::abort();
    texts = std::move(*made);
  }
};

TEST(ShareProvider, AnyThreeOfFiveInAnyOrderOpen) {
  const Shared shared;
  ASSERT_EQ(shared.texts.size(), 5U);
  ShareProvider provider(shared.keys.folder, 3);
  const auto waiting = provider.open(shared.keys.check);
  ASSERT_TRUE(waiting);
  EXPECT_FALSE(*waiting);
  for (const auto& order : {std::array{0, 1, 2}, {4, 2, 0}, {3, 1, 4}}) {
    EXPECT_EQ(provider.progress().needed, 3U);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(provider.progress().given, i);
      const auto root =
          provider.give(shared.texts[static_cast<std::size_t>(order[i])], shared.keys.check);
      ASSERT_TRUE(root) << root.error().sentence();
      EXPECT_EQ(root->has_value(), i == 2);
      if (i == 2) {
        EXPECT_TRUE(opened(root, shared.keys.root));
      }
    }
    EXPECT_EQ(provider.progress().given, 0U);
  }
}

// A share with a right checksum and a wrong value: noticed only when all are there, and the answer
// does not say which.
TEST(ShareProvider, AWrongShareIsNoticedAndAllAreForgotten) {
  const Shared shared;
  ShareProvider provider(shared.keys.folder, 3);
  auto parsed = *parse_share(as_text(shared.texts[1].bytes()));
  parsed.share.value.mutable_bytes()[0] ^= 1;
  const SecretBytes forged = share_text(parsed.set, parsed.threshold, parsed.share);
  for (std::size_t at = 0; at < 3; ++at) {
    Result<std::optional<RootKey>> last = std::optional<RootKey>();
    const std::size_t honest[] = {0, 2};
    std::size_t next = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      last = provider.give(i == at ? forged : shared.texts[honest[next++]], shared.keys.check);
      EXPECT_EQ(static_cast<bool>(last), i < 2) << i;
    }
    ASSERT_FALSE(last);
    expect_sentence(last.error(), ErrorKind::refused, "do not make the root key; all");
    EXPECT_EQ(provider.progress().given, 0U);
  }
}

TEST(ShareProvider, WhatAnybodyCanReadOffAShareIsSaidAtOnceAndForgetsNothing) {
  const Shared shared;
  const Shared other;
  ShareProvider provider(shared.keys.folder, 3);
  ASSERT_TRUE(provider.give(shared.texts[0], shared.keys.check));
  std::string typo(as_text(shared.texts[1].bytes()));
  typo[20] = typo[20] == 'q' ? 'p' : 'q';
  expect_sentence(provider.give(secret(typo), shared.keys.check).error(), ErrorKind::malformed,
                  "typing error");
  expect_sentence(provider.give(other.texts[1], shared.keys.check).error(), ErrorKind::malformed,
                  "another set");
  expect_sentence(provider.give(shared.texts[0], shared.keys.check).error(), ErrorKind::malformed,
                  "given already");
  EXPECT_EQ(provider.progress().given, 1U);
  provider.forget();
  EXPECT_EQ(provider.progress().given, 0U);
}

TEST(ShareProvider, RecordAndGatewayFileHaveToAgree) {
  const Shared shared;
  ShareProvider provider(shared.keys.folder, 2);
  expect_sentence(provider.open(shared.keys.check).error(), ErrorKind::data, "needs 3 shares");
  expect_sentence(
      ShareProvider(shared.keys.folder, 1, 3)
          .establish(shared.keys.root, shared.keys.check.installation, RecordPlace::current)
          .error(),
      ErrorKind::usage, "K of N");
  // Of another installation, with its record beside this key store.
  const Shared other;
  ASSERT_TRUE(write_unseal_record(shared.keys.folder, RecordPlace::current,
                                  **read_unseal_record(other.keys.folder, RecordPlace::current)));
  ShareProvider foreign(shared.keys.folder, 3);
  expect_sentence(foreign.open(shared.keys.check).error(), ErrorKind::data, "another root key");
  expect_sentence(foreign.give(other.texts[0], shared.keys.check).error(), ErrorKind::data,
                  "another root key");
}

}  // namespace
}  // namespace paravent::crypto::vault
