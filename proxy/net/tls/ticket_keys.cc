#include "proxy/net/tls/ticket_keys.h"

#include <algorithm>
#include <utility>

#include "crypto/primitives/random.h"

namespace paravent::proxy::net::tls {

std::shared_ptr<const TicketKeys::Key> TicketKeys::current(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  drop_old(now);
  if (keys_.empty() || now - keys_.front()->made >= kMakes) {
    auto key = std::make_shared<Key>();
    crypto::random_bytes(key->name);
    key->cipher = crypto::SecretBytes(32);
    key->mac = crypto::SecretBytes(32);
    crypto::random_bytes(key->cipher.mutable_bytes());
    crypto::random_bytes(key->mac.mutable_bytes());
    key->made = now;
    keys_.push_front(std::move(key));
  }
  return keys_.front();
}

std::shared_ptr<const TicketKeys::Key> TicketKeys::find(std::span<const std::uint8_t> name,
                                                        Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  drop_old(now);
  for (const auto& key : keys_) {
    if (std::equal(key->name.begin(), key->name.end(), name.begin(), name.end())) return key;
  }
  return nullptr;
}

void TicketKeys::drop_old(Clock::time_point now) {
  while (!keys_.empty() && now - keys_.back()->made >= kOpens) keys_.pop_back();
}

}  // namespace paravent::proxy::net::tls
