#include "proxy/body/key_set.h"

#include <algorithm>

namespace paravent::proxy::body {

// The second half is the first one stepped along; the secret is as large as the caller's key.
KeySet::KeySet(std::uint64_t hash_key) noexcept
    : hash_key_{hash_key, (hash_key ^ 0x9E3779B97F4A7C15U) * 0xD1342543DE82EF95U} {}

void KeySet::begin_text() {
  objects_.clear();
  count_ = 0;
  used_ = 0;
  first_object_ = last_object_ + 1;  // frees every slot without touching it
}

bool KeySet::add_slowly(Object& object, std::uint64_t fingerprint, std::uint64_t bit,
                        std::string_view key) {
  if (object.in_table) return add_to_table(object.number, key);
  for (std::size_t i = object.first; i != count_; ++i) {
    if (small_[i].fingerprint == fingerprint && small_[i].key == key) return false;
  }
  if (count_ - object.first < kSmallObject) {
    object.seen |= bit;
    small_[count_++] = {fingerprint, key};
    return true;
  }
  object.in_table = true;
  for (std::size_t i = object.first; i != count_; ++i) add_to_table(object.number, small_[i].key);
  return add_to_table(object.number, key);
}

bool KeySet::add_to_table(std::uint64_t object, std::string_view key) {
  if ((used_ + 1) * 2 > slots_.size()) grow_table();
  const std::uint64_t hash = hash_of(object, key);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.object < first_object_) {
      slot = {object, hash, key};
      ++used_;
      return true;
    }
    if (slot.object == object && slot.hash == hash && slot.key == key) return false;
  }
}

std::size_t KeySet::longest_run() const noexcept {
  std::size_t longest = 0;
  std::size_t run = 0;
  // Twice around, for a row that goes over the end; half the slots are free, so each row ends.
  for (std::size_t i = 0; i < 2 * slots_.size(); ++i) {
    run = slots_[i % slots_.size()].object >= first_object_ ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

void KeySet::grow_table() {
  std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.object < first_object_) continue;
    std::size_t i = slot.hash & mask;
    while (slots_[i].object >= first_object_) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

}  // namespace paravent::proxy::body
