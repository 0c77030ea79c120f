#include <gtest/gtest.h>

#include "crypto/vault/unseal/passphrase_provider.h"
#include "crypto/vault/unseal/passphrase_rule.h"
#include "tests/crypto/vault/unseal/unseal_testing.h"

namespace paravent::crypto::vault {
namespace {

constexpr Argon2Cost kFloor{3, 64 * 1024};
constexpr const char* kGood = "Correct-horse7battery";

PassphraseProvider asking(const KeysFolder& keys) { return {keys.folder, nullptr, kFloor}; }

PassphraseProvider knowing(const KeysFolder& keys, std::string text) {
  return {keys.folder, [text]() -> Result<SecretBytes> { return SecretBytes::copy_of(text); },
          kFloor};
}

TEST(PassphraseRule, TakesLongOnesAndRefusesShortOrMonotonousOnes) {
  for (const char* good :
       {"Abcdef12345!", "Abcdefgh123456", "seven little words that nobody ever guesses",
        "Éléphant-vert-2026", "one two three four five six seven"}) {
    EXPECT_TRUE(check_passphrase(as_bytes(good))) << good;
  }
  for (const char* bad :
       {"", "password", "Abcdef1234!", "abcdefghijklmnop", "ABCDEFGH123456", "AAAAbbbb1111",
        "one one one one one one one", "a b c d e f g h", "with\ttab Abcdef12345!"}) {
    const auto status = check_passphrase(as_bytes(bad));
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().kind(), ErrorKind::usage);
  }
  EXPECT_FALSE(check_passphrase(as_bytes(std::string(1025, 'a') + "Abcdef12345!")));
}

TEST(PassphraseProvider, OpensWithTheRightOneOnly) {
  const KeysFolder keys;
  ASSERT_TRUE(
      knowing(keys, kGood).establish(keys.root, keys.check.installation, RecordPlace::current));
  auto provider = asking(keys);
  const auto waiting = provider.open(keys.check);
  ASSERT_TRUE(waiting);
  EXPECT_FALSE(*waiting);  // somebody has to be asked
  EXPECT_TRUE(opened(provider.give(secret(kGood), keys.check), keys.root));
  EXPECT_TRUE(opened(provider.give(secret(std::string(kGood) + "\n"), keys.check), keys.root));
  for (const char* wrong : {"", "Correct-horse7batterx", "correct-horse7battery"}) {
    const auto root = provider.give(secret(wrong), keys.check);
    ASSERT_FALSE(root) << wrong;
    expect_sentence(root.error(), ErrorKind::refused, "wrong");
  }
  EXPECT_FALSE(provider.give(secret(std::string(2000, 'x')), keys.check));
  // From a file there is nobody to ask again.
  EXPECT_TRUE(opened(knowing(keys, kGood).open(keys.check), keys.root));
  expect_sentence(knowing(keys, "Wrong-horse7battery").open(keys.check).error(), ErrorKind::data,
                  "wrong");
}

TEST(PassphraseProvider, RefusesAWeakOneAndWritesNothing) {
  const KeysFolder keys;
  const auto made =
      knowing(keys, "password").establish(keys.root, keys.check.installation, RecordPlace::current);
  ASSERT_FALSE(made);
  expect_sentence(made.error(), ErrorKind::usage, "easy to guess");
  EXPECT_FALSE(std::filesystem::exists(keys.folder / "unseal"));
}

TEST(PassphraseProvider, NamesWhatIsWrongWithTheRecord) {
  const KeysFolder keys;
  auto provider = asking(keys);
  expect_sentence(provider.give(secret(kGood), keys.check).error(), ErrorKind::data,
                  "no unseal record");
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::current,
                                  {Id{3}, keys.check.value, ShareRecord{2, 3, {}}}));
  expect_sentence(provider.give(secret(kGood), keys.check).error(), ErrorKind::data,
                  "unseals by shares");
  // A record of another installation: the pass-phrase is right, the key is another's.
  const KeysFolder other;
  ASSERT_TRUE(
      knowing(keys, kGood).establish(other.root, other.check.installation, RecordPlace::current));
  expect_sentence(provider.give(secret(kGood), keys.check).error(), ErrorKind::data,
                  "another root key");
  // An altered wrap under a right pass-phrase.
  ASSERT_TRUE(
      knowing(keys, kGood).establish(keys.root, keys.check.installation, RecordPlace::current));
  auto record = **read_unseal_record(keys.folder, RecordPlace::current);
  std::get<PassphraseRecord>(record.body).wrapped[5] ^= 1;
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::current, record));
  expect_sentence(provider.give(secret(kGood), keys.check).error(), ErrorKind::data, "altered");
}

// The three steps of a change of root key, cut after each.
TEST(PassphraseProvider, AnInterruptedChangeOpensWithWhateverFitsTheKeyStore) {
  KeysFolder keys;
  ASSERT_TRUE(
      knowing(keys, kGood).establish(keys.root, keys.check.installation, RecordPlace::current));
  const RootKey changed = RootKey::ephemeral();
  const char* const kNew = "Another-horse8battery";
  ASSERT_TRUE(knowing(keys, kNew).establish(changed, keys.check.installation, RecordPlace::next));
  auto provider = asking(keys);
  EXPECT_TRUE(opened(provider.give(secret(kGood), keys.check), keys.root));
  EXPECT_FALSE(provider.give(secret(kNew), keys.check));
  const RootCheck after{keys.check.installation, changed.check_value(keys.check.installation)};
  EXPECT_TRUE(opened(provider.give(secret(kNew), after), changed));
  EXPECT_FALSE(provider.give(secret(kGood), after));
  ASSERT_TRUE(settle_unseal_records(keys.folder, after));
  EXPECT_TRUE(opened(provider.give(secret(kNew), after), changed));
  EXPECT_FALSE(*read_unseal_record(keys.folder, RecordPlace::next));
}

}  // namespace
}  // namespace paravent::crypto::vault
