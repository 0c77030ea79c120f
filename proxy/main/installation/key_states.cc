#include "proxy/main/installation/key_states.h"

#include <optional>

#include "proxy/admin/keys/key_text.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::vault::Id;
using crypto::vault::KeyInfo;
using crypto::vault::KeyState;

constexpr std::string_view kFirstLine = "paravent-key-states-v1\n";
constexpr std::size_t kIdSize = 32;

constexpr KeyState kStates[] = {
    KeyState::pre_activation,       KeyState::active,      KeyState::suspended,
    KeyState::deactivated,          KeyState::compromised, KeyState::destroyed,
    KeyState::destroyed_compromised};

std::optional<KeyState> state_named(std::string_view name) {
  for (const KeyState state : kStates) {
    if (crypto::vault::key_state_name(state) == name) return state;
  }
  return std::nullopt;
}

// How far a key is taken out of use.
int severity(KeyState state) {
  switch (state) {
    case KeyState::pre_activation:
    case KeyState::active:
    case KeyState::deactivated:
      return 0;
    case KeyState::suspended:
      return 1;
    case KeyState::compromised:
      return 2;
    default:
      return 3;
  }
}

}  // namespace

std::string key_states_text(std::span<const KeyInfo> keys) {
  std::map<Id, KeyState> sorted;
  for (const KeyInfo& key : keys) sorted.emplace(key.record.id, key.record.condition.state);
  std::string out(kFirstLine);
  for (const auto& [id, state] : sorted) {
    out += crypto::vault::id_hex(id) + ' ';
    out.append(crypto::vault::key_state_name(state)).push_back('\n');
  }
  return out;
}

Result<KeyStates> parse_key_states(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return Error(ErrorKind::malformed);
  text.remove_prefix(kFirstLine.size());
  KeyStates out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || end < kIdSize + 2 || text[kIdSize] != ' ') {
      return Error(ErrorKind::malformed);
    }
    const auto id = admin::id_from_hex(text.substr(0, kIdSize));
    const auto state = state_named(text.substr(kIdSize + 1, end - kIdSize - 1));
    if (!id || !state || (!out.empty() && out.rbegin()->first >= *id)) {
      return Error(ErrorKind::malformed);
    }
    out.emplace(*id, *state);
    text.remove_prefix(end + 1);
  }
  return out;
}

UndoneStates undone_states(const KeyStates& then, std::span<const KeyInfo> now) {
  std::map<Id, int> severities;
  for (const KeyInfo& key : now) {
    severities.emplace(key.record.id, severity(key.record.condition.state));
  }
  UndoneStates out;
  for (const auto& [id, state] : then) {
    const auto it = severities.find(id);
    // What is not there cannot come back.
    if (it == severities.end()) {
      out.lacking += severity(state) < 3 ? 1U : 0U;
      continue;
    }
    if (it->second >= severity(state)) continue;
    ++(severity(state) == 3 ? out.destroyed : out.out_of_use);
  }
  return out;
}

}  // namespace paravent::proxy::main
