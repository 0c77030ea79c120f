// EntryWalk: the part of verification that reads entries and tiles: recomputes every hash of a log
// from its entries and compares every tile and bundle file, byte by byte.
//
// One object per verification, one thread.

#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/audit/leaf.h"
#include "crypto/audit/merkle.h"
#include "crypto/audit/snapshot.h"
#include "crypto/audit/verifier.h"

namespace paravent::crypto::audit {

class EntryWalk {
 public:
  // `size`: what the checkpoint covers. `limit`: what an announced commit would cover, else `size`.
  EntryWalk(const Snapshot& snapshot, std::uint64_t size, std::uint64_t limit);

  // The root at each of these sizes is kept. Before run().
  void watch(std::uint64_t size) { roots_.emplace(size, std::nullopt); }
  // Called for each entry that the checkpoint covers, in order; what it answers is a fault. Before
  // run().
  void listen(std::function<Status(const DecodedEntry&)> listener) {
    listener_ = std::move(listener);
  }
  // Called now and then with how many entries were checked. Before run().
  void tell(std::function<void(std::uint64_t walked)> progress) { progress_ = std::move(progress); }
  // Nothing where every file is as it must be.
  std::optional<Fault> run();

  // How many entries there were: `size`, or up to `limit`.
  std::uint64_t walked() const noexcept { return range_.size(); }
  // nullopt where the log is shorter.
  std::optional<Hash> root_at(std::uint64_t size) const;
  std::uint64_t bytes() const noexcept { return bytes_; }
  // Partial files that a later commit replaced, and that were still there.
  std::uint64_t superseded() const noexcept { return superseded_; }

 private:
  std::optional<Fault> walk_bundle(std::uint64_t index, unsigned width);
  std::optional<Fault> check_bundle_files(std::uint64_t index, ByteView content,
                                          const std::vector<std::size_t>& ends);
  std::optional<Fault> add_hash(unsigned level, const Hash& hash);
  std::optional<Fault> finish_tile(unsigned level);
  std::optional<Fault> compare(const TileName& name, ByteView expected);
  std::optional<Fault> find_missing_or_beyond() const;

  const Snapshot& snapshot_;
  std::uint64_t size_;
  std::uint64_t limit_;
  std::set<TileName> present_;
  std::set<TileName> checked_;
  CompactRange range_;
  std::array<std::vector<Hash>, kMaxTileLevel + 1> levels_;
  std::map<std::uint64_t, std::optional<Hash>> roots_;
  std::function<Status(const DecodedEntry&)> listener_;
  std::function<void(std::uint64_t)> progress_;
  std::uint64_t bytes_ = 0;
  std::uint64_t superseded_ = 0;
};

}  // namespace paravent::crypto::audit
