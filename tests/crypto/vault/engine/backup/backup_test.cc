// Backups as files: every flipped bit and every cut is noticed; the blind index comes back from the
// rows alone.

#include <algorithm>

#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/xchacha20_poly1305.h"
#include "crypto/vault/engine/backup/backup_archive.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Bytes kKey(32, 7);

BackupInfo info_of(BackupKind kind) {
  BackupInfo info;
  info.kind = kind;
  info.installation = Id{1};
  info.id = Id{2};
  info.made = WallTime(std::chrono::milliseconds(1773568800000));
  return info;
}

Status write_backup(const std::filesystem::path& file, std::string_view content) {
  auto writer = BackupWriter::create(file, info_of(BackupKind::data), kKey);
  if (!writer) return writer.error();
  if (auto s = (*writer)->write(as_bytes(content)); !s) return s;
  return (*writer)->finish();
}

// nullopt: it was noticed.
std::optional<std::string> read_backup(const std::filesystem::path& file) {
  auto reader = BackupReader::open(file, kKey);
  if (!reader) {
    EXPECT_EQ(reader.error().kind(), ErrorKind::data);
    return std::nullopt;
  }
  std::string out;
  Bytes piece(10'000);
  for (;;) {
    const auto size = (*reader)->read(piece);
    if (!size) {
      expect_sentence(size.error(), ErrorKind::data, "truncated or altered");
      return std::nullopt;
    }
    out.append(as_text(ByteView(piece).first(*size)));
    if (*size < piece.size()) return out;
  }
}

TEST(BackupFile, ComesBackWhateverItsSize) {
  const TempDir temp;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kBackupChunk - 1, kBackupChunk,
                                 kBackupChunk + 1, 3 * kBackupChunk, std::size_t{200'000}}) {
    const auto file = temp.path() / std::to_string(size);
    const std::string content(size, 'c');
    ASSERT_TRUE(write_backup(file, content));
    EXPECT_EQ(read_backup(file), content) << size;
    EXPECT_EQ(test::whole_file(file).find(std::string(16, 'c')), std::string::npos);
  }
}

TEST(BackupFile, EveryFlippedBitAndEveryCutIsNoticed) {
  const TempDir temp;
  const auto file = temp.path() / "backup";
  ASSERT_TRUE(write_backup(file, std::string(kBackupChunk + 30, 'c')));
  const std::string whole = test::whole_file(file);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < whole.size(); i += i < 300 || i + 60 > whole.size() ? 1U : 4099U) {
    places.push_back(i);
  }
  for (const std::size_t at : places) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write_text(file, bad);
    EXPECT_FALSE(read_backup(file)) << at;
    write_text(file, std::string_view(whole).substr(0, at));
    EXPECT_FALSE(read_backup(file)) << "cut at " << at;
  }
  write_text(file, whole + "x");
  EXPECT_FALSE(read_backup(file));
  // Two chunks in another order, and a chunk twice.
  const std::size_t sealed = kBackupChunk + kStreamChunkOverhead;
  const std::string head = whole.substr(0, kBackupHeaderSize);
  const std::string first = whole.substr(kBackupHeaderSize, sealed);
  const std::string second = whole.substr(kBackupHeaderSize + sealed);
  for (const std::string& order : {second + first, first + first + second, second}) {
    write_text(file, head + order);
    EXPECT_FALSE(read_backup(file));
  }
}

// A data backup of one chunk as the version before wrote it.
void write_of_before(const std::filesystem::path& file, std::string_view content) {
  const BackupInfo info = info_of(BackupKind::data);
  std::string head("PVTBKUP1");
  append_u16be(head, 2);
  append_u8(head, 1);
  append_bytes(head, info.installation);
  append_bytes(head, info.id);
  append_u64be(head, static_cast<std::uint64_t>(info.made.time_since_epoch().count()));
  append_u64be(head, 0);
  append_lp(head, "");
  const auto mac = HmacSha256(kKey).mac(as_bytes(std::string_view("kcv")), info.installation);
  append_bytes(head, ByteView(mac).first(8));
  const Bytes key(kStreamKeySize, 9);
  Bytes nonce(kXchachaNonceSize, 3);
  Bytes wrapped(kStreamKeySize + kXchachaTagSize);
  Bytes stream(kStreamHeaderSize);
  auto sealer = StreamSealer::start(key, stream).value();
  ASSERT_TRUE(xchacha20_poly1305_seal(kKey, nonce, as_bytes(head), key, wrapped));
  for (const Bytes& part : {nonce, wrapped, stream}) append_bytes(head, part);
  ASSERT_EQ(head.size(), kBackupHeaderSize);
  Bytes sealed(content.size() + kStreamChunkOverhead);
  ASSERT_TRUE(sealer.seal(as_bytes(head), as_bytes(content), StreamPart::last, sealed));
  append_bytes(head, sealed);
  write_text(file, head);
}

TEST(BackupFile, ADataBackupHasAFormatThatTheVersionBeforeDoesNotTakeForItsOwn) {
  const TempDir temp;
  const auto data = temp.path() / "data";
  const auto keys = temp.path() / "keys";
  const auto bad = temp.path() / "bad";
  ASSERT_TRUE(write_backup(data, "data"));
  ASSERT_TRUE(BackupWriter::create(keys, info_of(BackupKind::keys), kKey).value()->finish());
  const auto format = [](const std::filesystem::path& file) {
    return test::whole_file(file).substr(8, 2);
  };
  EXPECT_EQ(format(data), std::string("\0\3", 2));
  EXPECT_EQ(format(keys), std::string("\0\2", 2));
  // Of each kind the next one has its sentence, as it had in the version before.
  for (const auto& file : {data, keys}) {
    std::string next = test::whole_file(file);
    ++next[9];
    write_text(bad, next);
    const auto reader = BackupReader::open(bad, kKey);
    ASSERT_FALSE(reader);
    expect_sentence(reader.error(), ErrorKind::data, "newer version of paravent");
  }
  // And the one before is read still.
  write_of_before(data, "data of before");
  EXPECT_EQ(read_backup(data), "data of before");
  std::string altered = test::whole_file(data);
  altered[9] = 3;
  write_text(data, altered);
  EXPECT_FALSE(read_backup(data));
}

TEST(BackupFile, AKeyBackupNamesWhatMakesItsRootKey) {
  const TempDir temp;
  const auto file = temp.path() / "backup";
  BackupInfo info = info_of(BackupKind::keys);
  info.unseal_record = Bytes(kMaxUnsealInBackup, 5);
  {
    auto writer = BackupWriter::create(file, info, kKey).value();
    ASSERT_TRUE(writer->write(as_bytes("keys")));
    ASSERT_TRUE(writer->finish());
  }
  const auto read = BackupReader::read_info(file);
  ASSERT_TRUE(read) << read.error().sentence();
  EXPECT_EQ(read->unseal_record, info.unseal_record);
  EXPECT_EQ(read->installation, info.installation);
  EXPECT_EQ(read_backup(file), "keys");
  const std::string whole = test::whole_file(file);
  // It is bound to the rest: another record, or none, and nothing of it opens.
  for (const std::size_t at :
       {std::size_t{59}, std::size_t{60}, std::size_t{61}, std::size_t{4000}}) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write_text(file, bad);
    EXPECT_FALSE(read_backup(file)) << at;
  }
  // A data backup has none.
  info.kind = BackupKind::data;
  std::filesystem::remove(file);
  {
    auto writer = BackupWriter::create(file, info, kKey).value();
    ASSERT_TRUE(writer->finish());
  }
  EXPECT_FALSE(read_backup(file));
}

TEST(BackupFile, AnUnfinishedOneLeavesNothingAndNoneIsOverwritten) {
  const TempDir temp;
  const auto file = temp.path() / "backup";
  {
    auto writer = BackupWriter::create(file, info_of(BackupKind::data), kKey).value();
    ASSERT_TRUE(writer->write(Bytes(100'000)));
  }
  EXPECT_TRUE(std::filesystem::is_empty(temp.path()));
  ASSERT_TRUE(write_backup(file, "first"));
  const auto again = write_backup(file, "second");
  ASSERT_FALSE(again);
  expect_sentence(again.error(), ErrorKind::data, "not overwritten");
  EXPECT_EQ(read_backup(file), "first");
  const auto mistaken = BackupReader::open(file, Bytes(32, 8));
  ASSERT_FALSE(mistaken);
  expect_sentence(mistaken.error(), ErrorKind::data, "root key is not the one");
}

TEST(KeyBackups, AreOnRecordWithTheirExpiry) {
  DiskVault disk;
  const auto at = [](int days) { return WallTime(std::chrono::days(20'000 + days)); };
  EXPECT_TRUE(disk.vault->key_backups().empty());
  ASSERT_TRUE(disk.vault->note_key_backup({Id{1}, at(0), at(30)}));
  ASSERT_TRUE(disk.vault->note_key_backup({Id{2}, at(1), at(8)}));
  ASSERT_TRUE(disk.vault->note_key_backup({Id{3}, at(9), at(90)}));
  // In the key store, so after a restart too, and nobody takes one away who can write files.
  ASSERT_TRUE(disk.open());
  const auto entries = disk.vault->key_backups();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[1], (KeyBackupEntry{Id{2}, at(1), at(8)}));
  // What is destroyed on day 5 can come back from the first two only.
  EXPECT_EQ(no_key_backup_after(entries, at(5), at(10)), at(30));
  EXPECT_EQ(no_key_backup_after({}, at(5), at(10)), at(5));
  // The third was made by a clock that ran ahead, perhaps before the destruction.
  EXPECT_EQ(no_key_backup_after(entries, at(5), at(8)), at(90));
}

TEST(KeyBackups, OneSpellingOfARecord) {
  const KeyBackupEntry entry{Id{1}, WallTime(std::chrono::days(20'000)),
                             WallTime(std::chrono::days(20'030))};
  const Bytes stored = encode_key_backup(entry);
  EXPECT_EQ(decode_key_backup(Id{1}, stored).value(), entry);
  Bytes longer = stored;
  longer.push_back(0);
  EXPECT_FALSE(decode_key_backup(Id{1}, longer));
  EXPECT_FALSE(decode_key_backup(Id{1}, ByteView(stored).first(stored.size() - 1)));
  Bytes newer = stored;
  newer[0] = 2;
  EXPECT_FALSE(decode_key_backup(Id{1}, newer));
  EXPECT_FALSE(decode_key_backup(Id{1}, encode_key_backup({Id{1}, entry.expires, entry.made})))
      << "expired before it was made";
}

TEST(IndexRebuild, AValueGetsItsOldTokenFromTheRowsAlone) {
  DiskVault disk;
  ASSERT_TRUE(disk.vault->admit_names(std::vector{atelier()}));
  ContextSpec related = email_tokens();
  related.scope = Scope::relationship;
  const auto specs = std::vector{email_tokens(), related};
  auto bound = disk.vault->bind("atelier", specs).value();
  Wish wish;
  wish.scope = Scope::relationship;
  wish.scope_id[0] = 9;
  const std::string person = mint(*disk.vault, bound[0], "jeanne@example.org");
  const std::string relation = mint(*disk.vault, bound[1], "jeanne@example.org", wish);
  ASSERT_NE(person, relation);
  std::vector<StoreRecord> records;
  {
    auto snapshot = disk.vault->snapshot_store().value();
    StoreRecord record;
    while (snapshot->next(record).value()) records.push_back(record);
  }
  const Id installation = disk.vault->installation_id();
  disk.close();
  std::filesystem::remove_all(disk.data_path / "store");
  ASSERT_TRUE(DataDirectory::create(disk.data_path));
  {
    auto store = RocksdbTokenStore::create(disk.data_path / "store", installation).value();
    ASSERT_TRUE(store->import(records));
  }
  ASSERT_TRUE(disk.open());
  const auto report = disk.vault->rebuild_index();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->rows, 2U);
  EXPECT_EQ(report->indexed, 2U);
  bound = disk.vault->bind("atelier", specs).value();
  EXPECT_EQ(mint(*disk.vault, bound[0], "jeanne@example.org"), person);
  EXPECT_EQ(mint(*disk.vault, bound[1], "jeanne@example.org", wish), relation);
  EXPECT_EQ(open_text(*disk.vault, person), "jeanne@example.org");
}

}  // namespace
}  // namespace paravent::crypto::vault
