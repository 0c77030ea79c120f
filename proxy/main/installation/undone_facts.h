// What keys of an earlier moment would undo of what people have settled since: in words, for the
// refusal of a restore, for its report and for the record. And what holds after it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/upkeep/key_facts.h"

namespace paravent::proxy::main {

struct UndoneFacts {
  // One clause each, without a full stop: "the hold 00.. on contact of atelier until 2027-01-31 is
  // lost". Counts where people are many.
  std::vector<std::string> clauses;
  // The subjects whose restriction or objection is lost.
  std::set<crypto::vault::Id> people;
};

// `then`: of the data; `now`: of the older keys. Holds that are over at `time` count no more.
UndoneFacts undone_facts(const crypto::vault::KeyFacts& then, const crypto::vault::KeyFacts& now,
                         crypto::WallTime time);

// "P3Y", "P3Y and P5Y archived", "from an event P3Y".
std::string rule_words(const crypto::vault::RetentionRule& rule);
// "contact of atelier", "all purposes of atelier", "one person (REFERENCE) in contact of atelier".
std::string hold_words(const crypto::vault::HoldInfo& hold);
// "clock", "retention", "clock and retention"; empty where nothing is frozen.
std::string freeze_words(std::uint8_t freezes);

// The holds in force at `time`.
std::vector<crypto::vault::HoldInfo> holds_in_force(const crypto::vault::KeyFacts& facts,
                                                    crypto::WallTime time);
struct PeopleMarked {
  std::size_t restricted = 0;
  std::size_t objected = 0;
};
PeopleMarked people_marked(const crypto::vault::KeyFacts& facts);

}  // namespace paravent::proxy::main
