#include "crypto/audit/merkle.h"

#include <algorithm>
#include <bit>

namespace paravent::crypto::audit {
namespace {

constexpr std::array<std::uint8_t, 1> kLeafPrefix{0x00};
constexpr std::array<std::uint8_t, 1> kNodePrefix{0x01};

Error not_proven() { return ErrorKind::verification; }

// Moves both positions up to the next level at which the left one is a right child (or the root).
void climb_left_edge(std::uint64_t& first, std::uint64_t& last) noexcept {
  while ((first & 1U) == 0 && first != 0) {
    first >>= 1U;
    last >>= 1U;
  }
}

}  // namespace

Hash hash_leaf(ByteView leaf) noexcept {
  return Sha256().update(kLeafPrefix).update(leaf).finish();
}

Hash hash_node(const Hash& left, const Hash& right) noexcept {
  return Sha256().update(kNodePrefix).update(left).update(right).finish();
}

Hash empty_root() noexcept { return sha256({}); }

Result<Hash> hash_from_bytes(ByteView bytes) {
  Hash hash;
  if (bytes.size() != hash.size()) return Error(ErrorKind::malformed);
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

Hash perfect_root(std::span<const Hash> hashes) noexcept {
  if (hashes.size() == 1) return hashes[0];
  const std::size_t half = hashes.size() / 2;
  return hash_node(perfect_root(hashes.first(half)), perfect_root(hashes.subspan(half)));
}

void CompactRange::append_peak(unsigned level, const Hash& root) noexcept {
  Hash carried = root;
  const std::uint64_t added = std::uint64_t{1} << level;
  for (; ((size_ >> level) & 1U) != 0; ++level) carried = hash_node(peaks_[level], carried);
  peaks_[level] = carried;
  size_ += added;
}

Hash CompactRange::root() const noexcept {
  if (size_ == 0) return empty_root();
  auto level = static_cast<unsigned>(std::countr_zero(size_));
  Hash root = peaks_[level];
  for (++level; level < peaks_.size(); ++level) {
    if (((size_ >> level) & 1U) != 0) root = hash_node(peaks_[level], root);
  }
  return root;
}

Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf_hash,
                        std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return not_proven();
  std::uint64_t position = index;
  std::uint64_t last = size - 1;
  Hash computed = leaf_hash;
  for (const Hash& sibling : proof) {
    if (last == 0) return not_proven();
    if ((position & 1U) != 0 || position == last) {
      computed = hash_node(sibling, computed);
      climb_left_edge(position, last);
    } else {
      computed = hash_node(computed, sibling);
    }
    position >>= 1U;
    last >>= 1U;
  }
  if (last != 0 || computed != root) return not_proven();
  return {};
}

Status verify_consistency(std::uint64_t size1, std::uint64_t size2, const Hash& root1,
                          const Hash& root2, std::span<const Hash> proof) {
  if (size1 > size2) return not_proven();
  if (size1 == size2 || size1 == 0) {
    const bool same = size1 == size2 ? root1 == root2 : root1 == empty_root();
    if (!proof.empty() || !same || (size1 == 0 && root1 != empty_root())) return not_proven();
    return {};
  }
  std::uint64_t position = size1 - 1;
  std::uint64_t last = size2 - 1;
  while ((position & 1U) != 0) {
    position >>= 1U;
    last >>= 1U;
  }
  // Where size1 is a power of two its root is itself the first node, and the proof leaves it out.
  const bool implied = std::has_single_bit(size1);
  if (!implied && proof.empty()) return not_proven();
  Hash old_root = implied ? root1 : proof[0];
  Hash new_root = old_root;
  for (const Hash& node : proof.subspan(implied ? 0 : 1)) {
    if (last == 0) return not_proven();
    if ((position & 1U) != 0 || position == last) {
      old_root = hash_node(node, old_root);
      new_root = hash_node(node, new_root);
      climb_left_edge(position, last);
    } else {
      new_root = hash_node(new_root, node);
    }
    position >>= 1U;
    last >>= 1U;
  }
  if (last != 0 || old_root != root1 || new_root != root2) return not_proven();
  return {};
}

}  // namespace paravent::crypto::audit
