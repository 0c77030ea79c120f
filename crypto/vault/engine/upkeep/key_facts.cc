#include "crypto/vault/engine/upkeep/key_facts.h"

#include <mutex>
#include <utility>

#include "crypto/vault/engine/catalogue/key_info.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

std::uint8_t marks_of(const Subject& subject) {
  return static_cast<std::uint8_t>((subject.restricted ? kRestricted : 0U) |
                                   (subject.objected ? kObjected : 0U));
}

void read_people(const SubjectTable& table, KeyFacts& out) {
  WallTime newest{};
  table.for_each([&](const Subject& subject) {
    if (const std::uint8_t marks = marks_of(subject); marks != 0) {
      out.marks.emplace(subject.made.id, marks);
    }
    for (const SubjectKey* key : table.keys_of(subject)) {
      if (key->event_day != 0) out.events.emplace(key->made.handle, key->event_day);
      if (!out.newest_key || key->made.made > newest) {
        out.newest_key = key->made.handle;
        newest = key->made.made;
      }
    }
  });
}

}  // namespace

KeyFacts KeyFactsReader::read() const {
  const Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *state.catalogue;
  KeyFacts out;
  out.moment = {catalogue.generation(), catalogue.shred().number()};
  for (const auto& [id, record] : catalogue.holds()) {
    HoldInfo hold{record, name_of(catalogue.names(), record.tenant),
                  name_of(catalogue.names(), record.purpose)};
    hold.record.reason.clear();
    out.holds.emplace(id, std::move(hold));
  }
  for (const auto& [purpose, record] : catalogue.retentions()) {
    RetentionFact fact{{}, "audit", record};
    if (const NameRecord* name = catalogue.names().by_id(purpose)) {
      fact.tenant = name_of(catalogue.names(), name->owner);
      fact.purpose = name->name;
    }
    out.retentions.emplace(purpose, std::move(fact));
  }
  out.freezes = catalogue.keeper().freezes;
  state.subjects->read([&](const SubjectTable& table) { read_people(table, out); });
  return out;
}

bool KeyFactsReader::knows_person_key(const Id& handle) const {
  return vault_.state_->subjects->read(
      [&](const SubjectTable& table) { return table.by_handle(handle) != nullptr; });
}

std::optional<SubjectReference> KeyFactsReader::reference_of(const Id& subject) const {
  return vault_.state_->subjects->read(
      [&](const SubjectTable& table) -> std::optional<SubjectReference> {
        const Subject* found = table.by_id(subject);
        return found == nullptr ? std::nullopt : std::optional(found->made.reference);
      });
}

}  // namespace paravent::crypto::vault
