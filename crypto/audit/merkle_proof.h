// Making inclusion and consistency proofs (RFC 9162 2.1.3.1, 2.1.4.1) from stored hashes.
//
// A NodeSource answers for perfect subtrees only, so that tiles on disk, or a table in a test, can
// stand behind it. The functions are pure apart from it and fail only as it fails, or with
// ErrorKind::usage.

#pragma once

#include <cstdint>
#include <vector>

#include "crypto/audit/merkle.h"

namespace paravent::crypto::audit {

class NodeSource {
 public:
  virtual ~NodeSource() = default;
  // The root of the perfect subtree over leaves [index * 2^level, (index + 1) * 2^level).
  virtual Result<Hash> node(unsigned level, std::uint64_t index) const = 0;
};

// The root of the first `size` leaves.
Result<Hash> tree_root(std::uint64_t size, const NodeSource& nodes);

// ErrorKind::usage unless index < size.
Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                          const NodeSource& nodes);

// ErrorKind::usage unless size1 <= size2. Empty where size1 is 0 or size2.
Result<std::vector<Hash>> consistency_proof(std::uint64_t size1, std::uint64_t size2,
                                            const NodeSource& nodes);

}  // namespace paravent::crypto::audit
