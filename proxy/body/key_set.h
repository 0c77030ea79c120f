// KeySet: says whether an object of a JSON text has had a key before.
//
// Objects nest, so the set keeps a stack of them. A small object keeps 64 bits of what its few keys
// look like and compares keys only where two look alike; a larger one moves to a table that all
// objects of the text share, hashed with a secret key and the object's own number, so that time
// stays linear whatever the keys are: neither one object with colliding keys nor many objects with
// equal keys fill one stretch of the table. Keys are borrowed until begin_text() is called again.
// Memory is kept from text to text. One thread.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "proxy/body/sip_hash.h"

namespace paravent::proxy::body {

class KeySet {
 public:
  explicit KeySet(std::uint64_t hash_key) noexcept;

  void begin_text();
  void open_object() {
    objects_.push_back({++last_object_, 0, count_, false});
    if (small_.size() < count_ + kSmallObject) small_.resize(2 * (count_ + kSmallObject));
  }
  void close_object() {
    count_ = objects_.back().first;
    objects_.pop_back();
  }
  // False when the innermost open object has the key already.
  bool add(std::string_view key) {
    Object& object = objects_.back();
    const std::uint64_t fingerprint = fingerprint_of(key);
    const std::uint64_t bit = std::uint64_t{1} << ((fingerprint * 0x9E3779B97F4A7C15U) >> 58U);
    if ((object.seen & bit) != 0 || count_ - object.first == kSmallObject) {
      return add_slowly(object, fingerprint, bit, key);
    }
    object.seen |= bit;
    small_[count_++] = {fingerprint, key};
    return true;
  }

  // What the table hashes a key of that object to. The first object of the first text is 1.
  std::uint64_t hash_of(std::uint64_t object, std::string_view key) const noexcept {
    return sip_hash({hash_key_.k0, hash_key_.k1 ^ object}, key);
  }
  // The longest row of slots that are taken, which no search is longer than. Goes through them all.
  std::size_t longest_run() const noexcept;

 private:
  static constexpr std::uint32_t kSmallObject = 16;

  struct Object {
    std::uint64_t number;    // unique over all texts, never 0
    std::uint64_t seen = 0;  // one bit for each key of small_
    std::uint32_t first;     // its first key in small_
    bool in_table = false;
  };
  struct SmallKey {
    std::uint64_t fingerprint = 0;
    std::string_view key;
  };
  struct Slot {
    std::uint64_t object = 0;  // a number below first_object_ means that the slot is free
    std::uint64_t hash = 0;
    std::string_view key;
  };

  // Not a hash: two keys with one fingerprint are compared, and there are at most kSmallObject.
  static std::uint64_t fingerprint_of(std::string_view key) noexcept {
    const char* const p = key.data();
    const std::size_t size = key.size();
    std::uint64_t head = size;
    std::uint64_t tail = 0;
    if (size >= 8) {
      std::memcpy(&head, p, 8);
      std::memcpy(&tail, p + size - 8, 8);
    } else if (size >= 4) {
      std::uint32_t half = 0;
      std::memcpy(&half, p, 4);
      head = half;
      std::memcpy(&half, p + size - 4, 4);
      tail = half;
    } else if (size > 0) {
      head = static_cast<unsigned char>(p[0]);
      tail = (std::uint64_t{static_cast<unsigned char>(p[size / 2])} << 8U) |
             static_cast<unsigned char>(p[size - 1]);
    }
    return (head ^ std::rotl(tail, 29)) + size;
  }

  bool add_slowly(Object& object, std::uint64_t fingerprint, std::uint64_t bit,
                  std::string_view key);
  bool add_to_table(std::uint64_t object, std::string_view key);
  void grow_table();

  SipKey hash_key_;
  std::vector<Object> objects_;
  std::vector<SmallKey> small_;  // the first count_ are in use; open objects always have room
  std::uint32_t count_ = 0;
  std::vector<Slot> slots_;  // a power of two in size, at most half full
  std::size_t used_ = 0;
  std::uint64_t last_object_ = 0;
  std::uint64_t first_object_ = 1;  // of this text
};

}  // namespace paravent::proxy::body
