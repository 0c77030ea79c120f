// KeyFacts as a file in a data backup: what people have settled about keys and persons, beside the
// states of the keys (key_states.h). No key, no value, no reason of anybody's.
//
//   paravent-key-facts-v1
//   freezes N                                            1 clock, 2 retention, 3 both
//   hold ID TENANT-ID PURPOSE-ID REFERENCE UNTIL-MS TENANT PURPOSE
//   retention PURPOSE-ID RECORD TENANT PURPOSE           RECORD as the key store has it, hex
//   mark SUBJECT-ID N                                    1 restricted, 2 objected, 3 both
//   event HANDLE DAY                                     days since 1970-01-01
//   newest-key HANDLE                                    the person's key that was made last
//
// In this order, ids ascending, one spelling; names in hex, "-" for what there is not. A hold comes
// back without its reason and the day it was made.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/vault/engine/upkeep/key_facts.h"

namespace paravent::proxy::main {

inline constexpr const char* kKeyFactsFile = "key-facts";  // in a data backup

// `facts.moment` is not in it.
std::string key_facts_text(const crypto::vault::KeyFacts& facts);
// Strict. ErrorKind::malformed.
crypto::Result<crypto::vault::KeyFacts> parse_key_facts(std::string_view text);

}  // namespace paravent::proxy::main
