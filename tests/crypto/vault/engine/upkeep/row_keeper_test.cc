// What a vault does to its rows by itself: rows of destroyed keys go, rows under old keys move to
// the current ones, the blind index moves to a new key; while traffic goes on, and from wherever a
// walk was interrupted.

#include "crypto/vault/engine/upkeep/row_keeper.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <thread>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "tests/crypto/vault/engine/subject_support.h"

namespace paravent::crypto::vault {
namespace {

constexpr int kValues = 1300;  // more than two pages

std::string value_of(int i) { return "person" + std::to_string(i) + "@example.fr"; }

const auto kNeverStopped = [] { return false; };

class RowKeeperTest : public testing::Test {
 protected:
  RowKeeperTest() {
    const std::array policies{atelier()};
    EXPECT_TRUE(disk_.vault->register_names(policies));
    bind();
  }

  Vault& vault() { return *disk_.vault; }

  void bind() {
    const ContextSpec spec = email_tokens();
    auto bound = vault().bind("atelier", std::span(&spec, 1));
    ASSERT_TRUE(bound) << bound.error().sentence();
    binding_ = std::make_unique<Binding>(std::move(bound->front()));
  }

  void mint_all() {
    for (int i = 0; i < kValues; i += 100) {
      std::vector<std::string> values;
      for (int j = i; j < i + 100; ++j) values.push_back(value_of(j));
      const auto batch = batch_of(values, *binding_, Kind::email);
      ASSERT_EQ(run(vault(), batch), ResolveStatus::ok);
      for (int j = i; j < i + 100; ++j) {
        std::string text;
        write_vault_token(binding_->key.key_id, batch->jobs[static_cast<std::size_t>(j - i)].id,
                          text);
        tokens_[j] = text;
      }
    }
  }

  // Every value still has its token, and every token its value.
  void expect_all_there() {
    for (int i = 0; i < kValues; i += 37) {
      ASSERT_EQ(mint(vault(), *binding_, value_of(i)), tokens_[i]) << i;
      ASSERT_EQ(open_text(vault(), tokens_[i]), value_of(i)) << i;
    }
  }

  KeyInfo epoch_key() {
    for (KeyInfo& key : KeyAdmin(vault()).list()) {
      if (key.record.key_class == KeyClass::epoch && key.primary) return std::move(key);
    }
    ADD_FAILURE() << "no epoch key";
    return {};
  }

  // The raw ids of all tokens: what the store's files name their rows by.
  std::vector<std::string> raw_ids() {
    std::vector<std::string> out;
    for (const auto& [i, text] : tokens_) {
      const auto token = parse_token(text);
      EXPECT_TRUE(token);
      out.emplace_back(as_text(token->payload));
    }
    return out;
  }
  // Every key of the blind index, as it lies in the store. Closes the vault.
  std::vector<std::string> index_keys() {
    disk_.close();
    std::vector<std::string> names;
    const std::string store = (disk_.data_path / "store").string();
    EXPECT_TRUE(rocksdb::DB::ListColumnFamilies({}, store, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.push_back({name, {}});
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    EXPECT_TRUE(rocksdb::DB::OpenForReadOnly({}, store, families, &handles, &db).ok());
    std::vector<std::string> out;
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      if (handle->GetName() == "index") {
        const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}, handle));
        for (it->SeekToFirst(); it->Valid(); it->Next()) out.push_back(it->key().ToString());
      }
      db->DestroyColumnFamilyHandle(handle);
    }
    delete db;
    return out;
  }
  // How many of these texts lie in a file of the store.
  int in_files(const std::vector<std::string>& texts) {
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(disk_.data_path / "store")) {
      if (entry.is_regular_file()) files.push_back(test::whole_file(entry.path()));
    }
    return static_cast<int>(std::count_if(texts.begin(), texts.end(), [&](const auto& text) {
      return std::any_of(files.begin(), files.end(), [&](const std::string& file) {
        return ::memmem(file.data(), file.size(), text.data(), text.size()) != nullptr;
      });
    }));
  }

  RowReport run_rows() {
    const auto report = RowKeeper(vault()).run(kNeverStopped);
    EXPECT_TRUE(report) << report.error().sentence();
    EXPECT_TRUE(*report);
    return **report;
  }

  void reopen() {
    disk_.close();
    ASSERT_TRUE(disk_.open());
    bind();
  }

  DiskVault disk_;
  std::unique_ptr<Binding> binding_;
  std::map<int, std::string> tokens_;
};

TEST_F(RowKeeperTest, NothingIsWantedOfANewVault) {
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  EXPECT_EQ(run_rows().rows, 0U);
}

TEST_F(RowKeeperTest, AnOldTokenDoesNotComeBackWhenItsValueDoes) {
  const std::string old = mint(vault(), *binding_, "anne@example.fr");
  const std::string other = mint(vault(), *binding_, "bob@example.fr");
  ASSERT_EQ(mint(vault(), *binding_, "anne@example.fr"), old) << "known today";
  const Id key = epoch_key().record.id;
  ASSERT_TRUE(KeyAdmin(vault()).destroy(std::span(&key, 1)));
  bind();
  EXPECT_EQ(open_text(vault(), old), "(unavailable)");
  // Before any walk, and not from the memory of known tokens either.
  const std::string next = mint(vault(), *binding_, "anne@example.fr");
  EXPECT_FALSE(next.empty());
  EXPECT_NE(next, old);
  EXPECT_EQ(open_text(vault(), next), "anne@example.fr");
  EXPECT_EQ(open_text(vault(), old), "(unavailable)");
  ASSERT_TRUE(RowKeeper::wanted(vault()).purge);
  const RowReport report = run_rows();
  EXPECT_EQ(report.removed, 2U);
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  EXPECT_EQ(mint(vault(), *binding_, "anne@example.fr"), next);
  EXPECT_NE(mint(vault(), *binding_, "bob@example.fr"), other);
  EXPECT_EQ(open_text(vault(), old), "(unavailable)");
}

TEST_F(RowKeeperTest, ADestructionBehindAClockThatWasSetBackIsPurgedToo) {
  mint_all();
  const Id first = epoch_key().record.id;
  ASSERT_TRUE(KeyAdmin(vault()).destroy(std::span(&first, 1)));
  bind();
  run_rows();
  EXPECT_FALSE(RowKeeper::wanted(vault()).purge);
  mint_all();
  disk_.clock.advance(-std::chrono::minutes(30));
  const Id second = epoch_key().record.id;
  ASSERT_TRUE(KeyAdmin(vault()).destroy(std::span(&second, 1)));
  EXPECT_TRUE(RowKeeper::wanted(vault()).purge);
  EXPECT_EQ(run_rows().removed, static_cast<std::uint64_t>(kValues));
  EXPECT_FALSE(RowKeeper::wanted(vault()).purge);
  // As after a restore, which may bring rows back.
  ASSERT_TRUE(RowKeeper::want_purge(vault()));
  EXPECT_TRUE(RowKeeper::wanted(vault()).purge);
}

TEST_F(RowKeeperTest, RowsOfADestroyedKeyAreInNoFile) {
  mint_all();
  const Id key = epoch_key().record.id;
  const std::vector<std::string> ids = raw_ids();
  EXPECT_GT(in_files(ids), 0) << "never in a file, so nothing is proved";
  ASSERT_TRUE(KeyAdmin(vault()).destroy(std::span(&key, 1)));
  bind();
  const std::string kept = mint(vault(), *binding_, "kept@example.fr");
  EXPECT_EQ(run_rows().removed, static_cast<std::uint64_t>(kValues));
  EXPECT_EQ(vault().store_statistics().rows, 1U);
  EXPECT_EQ(in_files(ids), 0);
  EXPECT_EQ(open_text(vault(), kept), "kept@example.fr");
  reopen();
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  EXPECT_EQ(open_text(vault(), kept), "kept@example.fr");
}

TEST_F(RowKeeperTest, ADisabledKeyIsNoDestroyedOne) {
  const std::string token = mint(vault(), *binding_, "anne@example.fr");
  const Id key = epoch_key().record.id;
  ASSERT_TRUE(KeyAdmin(vault()).apply(key, KeyOperation::disable));
  ASSERT_TRUE(RowKeeper::want_reseal(vault()));
  const RowReport report = run_rows();
  EXPECT_EQ(report.removed, 0U);
  ASSERT_TRUE(KeyAdmin(vault()).apply(key, KeyOperation::enable));
  bind();
  EXPECT_EQ(open_text(vault(), token), "anne@example.fr");
}

TEST_F(RowKeeperTest, ResealedRowsNoLongerNeedTheOldKey) {
  mint_all();
  const Id old = epoch_key().record.id;
  ASSERT_TRUE(KeyAdmin(vault()).rotate(old));
  bind();
  ASSERT_TRUE(RowKeeper::want_reseal(vault()));
  EXPECT_TRUE(RowKeeper::wanted(vault()).reseal);
  const RowReport report = run_rows();
  EXPECT_EQ(report.resealed, static_cast<std::uint64_t>(kValues));
  EXPECT_EQ(report.waiting, 0U);
  EXPECT_FALSE(RowKeeper::wanted(vault()).reseal);
  // The proof: the old key goes, and every value stays.
  ASSERT_TRUE(KeyAdmin(vault()).destroy(std::span(&old, 1)));
  bind();
  expect_all_there();
  EXPECT_EQ(run_rows().removed, 0U);
}

TEST_F(RowKeeperTest, TheIndexMovesWhileTrafficGoesOn) {
  mint_all();
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  EXPECT_EQ(RowKeeper::want_reindex(vault(), "atelier", "crm").error().kind(), ErrorKind::busy);
  EXPECT_EQ(RowKeeper::want_reindex(vault(), "atelier", "nobody").error().kind(),
            ErrorKind::configuration);
  // Before anything has moved: known values keep their tokens, new ones get theirs.
  ASSERT_EQ(mint(vault(), *binding_, value_of(7)), tokens_[7]);
  const std::string fresh = mint(vault(), *binding_, "fresh@example.fr");
  std::atomic<bool> ended{false};
  std::atomic<int> wrong{0};
  std::thread traffic([&] {
    for (int i = 0; !ended; i = (i + 1) % kValues) {
      if (mint(vault(), *binding_, value_of(i)) != tokens_[i]) ++wrong;
    }
  });
  const RowReport report = run_rows();
  ended = true;
  traffic.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(report.moved, 0U);
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  expect_all_there();
  EXPECT_EQ(mint(vault(), *binding_, "fresh@example.fr"), fresh);
  // Nothing is left under the old index: a second move finds as many entries as there are values.
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  EXPECT_EQ(run_rows().moved, static_cast<std::uint64_t>(kValues) + 1U);
  reopen();
  expect_all_there();
}

// A copy of the files with the old key confirms guesses: so the entries under it go from the files.
TEST_F(RowKeeperTest, EntriesUnderTheOldIndexAreInNoFile) {
  mint_all();
  const std::vector<std::string> before = index_keys();
  ASSERT_EQ(before.size(), static_cast<std::size_t>(kValues));
  EXPECT_GT(in_files({before.begin(), before.begin() + 100}), 0);
  reopen();
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  EXPECT_EQ(run_rows().moved, static_cast<std::uint64_t>(kValues));
  EXPECT_EQ(in_files(before), 0);
  const std::vector<std::string> after = index_keys();
  EXPECT_EQ(after.size(), before.size());
  EXPECT_EQ(in_files(before), 0) << "closed";
  reopen();
  expect_all_there();
}

TEST_F(RowKeeperTest, AWalkThatIsInterruptedAnywhereGoesOn) {
  mint_all();
  const Id old = epoch_key().record.id;
  ASSERT_TRUE(KeyAdmin(vault()).rotate(old));
  bind();
  ASSERT_TRUE(RowKeeper::want_reseal(vault()));
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  for (int pages = 0; pages < 6; ++pages) {
    int left = pages;
    const auto done = RowKeeper(vault()).run([&left] { return left-- == 0; });
    ASSERT_TRUE(done);
    if (!*done) {
      EXPECT_TRUE(RowKeeper::wanted(vault()).reseal || RowKeeper::wanted(vault()).reindex);
    }
    // As after a crash: what is durable is all that there is.
    reopen();
    expect_all_there();
  }
  run_rows();
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  ASSERT_TRUE(KeyAdmin(vault()).destroy(std::span(&old, 1)));
  bind();
  expect_all_there();
}

TEST_F(RowKeeperTest, WhatWasDoneIsHeardOfBeforeItCountsAsDone) {
  mint_all();
  ASSERT_TRUE(KeyAdmin(vault()).rotate(epoch_key().record.id));
  bind();
  ASSERT_TRUE(RowKeeper::want_reseal(vault()));
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  const auto unheard = RowKeeper(vault()).run(
      kNeverStopped, [](const RowReport&) { return Status(Error(ErrorKind::disk_full)); });
  ASSERT_FALSE(unheard);
  EXPECT_EQ(unheard.error().kind(), ErrorKind::disk_full);
  reopen();
  EXPECT_TRUE(RowKeeper::wanted(vault()).reseal && RowKeeper::wanted(vault()).reindex);
  int heard = 0;
  const auto done = RowKeeper(vault()).run(kNeverStopped, [&](const RowReport& report) {
    EXPECT_TRUE(RowKeeper::wanted(vault()).reseal && RowKeeper::wanted(vault()).reindex);
    EXPECT_GT(report.rows, 0U);
    ++heard;
    return Status();
  });
  ASSERT_TRUE(done && *done);
  EXPECT_EQ(heard, 1);
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  expect_all_there();
}

TEST_F(RowKeeperTest, ARowThatCannotBeOpenedYetKeepsTheOldIndex) {
  const std::string token = mint(vault(), *binding_, "anne@example.fr");
  const Id old = epoch_key().record.id;
  ASSERT_TRUE(KeyAdmin(vault()).apply(old, KeyOperation::disable));
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  const RowReport report = run_rows();
  EXPECT_EQ(report.waiting, 1U);
  EXPECT_TRUE(RowKeeper::wanted(vault()).reindex);
  ASSERT_TRUE(KeyAdmin(vault()).apply(old, KeyOperation::enable));
  bind();
  EXPECT_EQ(mint(vault(), *binding_, "anne@example.fr"), token);
  run_rows();
  EXPECT_FALSE(RowKeeper::wanted(vault()).reindex);
  EXPECT_EQ(mint(vault(), *binding_, "anne@example.fr"), token);
}

TEST_F(RowKeeperTest, RowsOfDataSubjectsMoveToo) {
  const BoundRoute route = bound_route(vault());
  const Answer first = ask(vault(), route, "anne@example.fr", "Anne");
  ASSERT_EQ(first.status, ResolveStatus::ok);
  KeyAdmin keys(vault());
  std::vector<Id> old;
  for (const KeyInfo& key : keys.list()) {
    if (key.record.key_class == KeyClass::epoch && key.record.epoch.length == EpochLength::none) {
      old.push_back(key.record.id);
    }
  }
  ASSERT_FALSE(old.empty());
  for (const Id& key : old) ASSERT_TRUE(keys.rotate(key));
  const BoundRoute next = bound_route(vault());
  ASSERT_TRUE(RowKeeper::want_reseal(vault()));
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  const RowReport report = run_rows();
  EXPECT_EQ(report.resealed, 2U);
  EXPECT_EQ(report.waiting, 0U);
  ASSERT_TRUE(keys.destroy(old));
  const BoundRoute last = bound_route(vault());
  for (std::size_t i = 0; i < first.tokens.size(); ++i) {
    EXPECT_EQ(open_text(vault(), first.tokens[i]), i == 0 ? "anne@example.fr" : "Anne");
  }
  EXPECT_EQ(ask(vault(), last, "anne@example.fr", "Anne").tokens, first.tokens);
}

TEST(RowJobs, RecordsHaveOneSpelling) {
  const RowWishes wishes{true, WallTime(std::chrono::milliseconds(77))};
  EXPECT_EQ(decode_row_wishes(encode_row_wishes(wishes)).value(), wishes);
  const IndexVersions versions{3, 2, Id{5}, Id{4}};
  EXPECT_EQ(decode_index_versions(encode_index_versions(versions)).value(), versions);
  for (const Bytes& bad :
       {Bytes{}, Bytes{1}, Bytes{2, 1, 0, 0, 0, 0, 0, 0, 0, 7}, Bytes{1, 2, 0, 0, 0, 0, 0, 0, 0, 7},
        Bytes{1, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0}}) {
    EXPECT_FALSE(decode_row_wishes(bad));
  }
  const Bytes good = encode_index_versions(versions);
  ASSERT_EQ(good.size(), 1U + 4 + 4 + 16 + 16);
  Bytes bad = good;
  bad[0] = 1;  // another format
  EXPECT_FALSE(decode_index_versions(bad));
  bad = good;
  bad[8] = 3;  // the version before is the current one
  EXPECT_FALSE(decode_index_versions(bad));
  bad[8] = 0;  // none before, and yet a key
  EXPECT_FALSE(decode_index_versions(bad));
  bad = good;
  bad.push_back(0);
  EXPECT_FALSE(decode_index_versions(bad));
  EXPECT_FALSE(decode_index_versions(ByteView(good).first(good.size() - 1)));
  EXPECT_FALSE(decode_index_versions({}));
  // Of a store from before the keys of domains rotated: both versions hang on the oldest.
  const Bytes old{1, 0, 0, 0, 3, 0, 0, 0, 2};
  EXPECT_EQ(decode_index_versions(old).value(), (IndexVersions{3, 2, kNoId, kNoId}));
  for (const Bytes& wrong :
       {Bytes{3, 0, 0, 0, 3, 0, 0, 0, 2}, Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0},
        Bytes{1, 0, 0, 0, 1, 0, 0, 0, 1}, Bytes{1, 0, 0, 0, 2, 0, 0, 0, 1, 0}}) {
    EXPECT_FALSE(decode_index_versions(wrong));
  }
}

}  // namespace
}  // namespace paravent::crypto::vault
