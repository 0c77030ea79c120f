// KeySet: says whether an object of a JSON text has had a key before.
//
// Objects nest, so the set keeps a stack of them. A small object compares its few keys by a
// fingerprint; a larger one moves to a table that all objects of the text share, hashed with a
// secret key and the object's own number, so that time stays linear whatever the keys are: neither
// one object with colliding keys nor many objects with equal keys fill one stretch of the table.
// Keys are borrowed until begin_text() is called again. Memory is kept from text to text. One thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/body/sip_hash.h"

namespace paravent::proxy::body {

class KeySet {
 public:
  explicit KeySet(std::uint64_t hash_key) noexcept;

  void begin_text();
  void open_object() {
    objects_.push_back({++last_object_, static_cast<std::uint32_t>(small_.size()), false});
  }
  void close_object() {
    small_.resize(objects_.back().first);
    objects_.pop_back();
  }
  // False when the innermost open object has the key already.
  bool add(std::string_view key);

 private:
  static constexpr std::size_t kSmallObject = 16;

  struct Object {
    std::uint64_t number;  // unique over all texts, never 0
    std::uint32_t first;   // its first key in small_
    bool in_table;
  };
  struct SmallKey {
    std::uint64_t fingerprint;
    std::string_view key;
  };
  struct Slot {
    std::uint64_t object = 0;  // a number below first_object_ means that the slot is free
    std::uint64_t hash = 0;
    std::string_view key;
  };

  bool add_to_table(std::uint64_t object, std::string_view key);
  void grow_table();

  SipKey hash_key_;
  std::vector<Object> objects_;
  std::vector<SmallKey> small_;
  std::vector<Slot> slots_;  // a power of two in size, at most half full
  std::size_t used_ = 0;
  std::uint64_t last_object_ = 0;
  std::uint64_t first_object_ = 1;  // of this text
};

}  // namespace paravent::proxy::body
