// Any bytes as a data backup's list of key states: what is accepted has one spelling.

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "proxy/main/installation/key_states.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto states = proxy::main::parse_key_states(text);
  if (!states) {
    if (states.error().kind() != crypto::ErrorKind::malformed) std::abort();
    return 0;
  }
  std::vector<crypto::vault::KeyInfo> keys;
  for (const auto& [id, state] : *states) {
    keys.emplace_back();
    keys.back().record.id = id;
    keys.back().record.condition.state = state;
  }
  if (proxy::main::key_states_text(keys) != text) std::abort();
  const auto undone = proxy::main::undone_states(*states, keys);
  if (undone.destroyed + undone.out_of_use != 0) std::abort();
  return 0;
}
