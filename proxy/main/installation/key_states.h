// What a data backup says of the keys' states, so that a restore with older keys notices what it
// would undo. No key, and nothing but what `keys list` shows.
//
//   paravent-key-states-v1
//   ID-HEX STATE                 one key a line, ascending; states as key_state_name() writes them

#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/vault/engine/catalogue/key_info.h"

namespace paravent::proxy::main {

inline constexpr const char* kKeyStatesFile = "key-states";  // in a data backup

using KeyStates = std::map<crypto::vault::Id, crypto::vault::KeyState>;

std::string key_states_text(std::span<const crypto::vault::KeyInfo> keys);
// Strict. ErrorKind::malformed.
crypto::Result<KeyStates> parse_key_states(std::string_view text);

// Keys that `then` had disabled, marked as compromised or destroyed, and that are in a better state
// in `now`; and those that it had and `now` has never heard of.
struct UndoneStates {
  std::size_t destroyed = 0;
  std::size_t out_of_use = 0;  // disabled or compromised
  std::size_t lacking = 0;     // not destroyed then, and not there
};
UndoneStates undone_states(const KeyStates& then, std::span<const crypto::vault::KeyInfo> now);

}  // namespace paravent::proxy::main
