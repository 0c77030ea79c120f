// SubjectTable: all data subjects and their wrapped keys in memory, found by reference, by id and
// by handle. What a subject store is after its changes, in order.
//
// About 290 bytes per subject with one key; a million of them fit into 300 MB. Every id is random
// and every reference a keyed hash, so any eight bytes of them are a good hash. Not thread safe:
// the subject store locks.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/subjects/subject_change.h"

namespace paravent::crypto::vault {

// What is known of one key.
struct SubjectKey {
  SubjectKeyMade made;
  std::uint32_t contact_day = 0;  // of the last contact, never before the creation
  std::uint32_t event_day = 0;    // 0: no event yet
  WallTime disabled_since{};      // 0: enabled
  std::chrono::milliseconds disabled_running{};

  bool disabled() const noexcept { return disabled_since != WallTime{}; }
};

// What is known of one subject.
struct Subject {
  SubjectMade made;
  bool restricted = false;
  bool objected = false;
  std::uint32_t newest_key = 0;  // private to the table: index + 1 of its newest key
};

class SubjectTable {
 public:
  SubjectTable() = default;

  // ErrorKind::data without a sentence: the change contradicts what there is (an id or a place
  // taken twice, an unknown subject or handle); then nothing has changed.
  Status apply(const SubjectChange& change);
  // Whether apply() would take all of them in this order. May say no to a list that erases or
  // destroys and then goes on about the same subject or key.
  bool fits(std::span<const SubjectChange> changes) const;
  // The same key under another wrap. REQUIRES: the handle is there.
  void rewrap(const SubjectKeyMade& made);

  // Pointers hold until the next change.
  const Subject* by_reference(const Id& tenant, const SubjectReference& reference) const;
  const Subject* by_id(const Id& subject) const;
  const SubjectKey* by_handle(const Id& handle) const;
  const SubjectKey* key_of(const Subject& subject, const Id& purpose) const;
  std::vector<const SubjectKey*> keys_of(const Subject& subject) const;

  void for_each(const std::function<void(const Subject&)>& visitor) const;
  // As few changes as make this table, in an order that apply() takes.
  void for_each_change(const std::function<void(const SubjectChange&)>& visitor) const;

  std::size_t subjects() const noexcept { return subject_count_; }
  std::size_t keys() const noexcept { return key_count_; }

 private:
  struct KeySlot {
    SubjectKey key;
    std::uint32_t next = 0;  // index + 1 of the subject's next older key
    bool used = false;
  };
  struct SubjectSlot {
    Subject subject;
    bool used = false;
  };

  // Open addressing over slot numbers + 1; deleted places are closed again, so nothing decays.
  class Places {
   public:
    template <typename Equal>
    std::uint32_t find(std::uint64_t hash, Equal equal) const;
    template <typename HashOf>
    void insert(std::uint64_t hash, std::uint32_t slot, HashOf hash_of);
    template <typename HashOf>
    void erase(std::uint64_t hash, std::uint32_t slot, HashOf hash_of);

   private:
    std::vector<std::uint32_t> places_;
    std::size_t used_ = 0;
  };

  std::uint32_t subject_at(const Id& id) const;
  std::uint32_t key_at(const Id& handle) const;
  std::uint32_t reference_at(const Id& tenant, const SubjectReference& reference) const;
  void drop_key(std::uint32_t slot);

  Status on(const SubjectMade& change);
  Status on(const SubjectKeyMade& change);
  Status on(const SubjectMarked& change);
  Status on(const SubjectContact& change);
  Status on(const SubjectEvent& change);
  Status on(const SubjectKeyDisabled& change);
  Status on(const SubjectErased& change);
  Status on(const SubjectKeyDestroyed& change);

  std::deque<SubjectSlot> subject_slots_;
  std::deque<KeySlot> key_slots_;
  std::vector<std::uint32_t> free_subjects_;
  std::vector<std::uint32_t> free_keys_;
  Places by_id_;
  Places by_reference_;
  Places by_handle_;
  std::size_t subject_count_ = 0;
  std::size_t key_count_ = 0;
};

}  // namespace paravent::crypto::vault
