#include "crypto/audit/merkle_proof.h"

#include <bit>

namespace paravent::crypto::audit {
namespace {

// The range [begin, end) of leaves; all ranges here are nodes of the RFC's recursion.
struct Range {
  std::uint64_t begin;
  std::uint64_t end;

  std::uint64_t size() const noexcept { return end - begin; }
  // The RFC's k: the largest power of two smaller than the size. REQUIRES: size() > 1.
  std::uint64_t split() const noexcept { return begin + std::bit_floor(size() - 1); }
};

Result<Hash> range_root(Range range, const NodeSource& nodes) {
  if (std::has_single_bit(range.size())) {
    const auto level = static_cast<unsigned>(std::countr_zero(range.size()));
    return nodes.node(level, range.begin >> level);
  }
  const std::uint64_t split = range.split();
  const Result<Hash> left = range_root({range.begin, split}, nodes);
  if (!left) return left.error();
  const Result<Hash> right = range_root({split, range.end}, nodes);
  if (!right) return right.error();
  return hash_node(*left, *right);
}

Status append_root(std::vector<Hash>& proof, Range range, const NodeSource& nodes) {
  const Result<Hash> root = range_root(range, nodes);
  if (!root) return root.error();
  proof.push_back(*root);
  return {};
}

}  // namespace

Result<Hash> tree_root(std::uint64_t size, const NodeSource& nodes) {
  if (size == 0) return empty_root();
  return range_root({0, size}, nodes);
}

// Both proofs walk from the root down and list siblings in that order; a proof is read upwards,
// hence the reversal at the end.
Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                          const NodeSource& nodes) {
  if (index >= size) return Error(ErrorKind::usage, "The index lies outside the log.");
  std::vector<Hash> proof;
  for (Range range{0, size}; range.size() > 1;) {
    const std::uint64_t split = range.split();
    const bool left = index < split;
    const Range sibling = left ? Range{split, range.end} : Range{range.begin, split};
    if (Status added = append_root(proof, sibling, nodes); !added) return added.error();
    range = left ? Range{range.begin, split} : Range{split, range.end};
  }
  return std::vector<Hash>(proof.rbegin(), proof.rend());
}

Result<std::vector<Hash>> consistency_proof(std::uint64_t size1, std::uint64_t size2,
                                            const NodeSource& nodes) {
  if (size1 > size2) return Error(ErrorKind::usage, "The first size must not exceed the second.");
  std::vector<Hash> proof;
  if (size1 == 0 || size1 == size2) return proof;
  Range range{0, size2};
  while (range.end != size1) {
    const std::uint64_t split = range.split();
    const bool left = size1 <= split;
    const Range sibling = left ? Range{split, range.end} : Range{range.begin, split};
    if (Status added = append_root(proof, sibling, nodes); !added) return added.error();
    range = left ? Range{range.begin, split} : Range{split, range.end};
  }
  // The subtree at which the old tree ends is known to the verifier only if it is the whole old
  // tree.
  if (range.begin != 0) {
    if (Status added = append_root(proof, range, nodes); !added) return added.error();
  }
  return std::vector<Hash>(proof.rbegin(), proof.rend());
}

}  // namespace paravent::crypto::audit
