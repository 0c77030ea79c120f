#include "crypto/vault/engine/rocksdb_write_buffer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace paravent::crypto::vault {
namespace {

using rocksdb::KeyHandle;
using rocksdb::MemTableRep;
using rocksdb::Slice;

// An entry, and what it is sorted by first: of its key the first bytes, as a number.
struct Place {
  std::uint64_t prefix;
  const char* entry;
};

// A key is followed by eight bytes: sequence number and type.
std::uint64_t prefix_of(const Slice& internal_key) noexcept {
  constexpr std::size_t kTrailer = 8;
  static_assert(std::endian::native == std::endian::little);
  std::array<char, sizeof(std::uint64_t)> first{};
  const std::size_t size = internal_key.size() - std::min(internal_key.size(), kTrailer);
  if (size > 0) std::memcpy(first.data(), internal_key.data(), std::min(first.size(), size));
  return __builtin_bswap64(std::bit_cast<std::uint64_t>(first));
}

// Over the entries that were there when it was made.
class SortedIterator final : public MemTableRep::Iterator {
 public:
  SortedIterator(std::vector<Place> places, const MemTableRep::KeyComparator& compare)
      : places_(std::move(places)), compare_(compare) {
    std::sort(places_.begin(), places_.end(), [this](const Place& a, const Place& b) {
      if (a.prefix != b.prefix) return a.prefix < b.prefix;
      return compare_(a.entry, b.entry) < 0;
    });
    at_ = places_.size();
  }

  bool Valid() const override { return at_ < places_.size(); }
  const char* key() const override { return places_[at_].entry; }
  void Next() override { ++at_; }
  // Before the first one there is none.
  void Prev() override { at_ = at_ == 0 ? places_.size() : at_ - 1; }
  void Seek(const Slice& internal_key, const char* memtable_key) override {
    const Slice key = of(internal_key, memtable_key);
    const std::uint64_t prefix = prefix_of(key);
    const auto found =
        std::partition_point(places_.begin(), places_.end(), [&](const Place& place) {
          return place.prefix != prefix ? place.prefix < prefix : compare_(place.entry, key) < 0;
        });
    at_ = static_cast<std::size_t>(found - places_.begin());
  }
  void SeekForPrev(const Slice& internal_key, const char* memtable_key) override {
    Seek(internal_key, memtable_key);
    if (Valid() && compare_(key(), of(internal_key, memtable_key)) == 0) return;
    at_ = at_ == 0 ? places_.size() : at_ - 1;
  }
  void SeekToFirst() override { at_ = 0; }
  void SeekToLast() override { at_ = places_.empty() ? 0 : places_.size() - 1; }

 private:
  static Slice of(const Slice& internal_key, const char* memtable_key) {
    return memtable_key != nullptr ? rocksdb::GetLengthPrefixedSlice(memtable_key) : internal_key;
  }

  std::vector<Place> places_;
  const MemTableRep::KeyComparator& compare_;
  std::size_t at_ = 0;  // places_.size(): not valid
};

class HashedBuffer final : public MemTableRep {
 public:
  HashedBuffer(std::unique_ptr<MemTableRep> table, const KeyComparator& compare,
               rocksdb::Allocator* allocator)
      : MemTableRep(allocator), table_(std::move(table)), compare_(compare) {}

  KeyHandle Allocate(const std::size_t size, char** buffer) override {
    const KeyHandle handle = table_->Allocate(size, buffer);
    under_way_ = {handle, *buffer};
    return handle;
  }
  void Insert(KeyHandle handle) override {
    // What lies behind a handle only the table knows: the one that was allocated last.
    if (handle != under_way_.first) std::abort();
    const char* const entry = under_way_.second;
    table_->Insert(handle);
    const Place place{prefix_of(rocksdb::GetLengthPrefixedSlice(entry)), entry};
    const std::scoped_lock lock(mutex_);
    places_.push_back(place);
    note_bytes();
  }
  bool Contains(const char* key) const override { return table_->Contains(key); }
  void MarkReadOnly() override {
    table_->MarkReadOnly();
    const std::scoped_lock lock(mutex_);
    read_only_ = true;
  }
  void MarkFlushed() override { table_->MarkFlushed(); }
  void Get(const rocksdb::LookupKey& key, void* argument,
           bool (*callback)(void*, const char*)) override {
    table_->Get(key, argument, callback);
  }
  std::size_t ApproximateMemoryUsage() override {
    return table_->ApproximateMemoryUsage() + bytes_.load(std::memory_order_relaxed);
  }
  Iterator* GetIterator(rocksdb::Arena* arena) override {
    std::vector<Place> places;
    void* room = nullptr;
    {
      const std::scoped_lock lock(mutex_);
      places = places_;
      if (arena != nullptr) room = rooms_.emplace_back().bytes.data();
      note_bytes();
    }
    if (room == nullptr) return new SortedIterator(std::move(places), compare_);
    return new (room) SortedIterator(std::move(places), compare_);
  }
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override {
    return table_->GetDynamicPrefixIterator(arena);
  }

 private:
  // Of an iterator that RocksDB wants in an arena, whose type it keeps to itself: it destroys such
  // a one and frees nothing. Used once and not again, because nobody says when the destruction is
  // over; many make a buffer that is written to full, as its entries do.
  struct alignas(SortedIterator) Room {
    std::array<std::byte, sizeof(SortedIterator)> bytes;
  };

  // What is read only must not change its size any more: RocksDB takes off again what it added.
  // REQUIRES: mutex_ is held.
  void note_bytes() {
    if (read_only_) return;
    bytes_.store(places_.capacity() * sizeof(Place) + rooms_.size() * sizeof(Room),
                 std::memory_order_relaxed);
  }

  const std::unique_ptr<MemTableRep> table_;
  const KeyComparator& compare_;
  std::pair<KeyHandle, const char*> under_way_{nullptr, nullptr};  // the writer's
  std::mutex mutex_;
  std::vector<Place> places_;          // under mutex_; all entries, in the order in which they came
  std::deque<Room> rooms_;             // under mutex_
  bool read_only_ = false;             // under mutex_
  std::atomic<std::size_t> bytes_{0};  // of both; asked for with each entry
};

class HashedBuffers final : public rocksdb::MemTableRepFactory {
 public:
  // Neither huge pages of its own nor words about its buckets to a log that is silent.
  explicit HashedBuffers(std::size_t buckets)
      : tables_(rocksdb::NewHashLinkListRepFactory(buckets, 0, 0, false)) {}

  using rocksdb::MemTableRepFactory::CreateMemTableRep;
  MemTableRep* CreateMemTableRep(const MemTableRep::KeyComparator& compare,
                                 rocksdb::Allocator* allocator,
                                 const rocksdb::SliceTransform* transform,
                                 rocksdb::Logger* logger) override {
    std::unique_ptr<MemTableRep> table(
        tables_->CreateMemTableRep(compare, allocator, transform, logger));
    return new HashedBuffer(std::move(table), compare, allocator);
  }
  // RocksDB writes down the options it was opened with, and a buffer of another name it would not
  // know. What is written is read by nobody.
  const char* Name() const override { return tables_->Name(); }

 private:
  const std::unique_ptr<rocksdb::MemTableRepFactory> tables_;
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> make_hashed_write_buffers(std::size_t buckets) {
  return std::make_shared<HashedBuffers>(buckets);
}

}  // namespace paravent::crypto::vault
