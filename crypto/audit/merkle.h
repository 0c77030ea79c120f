// The Merkle tree of RFC 6962 2.1 / RFC 9162 2.1 over SHA-256: hashing, the growing root, and the
// verification of inclusion and consistency proofs.
//
// Everything here is pure: no disk, no keys, no allocation beyond the values returned. CompactRange
// is a plain value, owned by one thread at a time. Vectors: tests/vectors/merkle.

#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/sha256.h"

namespace paravent::crypto::audit {

using Hash = Sha256Digest;

// SHA-256(0x00 | leaf), SHA-256(0x01 | left | right): the prefixes keep a node from passing as a
// leaf.
Hash hash_leaf(ByteView leaf) noexcept;
Hash hash_node(const Hash& left, const Hash& right) noexcept;

// The root of the empty tree: SHA-256 of nothing.
Hash empty_root() noexcept;

// The only way from bytes to a Hash: ErrorKind::malformed unless they are exactly 32.
Result<Hash> hash_from_bytes(ByteView bytes);

// The root of a perfect subtree over `hashes`, whose number is a power of two and at most 256.
Hash perfect_root(std::span<const Hash> hashes) noexcept;

// The right edge of a tree: the roots of its perfect subtrees, largest first. Enough to append to
// it and to know its root; 64 of them cover 2^64 leaves.
class CompactRange {
 public:
  // Appends a leaf hash.
  void append(const Hash& leaf_hash) noexcept { append_peak(0, leaf_hash); }

  // Appends the root of a perfect subtree of 2^level leaves.
  // REQUIRES: size() is a multiple of 2^level and the sum does not pass 2^64 - 1.
  void append_peak(unsigned level, const Hash& root) noexcept;

  std::uint64_t size() const noexcept { return size_; }
  Hash root() const noexcept;

 private:
  std::uint64_t size_ = 0;
  std::array<Hash, 64> peaks_{};  // peaks_[level] is in use where bit `level` of size_ is set
};

// RFC 9162 2.1.3.2. ErrorKind::verification unless `proof` shows that `leaf_hash` is leaf number
// `index` of the tree of `size` leaves with that root. A proof that is longer than needed is
// refused.
Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf_hash,
                        std::span<const Hash> proof, const Hash& root);

// RFC 9162 2.1.4.2. ErrorKind::verification unless the tree (size1, root1) is a beginning of the
// tree (size2, root2). Every tree continues the empty one, whose root must then be empty_root().
Status verify_consistency(std::uint64_t size1, std::uint64_t size2, const Hash& root1,
                          const Hash& root2, std::span<const Hash> proof);

}  // namespace paravent::crypto::audit
