// SubjectClock: from what a purpose counts the life of a person's data. Plain data.

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

enum class SubjectClock : std::uint8_t {
  contact,  // the last contact; of values that count from collection: their epochs end them earlier
  event,    // the end of a contract, a case closed
};

struct SubjectClockRule {
  std::string tenant;
  std::string purpose;
  SubjectClock clock = SubjectClock::contact;
};

// By purpose. One that no policy names counts from an event: never too early.
using SubjectClocks = std::map<Id, SubjectClock>;

}  // namespace paravent::crypto::vault
