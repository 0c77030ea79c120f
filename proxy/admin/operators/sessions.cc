#include "proxy/admin/operators/sessions.h"

#include <algorithm>
#include <array>

#include "crypto/base/encoding.h"
#include "crypto/primitives/random.h"

namespace paravent::proxy::admin {

using crypto::SecretBytes;

SecretBytes new_credential(std::string_view prefix) {
  std::array<std::uint8_t, 32> random{};
  crypto::random_bytes(random);
  std::string text(prefix);
  text.reserve(prefix.size() + 64);  // growing would leave copies behind
  crypto::append_base64url(text, random);
  crypto::wipe(random);
  SecretBytes made = SecretBytes::copy_of(text);
  crypto::wipe(text);
  return made;
}

SecretBytes Sessions::begin(std::string_view name, crypto::WallTime now, crypto::WallTime expires) {
  SecretBytes credential = new_credential(kPrefix);
  const crypto::Sha256Digest hash = crypto::sha256(credential.bytes());
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [now](const auto& one) { return now >= one.second.expires; });
  auto oldest = sessions_.end();
  std::size_t mine = 0;
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->second.name != name) continue;
    ++mine;
    if (oldest == sessions_.end() || it->second.begun < oldest->second.begun) oldest = it;
  }
  if (mine >= kMostOfOne) sessions_.erase(oldest);
  sessions_[hash] = {std::string(name), now, expires};
  return credential;
}

std::optional<std::string> Sessions::find(const crypto::Sha256Digest& hash, crypto::WallTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(hash);
  if (found == sessions_.end() || now >= found->second.expires) return std::nullopt;
  return found->second.name;
}

void Sessions::end(const crypto::Sha256Digest& hash) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(hash);
}

void Sessions::end_all_of(std::string_view name) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [name](const auto& one) { return one.second.name == name; });
}

}  // namespace paravent::proxy::admin
