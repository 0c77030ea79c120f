#include "proxy/body/key_set.h"

#include <cstring>

namespace paravent::proxy::body {
namespace {

// Not a hash: two keys with one fingerprint are compared, and there are at most kSmallObject.
std::uint64_t fingerprint_of(std::string_view key) noexcept {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;
  const std::size_t size = key.size();
  if (size >= 8) {
    std::memcpy(&head, key.data(), 8);
    std::memcpy(&tail, key.data() + size - 8, 8);
  } else if (size >= 4) {
    std::uint32_t four = 0;
    std::memcpy(&four, key.data(), 4);
    head = four;
    std::memcpy(&four, key.data() + size - 4, 4);
    tail = four;
  } else if (size > 0) {
    head = static_cast<unsigned char>(key.front());
    tail = (std::uint64_t{static_cast<unsigned char>(key[size / 2])} << 8U) |
           static_cast<unsigned char>(key.back());
  }
  return head ^ std::rotl(tail, 29) ^ (std::uint64_t{size} << 59U);
}

}  // namespace

// The second half is the first one stepped along; the secret is as large as the caller's key.
KeySet::KeySet(std::uint64_t hash_key) noexcept
    : hash_key_{hash_key, (hash_key ^ 0x9E3779B97F4A7C15U) * 0xD1342543DE82EF95U} {}

void KeySet::begin_text() {
  objects_.clear();
  small_.clear();
  used_ = 0;
  first_object_ = last_object_ + 1;  // frees every slot without touching it
}

bool KeySet::add(std::string_view key) {
  Object& object = objects_.back();
  if (object.in_table) return add_to_table(object.number, key);
  const std::uint64_t fingerprint = fingerprint_of(key);
  const std::size_t count = small_.size();
  for (std::size_t i = object.first; i != count; ++i) {
    if (small_[i].fingerprint == fingerprint && small_[i].key == key) return false;
  }
  if (count - object.first < kSmallObject) {
    small_.push_back({fingerprint, key});
    return true;
  }
  object.in_table = true;
  for (std::size_t i = object.first; i != count; ++i) add_to_table(object.number, small_[i].key);
  return add_to_table(object.number, key);
}

bool KeySet::add_to_table(std::uint64_t object, std::string_view key) {
  if ((used_ + 1) * 2 > slots_.size()) grow_table();
  const std::uint64_t hash = sip_hash({hash_key_.k0, hash_key_.k1 ^ object}, key);
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
