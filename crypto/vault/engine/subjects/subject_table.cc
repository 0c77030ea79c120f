#include "crypto/vault/engine/subjects/subject_table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>
#include <variant>

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kFirstPlaces = 16;

template <std::size_t N>
std::uint64_t hash_of(const std::array<std::uint8_t, N>& random) noexcept {
  std::uint64_t hash = 0;
  std::memcpy(&hash, random.data(), sizeof hash);
  return hash;
}

Status contradiction() { return Error(ErrorKind::data); }

}  // namespace

template <typename Equal>
std::uint32_t SubjectTable::Places::find(std::uint64_t hash, Equal equal) const {
  if (places_.empty()) return 0;
  const std::size_t mask = places_.size() - 1;
  for (std::size_t at = hash & mask; places_[at] != 0; at = (at + 1) & mask) {
    if (equal(places_[at])) return places_[at];
  }
  return 0;
}

template <typename HashOf>
void SubjectTable::Places::insert(std::uint64_t hash, std::uint32_t slot, HashOf hash_of_slot) {
  if ((used_ + 1) * 3 > places_.size() * 2) {
    std::vector<std::uint32_t> old(std::max(kFirstPlaces, places_.size() * 2));
    old.swap(places_);
    used_ = 0;
    for (const std::uint32_t moved : old) {
      if (moved != 0) insert(hash_of_slot(moved), moved, hash_of_slot);
    }
  }
  const std::size_t mask = places_.size() - 1;
  std::size_t at = hash & mask;
  while (places_[at] != 0) at = (at + 1) & mask;
  places_[at] = slot;
  ++used_;
}

template <typename HashOf>
void SubjectTable::Places::erase(std::uint64_t hash, std::uint32_t slot, HashOf hash_of_slot) {
  const std::size_t mask = places_.size() - 1;
  std::size_t hole = hash & mask;
  while (places_[hole] != slot) hole = (hole + 1) & mask;
  // What lies behind the hole moves up where it may, so that no search ends too early.
  for (std::size_t at = (hole + 1) & mask; places_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = hash_of_slot(places_[at]) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    places_[hole] = places_[at];
    hole = at;
  }
  places_[hole] = 0;
  --used_;
}

std::uint32_t SubjectTable::subject_at(const Id& id) const {
  return by_id_.find(hash_of(id), [&](std::uint32_t slot) {
    return subject_slots_[slot - 1].subject.made.id == id;
  });
}

std::uint32_t SubjectTable::key_at(const Id& handle) const {
  return by_handle_.find(hash_of(handle), [&](std::uint32_t slot) {
    return key_slots_[slot - 1].key.made.handle == handle;
  });
}

std::uint32_t SubjectTable::reference_at(const Id& tenant,
                                         const SubjectReference& reference) const {
  return by_reference_.find(hash_of(reference), [&](std::uint32_t slot) {
    const SubjectMade& made = subject_slots_[slot - 1].subject.made;
    return made.reference == reference && made.tenant == tenant;
  });
}

const Subject* SubjectTable::by_reference(const Id& tenant,
                                          const SubjectReference& reference) const {
  const std::uint32_t slot = reference_at(tenant, reference);
  return slot == 0 ? nullptr : &subject_slots_[slot - 1].subject;
}

const Subject* SubjectTable::by_id(const Id& subject) const {
  const std::uint32_t slot = subject_at(subject);
  return slot == 0 ? nullptr : &subject_slots_[slot - 1].subject;
}

const SubjectKey* SubjectTable::by_handle(const Id& handle) const {
  const std::uint32_t slot = key_at(handle);
  return slot == 0 ? nullptr : &key_slots_[slot - 1].key;
}

const SubjectKey* SubjectTable::key_of(const Subject& subject, const Id& purpose) const {
  for (std::uint32_t slot = subject.newest_key; slot != 0; slot = key_slots_[slot - 1].next) {
    if (key_slots_[slot - 1].key.made.purpose == purpose) return &key_slots_[slot - 1].key;
  }
  return nullptr;
}

std::vector<const SubjectKey*> SubjectTable::keys_of(const Subject& subject) const {
  std::vector<const SubjectKey*> keys;
  for (std::uint32_t slot = subject.newest_key; slot != 0; slot = key_slots_[slot - 1].next) {
    keys.push_back(&key_slots_[slot - 1].key);
  }
  return keys;
}

void SubjectTable::for_each(const std::function<void(const Subject&)>& visitor) const {
  for (const SubjectSlot& slot : subject_slots_) {
    if (slot.used) visitor(slot.subject);
  }
}

void SubjectTable::for_each_change(const std::function<void(const SubjectChange&)>& visitor) const {
  for_each([&](const Subject& subject) {
    visitor(subject.made);
    const Id& id = subject.made.id;
    if (subject.restricted || subject.objected) {
      visitor(SubjectMarked{id, subject.restricted, subject.objected});
    }
    std::vector<const SubjectKey*> keys = keys_of(subject);
    std::reverse(keys.begin(), keys.end());
    for (const SubjectKey* key : keys) {
      visitor(key->made);
      const Id& handle = key->made.handle;
      if (key->contact_day != key->made.created_day) {
        visitor(SubjectContact{handle, key->contact_day});
      }
      if (key->event_day != 0) visitor(SubjectEvent{handle, key->event_day});
      if (key->disabled())
        visitor(SubjectKeyDisabled{handle, key->disabled_since, key->disabled_running});
    }
  });
}

namespace {

// What a list of changes has made or removed before the change at hand.
struct Earlier {
  std::set<Id> subjects;
  std::set<Id> handles;
  std::set<Id> gone;
  std::set<std::pair<Id, SubjectReference>> references;
  std::set<std::pair<Id, Id>> places;  // subject and purpose
};

template <typename Change>
bool about_key(const SubjectTable& table, const Earlier& earlier, const Change& change) {
  const SubjectKey* key = table.by_handle(change.handle);
  if (key == nullptr) return earlier.handles.contains(change.handle);
  return !earlier.gone.contains(change.handle) && !earlier.gone.contains(key->made.subject);
}

template <typename Change>
bool about_subject(const SubjectTable& table, const Earlier& earlier, const Change& change) {
  return (table.by_id(change.subject) != nullptr || earlier.subjects.contains(change.subject)) &&
         !earlier.gone.contains(change.subject);
}

bool fits_one(const SubjectTable& table, Earlier& earlier, const SubjectMade& change) {
  return table.by_id(change.id) == nullptr &&
         table.by_reference(change.tenant, change.reference) == nullptr &&
         earlier.subjects.insert(change.id).second &&
         earlier.references.emplace(change.tenant, change.reference).second;
}

bool fits_one(const SubjectTable& table, Earlier& earlier, const SubjectKeyMade& change) {
  if (!about_subject(table, earlier, change)) return false;
  const Subject* owner = table.by_id(change.subject);
  const bool taken = owner != nullptr && table.key_of(*owner, change.purpose) != nullptr;
  return !taken && table.by_handle(change.handle) == nullptr &&
         earlier.handles.insert(change.handle).second &&
         earlier.places.emplace(change.subject, change.purpose).second;
}

bool fits_one(const SubjectTable& table, Earlier& earlier, const SubjectErased& change) {
  return table.by_id(change.subject) != nullptr && earlier.gone.insert(change.subject).second;
}

bool fits_one(const SubjectTable& table, Earlier& earlier, const SubjectKeyDestroyed& change) {
  return table.by_handle(change.handle) != nullptr && about_key(table, earlier, change) &&
         earlier.gone.insert(change.handle).second;
}

template <typename Change>
bool fits_one(const SubjectTable& table, Earlier& earlier, const Change& change) {
  if constexpr (requires { change.handle; }) {
    return about_key(table, earlier, change);
  } else {
    return about_subject(table, earlier, change);
  }
}

}  // namespace

bool SubjectTable::fits(std::span<const SubjectChange> changes) const {
  Earlier earlier;
  return std::all_of(changes.begin(), changes.end(), [&](const SubjectChange& change) {
    return std::visit([&](const auto& held) { return fits_one(*this, earlier, held); }, change);
  });
}

void SubjectTable::rewrap(const SubjectKeyMade& made) {
  const std::uint32_t slot = key_at(made.handle);
  if (slot == 0) std::abort();
  SubjectKeyMade& kept = key_slots_[slot - 1].key.made;
  kept.parent = made.parent;
  kept.shred_number = made.shred_number;
  kept.wrapped = made.wrapped;
}

Status SubjectTable::apply(const SubjectChange& change) {
  return std::visit([this](const auto& held) { return on(held); }, change);
}

Status SubjectTable::on(const SubjectMade& change) {
  if (subject_at(change.id) != 0 || reference_at(change.tenant, change.reference) != 0) {
    return contradiction();
  }
  if (free_subjects_.empty()) {
    subject_slots_.emplace_back();
    free_subjects_.push_back(static_cast<std::uint32_t>(subject_slots_.size()));
  }
  const std::uint32_t slot = free_subjects_.back();
  free_subjects_.pop_back();
  subject_slots_[slot - 1].subject = Subject{.made = change};
  subject_slots_[slot - 1].used = true;
  by_id_.insert(hash_of(change.id), slot, [this](std::uint32_t other) {
    return hash_of(subject_slots_[other - 1].subject.made.id);
  });
  by_reference_.insert(hash_of(change.reference), slot, [this](std::uint32_t other) {
    return hash_of(subject_slots_[other - 1].subject.made.reference);
  });
  ++subject_count_;
  return {};
}

Status SubjectTable::on(const SubjectKeyMade& change) {
  const std::uint32_t owner = subject_at(change.subject);
  if (owner == 0 || key_at(change.handle) != 0) return contradiction();
  Subject& subject = subject_slots_[owner - 1].subject;
  if (key_of(subject, change.purpose) != nullptr) return contradiction();
  if (free_keys_.empty()) {
    key_slots_.emplace_back();
    free_keys_.push_back(static_cast<std::uint32_t>(key_slots_.size()));
  }
  const std::uint32_t slot = free_keys_.back();
  free_keys_.pop_back();
  key_slots_[slot - 1].key = SubjectKey{.made = change, .contact_day = change.created_day};
  key_slots_[slot - 1].next = subject.newest_key;
  key_slots_[slot - 1].used = true;
  subject.newest_key = slot;
  by_handle_.insert(hash_of(change.handle), slot, [this](std::uint32_t other) {
    return hash_of(key_slots_[other - 1].key.made.handle);
  });
  ++key_count_;
  return {};
}

Status SubjectTable::on(const SubjectMarked& change) {
  const std::uint32_t slot = subject_at(change.subject);
  if (slot == 0) return contradiction();
  subject_slots_[slot - 1].subject.restricted = change.restricted;
  subject_slots_[slot - 1].subject.objected = change.objected;
  return {};
}

Status SubjectTable::on(const SubjectContact& change) {
  const std::uint32_t slot = key_at(change.handle);
  if (slot == 0) return contradiction();
  SubjectKey& key = key_slots_[slot - 1].key;
  key.contact_day = std::max(key.made.created_day, change.day);
  return {};
}

Status SubjectTable::on(const SubjectEvent& change) {
  const std::uint32_t slot = key_at(change.handle);
  if (slot == 0) return contradiction();
  key_slots_[slot - 1].key.event_day = change.day;
  return {};
}

Status SubjectTable::on(const SubjectKeyDisabled& change) {
  const std::uint32_t slot = key_at(change.handle);
  if (slot == 0) return contradiction();
  key_slots_[slot - 1].key.disabled_since = change.since;
  key_slots_[slot - 1].key.disabled_running = change.running;
  return {};
}

void SubjectTable::drop_key(std::uint32_t slot) {
  KeySlot& gone = key_slots_[slot - 1];
  Subject& subject = subject_slots_[subject_at(gone.key.made.subject) - 1].subject;
  std::uint32_t* link = &subject.newest_key;
  while (*link != slot) link = &key_slots_[*link - 1].next;
  *link = gone.next;
  by_handle_.erase(hash_of(gone.key.made.handle), slot, [this](std::uint32_t other) {
    return hash_of(key_slots_[other - 1].key.made.handle);
  });
  gone = KeySlot{};
  free_keys_.push_back(slot);
  --key_count_;
}

Status SubjectTable::on(const SubjectErased& change) {
  const std::uint32_t slot = subject_at(change.subject);
  if (slot == 0) return contradiction();
  SubjectSlot& gone = subject_slots_[slot - 1];
  while (gone.subject.newest_key != 0) drop_key(gone.subject.newest_key);
  by_id_.erase(hash_of(gone.subject.made.id), slot, [this](std::uint32_t other) {
    return hash_of(subject_slots_[other - 1].subject.made.id);
  });
  by_reference_.erase(hash_of(gone.subject.made.reference), slot, [this](std::uint32_t other) {
    return hash_of(subject_slots_[other - 1].subject.made.reference);
  });
  gone = SubjectSlot{};
  free_subjects_.push_back(slot);
  --subject_count_;
  return {};
}

Status SubjectTable::on(const SubjectKeyDestroyed& change) {
  const std::uint32_t slot = key_at(change.handle);
  if (slot == 0) return contradiction();
  drop_key(slot);
  return {};
}

}  // namespace paravent::crypto::vault
