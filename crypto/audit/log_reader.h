// LogReader: hashes and entries of one log at one size, read from its folder and its tail.
//
// Full tiles and bundles never change, so they are read from disk without a lock; what is partial
// comes from the tail that was published with that size, and what the writer has not put into the
// folder yet from its memory. Immutable; any thread.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/audit/merkle_proof.h"
#include "crypto/audit/tail.h"

namespace paravent::crypto::audit {

// Full tiles that are durable in a journal and not in the folder yet, in the order they were made.
using UnwrittenTiles = std::vector<std::shared_ptr<const NewFile>>;

class LogReader final : public NodeSource {
 public:
  LogReader(std::string path, std::shared_ptr<const Tail> tail,
            std::shared_ptr<const UnwrittenTiles> unwritten)
      : path_(std::move(path)), tail_(std::move(tail)), unwritten_(std::move(unwritten)) {}

  std::uint64_t size() const noexcept { return tail_->size(); }

  // ErrorKind::usage outside the log, data when a tile cannot be read.
  Result<Hash> node(unsigned level, std::uint64_t index) const override;

  // The stored bytes of entries [begin, begin + count), cut at the end of the log.
  Result<std::vector<Bytes>> entries(std::uint64_t begin, std::size_t count) const;

 private:
  Result<std::vector<Hash>> tile(unsigned level, std::uint64_t index) const;
  Result<Bytes> bundle(std::uint64_t index) const;
  Result<Bytes> full(const TileName& name, std::size_t limit) const;

  std::string path_;
  std::shared_ptr<const Tail> tail_;
  std::shared_ptr<const UnwrittenTiles> unwritten_;
};

}  // namespace paravent::crypto::audit
