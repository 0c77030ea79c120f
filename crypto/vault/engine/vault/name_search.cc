#include "crypto/vault/engine/vault/name_search.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "crypto/tokens/token_text.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kLastAttempt = 255;

void next_attempt(ShapedName& name) {
  if (name.attempt == kLastAttempt) {
    name.state = NameState::exhausted;
  } else {
    ++name.attempt;
  }
}

}  // namespace

void ShapedName::give(MintJob& job) const noexcept {
  if (text.size() > job.shaped.size()) std::abort();
  std::copy(text.begin(), text.end(), job.shaped.begin());
  job.shaped_size = static_cast<std::uint8_t>(text.size());
}

Status search_names(TokenStore& store, std::span<ShapedName> names, std::set<AliasKey>& claimed) {
  std::vector<ShapedName*> open;
  std::vector<AliasKey> keys;
  std::vector<std::optional<Id>> holders;
  for (;;) {
    open.clear();
    keys.clear();
    for (ShapedName& name : names) {
      if (name.state != NameState::searching) continue;
      name.key->write_text(name.shape, name.length, name.id, name.attempt, name.text);
      name.alias = name.key->alias(name.text);
      open.push_back(&name);
      keys.push_back(name.alias);
    }
    if (open.empty()) return {};
    holders.assign(keys.size(), std::nullopt);
    if (auto s = store.find_aliases(keys, holders); !s) return s;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (holders[i] == open[i]->id) {
        open[i]->state = NameState::ours;
      } else if (!announces_token(open[i]->text) && !holders[i] && claimed.insert(keys[i]).second) {
        open[i]->state = NameState::free;
      } else {
        next_attempt(*open[i]);
      }
    }
  }
}

}  // namespace paravent::crypto::vault
