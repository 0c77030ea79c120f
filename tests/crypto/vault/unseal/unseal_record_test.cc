#include "crypto/vault/unseal/unseal_record.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/vault/engine/base/durable_file.h"
#include "tests/crypto/vault/unseal/unseal_testing.h"

namespace paravent::crypto::vault {
namespace {

std::vector<UnsealRecord> samples() {
  PassphraseRecord passphrase;
  passphrase.passes = 3;
  passphrase.memory_kib = 65536;
  passphrase.salt.fill(1);
  passphrase.wrapped.fill(2);
  Pkcs11Record token;
  token.mechanism = WrapMechanism::pad;
  token.wrapped = Bytes(40, 3);
  return {{Id{1}, {}, passphrase}, {Id{2}, {}, token}, {Id{3}, {}, ShareRecord{2, 3, {}}}};
}

TEST(UnsealRecord, RoundTripOfEachMethod) {
  const UnsealMethod methods[] = {UnsealMethod::passphrase, UnsealMethod::pkcs11,
                                  UnsealMethod::shares};
  std::size_t i = 0;
  for (const UnsealRecord& record : samples()) {
    const Bytes file = encode_unseal_record(record);
    const auto parsed = parse_unseal_record(file);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->method(), methods[i++]);
    EXPECT_EQ(parsed->set, record.set);
    EXPECT_EQ(encode_unseal_record(*parsed), file);
  }
}

TEST(UnsealRecord, EveryAlteredByteAndEveryCutIsNoticed) {
  for (const UnsealRecord& record : samples()) {
    const Bytes file = encode_unseal_record(record);
    for (std::size_t i = 0; i < file.size(); ++i) {
      Bytes altered = file;
      altered[i] ^= 1;
      EXPECT_FALSE(parse_unseal_record(altered)) << i;
      EXPECT_FALSE(parse_unseal_record(ByteView(file).first(i))) << i;
    }
    Bytes longer = file;
    longer.push_back(0);
    EXPECT_FALSE(parse_unseal_record(longer));
  }
}

TEST(UnsealRecord, BoundsKeepItFromTakingTheMachineOrFromBeingWeak) {
  for (const auto& [passes, memory] :
       {std::pair(2U, 65536U), {17U, 65536U}, {3U, 65535U}, {3U, 4U * 1024 * 1024 + 1}}) {
    PassphraseRecord record;
    record.passes = passes;
    record.memory_kib = memory;
    EXPECT_FALSE(parse_unseal_record(encode_unseal_record({Id{1}, {}, record})));
  }
  EXPECT_FALSE(parse_unseal_record(encode_unseal_record({Id{1}, {}, ShareRecord{1, 3, {}}})));
  EXPECT_FALSE(parse_unseal_record(encode_unseal_record({Id{1}, {}, ShareRecord{4, 3, {}}})));
  EXPECT_FALSE(parse_unseal_record(encode_unseal_record({kNoId, {}, ShareRecord{2, 3, {}}})));
}

TEST(UnsealRecord, FilesHaveASentenceForEachFault) {
  const KeysFolder keys;
  const auto none = read_unseal_record(keys.folder, RecordPlace::current);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const UnsealRecord record = samples()[2];
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::current, record));
  ASSERT_TRUE(read_unseal_record(keys.folder, RecordPlace::current));
  const auto path = keys.folder / "unseal";
  ::chmod(path.c_str(), 0644);
  expect_sentence(read_unseal_record(keys.folder, RecordPlace::current).error(), ErrorKind::data,
                  "chmod 600");
  ::chmod(path.c_str(), 0600);
  Bytes newer = encode_unseal_record(record);
  newer[8] = 3;
  write_text(path, as_text(newer));
  expect_sentence(read_unseal_record(keys.folder, RecordPlace::current).error(), ErrorKind::data,
                  "newer version");
  write_text(path, "PVTUNSL1");
  expect_sentence(read_unseal_record(keys.folder, RecordPlace::current).error(), ErrorKind::data,
                  "truncated or altered");
}

TEST(UnsealRecord, TheOneInForceIsTheOneThatFitsTheKeyStore) {
  const KeysFolder keys;
  const RootCheck after{keys.check.installation, {9}};
  EXPECT_FALSE(*record_in_force(keys.folder, keys.check));
  UnsealRecord now = samples()[2];
  now.root_check = keys.check.value;
  UnsealRecord next = samples()[1];
  next.root_check = after.value;
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::current, now));
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::next, next));
  EXPECT_EQ((*record_in_force(keys.folder, keys.check))->set, now.set);
  EXPECT_EQ((*record_in_force(keys.folder, after))->set, next.set);
  // A damaged one is no obstacle to the other.
  const std::string whole = test::whole_file(keys.folder / "unseal.next");
  write_text(keys.folder / "unseal.next", "PVTUNSL1");
  EXPECT_EQ((*record_in_force(keys.folder, keys.check))->set, now.set);
  expect_sentence(record_in_force(keys.folder, after).error(), ErrorKind::data, "altered");
  // It goes where another one is in force, and stays where it may be needed.
  ASSERT_TRUE(settle_unseal_records(keys.folder, keys.check));
  EXPECT_FALSE(std::filesystem::exists(keys.folder / "unseal.next"));
  const std::string fitting = test::whole_file(keys.folder / "unseal");
  ASSERT_TRUE(write_file_durably(keys.folder / "unseal.next", as_bytes("PVTUNSL1")));
  ASSERT_TRUE(settle_unseal_records(keys.folder, after));
  EXPECT_TRUE(std::filesystem::exists(keys.folder / "unseal.next"));
  EXPECT_FALSE(std::filesystem::exists(keys.folder / "unseal")) << "of a key in force no more";
  ASSERT_TRUE(write_file_durably(keys.folder / "unseal", as_bytes(fitting)));
  ASSERT_TRUE(write_file_durably(keys.folder / "unseal.next", as_bytes(whole)));
  // Which of the two the key store knows decides which stays.
  ASSERT_TRUE(settle_unseal_records(keys.folder, keys.check));
  EXPECT_FALSE(*read_unseal_record(keys.folder, RecordPlace::next));
  EXPECT_EQ((*read_unseal_record(keys.folder, RecordPlace::current))->set, now.set);
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::next, next));
  ASSERT_TRUE(settle_unseal_records(keys.folder, after));
  EXPECT_FALSE(*read_unseal_record(keys.folder, RecordPlace::next));
  EXPECT_EQ((*read_unseal_record(keys.folder, RecordPlace::current))->set, next.set);
  expect_sentence(record_in_force(keys.folder, keys.check).error(), ErrorKind::data,
                  "another root key");
  expect_sentence(check_unseal_method(keys.folder, after, UnsealMethod::key_file).error(),
                  ErrorKind::data, "unseals by pkcs11, not by key-file");
  EXPECT_TRUE(check_unseal_method(keys.folder, after, UnsealMethod::pkcs11));
  EXPECT_TRUE(check_unseal_method(keys.folder, keys.check, UnsealMethod::key_file));
  ASSERT_TRUE(remove_unseal_records(keys.folder));
  ASSERT_TRUE(remove_unseal_records(keys.folder));
  EXPECT_FALSE(*read_unseal_record(keys.folder, RecordPlace::current));
}

}  // namespace
}  // namespace paravent::crypto::vault
