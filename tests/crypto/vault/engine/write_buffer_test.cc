// The write buffer that sorts in its own way, beside RocksDB's skip list: the same entries in the
// same order, forwards, backwards and from anywhere, while they lie in it and when they are a
// table.

#include <rocksdb/db.h>
#include <rocksdb/slice_transform.h>

#include <random>
#include <thread>

#include "crypto/vault/engine/rocksdb_write_buffer.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

class Pair {
 public:
  explicit Pair(const std::filesystem::path& folder) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.allow_concurrent_memtable_write = false;
    skipping_ = open(options, folder / "skipping");
    options.prefix_extractor.reset(rocksdb::NewNoopTransform());
    options.memtable_factory = make_hashed_write_buffers(64);  // few, so that entries share them
    hashing_ = open(options, folder / "hashing");
  }

  void put(const std::string& key, const std::string& value) {
    EXPECT_TRUE(skipping_->Put({}, key, value).ok());
    EXPECT_TRUE(hashing_->Put({}, key, value).ok());
  }
  void remove(const std::string& key) {
    EXPECT_TRUE(skipping_->Delete({}, key).ok());
    EXPECT_TRUE(hashing_->Delete({}, key).ok());
  }
  void flush() {
    EXPECT_TRUE(skipping_->Flush({}).ok());
    EXPECT_TRUE(hashing_->Flush({}).ok());
  }

  // From each of the keys, in both directions, and over all.
  void expect_same(const std::vector<std::string>& from) {
    rocksdb::ReadOptions whole;
    whole.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> one(skipping_->NewIterator(whole));
    const std::unique_ptr<rocksdb::Iterator> other(hashing_->NewIterator(whole));
    const auto here = [&] {
      ASSERT_EQ(one->Valid(), other->Valid());
      if (!one->Valid()) return;
      ASSERT_EQ(one->key(), other->key());
      ASSERT_EQ(one->value(), other->value());
    };
    one->SeekToFirst();
    other->SeekToFirst();
    for (; one->Valid(); one->Next(), other->Next()) here();
    here();
    one->SeekToLast();
    other->SeekToLast();
    for (; one->Valid(); one->Prev(), other->Prev()) here();
    here();
    for (const std::string& key : from) {
      one->Seek(key);
      other->Seek(key);
      here();
      if (one->Valid()) {
        one->Prev();
        other->Prev();
        here();
      }
      one->SeekForPrev(key);
      other->SeekForPrev(key);
      here();
      if (one->Valid()) {
        one->Next();
        other->Next();
        here();
      }
      std::string value;
      std::string as_value;
      EXPECT_EQ(skipping_->Get({}, key, &value).code(), hashing_->Get({}, key, &as_value).code());
      EXPECT_EQ(value, as_value);
    }
    EXPECT_TRUE(other->status().ok());
  }
  rocksdb::DB& hashing() { return *hashing_; }

 private:
  static std::unique_ptr<rocksdb::DB> open(const rocksdb::Options& options,
                                           const std::filesystem::path& folder) {
    rocksdb::DB* raw = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, folder.string(), &raw).ok());
    return std::unique_ptr<rocksdb::DB>(raw);
  }

  std::unique_ptr<rocksdb::DB> skipping_;
  std::unique_ptr<rocksdb::DB> hashing_;
};

TEST(WriteBuffer, HasTheOrderOfASkipList) {
  const TempDir temp;
  Pair pair(temp.path());
  std::mt19937_64 random(6);
  // Of any size, some the beginning of others, many alike in their first eight bytes.
  std::vector<std::string> keys;
  for (int i = 0; i < 600; ++i) {
    std::string key(random() % 3 == 0 ? "the same eight bytes" : "");
    for (std::uint64_t size = random() % 12; size > 0; --size) {
      key.push_back(static_cast<char>(random() % 2 == 0 ? random() % 3 : 0xfdU + random() % 3));
    }
    keys.push_back(std::move(key));
  }
  pair.expect_same(keys);  // nothing at all
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < 500; ++i) {
      const std::string& key = keys[random() % keys.size()];
      // Again and again the same ones: several versions lie in one buffer.
      if (random() % 4 == 0) {
        pair.remove(key);
      } else {
        pair.put(key, std::to_string(turn * 1000 + i));
      }
    }
    pair.expect_same(keys);
    pair.flush();
    pair.expect_same(keys);
  }
}

// Walks while somebody writes see whole prefixes of what was written, each in order.
TEST(WriteBuffer, IsWalkedWhileItIsWritten) {
  constexpr std::uint64_t kRows = 4000;
  const TempDir temp;
  Pair pair(temp.path());
  std::thread writer([&] {
    std::mt19937_64 random(7);
    for (std::uint64_t i = 0; i < kRows; ++i) {
      const std::uint64_t key = random();
      const rocksdb::Slice bytes(reinterpret_cast<const char*>(&key), sizeof key);
      EXPECT_TRUE(pair.hashing().Put({}, bytes, std::to_string(i)).ok());
    }
  });
  std::uint64_t seen = 0;
  while (seen < kRows) {
    rocksdb::ReadOptions whole;
    whole.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> it(pair.hashing().NewIterator(whole));
    std::uint64_t rows = 0;
    std::uint64_t last = 0;
    std::string before;
    for (it->SeekToFirst(); it->Valid(); it->Next(), ++rows) {
      ASSERT_TRUE(rows == 0 || before < it->key().ToString());
      before = it->key().ToString();
      last = std::max<std::uint64_t>(last, std::stoull(it->value().ToString()) + 1);
    }
    ASSERT_TRUE(it->status().ok());
    ASSERT_EQ(rows, last);  // none before the newest one is missing
    ASSERT_GE(rows, seen);
    seen = rows;
  }
  writer.join();
}

}  // namespace
}  // namespace paravent::crypto::vault
