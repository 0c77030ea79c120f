// Door: what all workers of a gateway know together about who comes in: the proxies that are
// trusted, what each client may have, and how full the memory is.
//
// Outlives the workers. Thread safe.

#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "proxy/net/client_limits.h"
#include "proxy/net/ip_range.h"
#include "proxy/net/memory_watch.h"
#include "proxy/pipeline/client_chain.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy::net {

class Door final : public TrustedProxies {
 public:
  // The key of the counters is random. `resident`: of MemoryWatch.
  explicit Door(std::function<std::uint64_t()> resident = resident_bytes);

  // Before the first worker starts.
  void trust(std::vector<IpRange> proxies) { proxies_ = std::move(proxies); }
  bool trusts(const IpAddress& address) const noexcept { return contains(proxies_, address); }
  Hop look_up(std::string_view address) const noexcept override;

  ClientLimits& clients() noexcept { return clients_; }
  MemoryWatch& memory() noexcept { return memory_; }
  const MemoryWatch& memory() const noexcept { return memory_; }

 private:
  std::vector<IpRange> proxies_;
  ClientLimits clients_;
  MemoryWatch memory_;
};

// Tells a client that there is no room, written blindly into a fresh socket's buffer: a session for
// it is exactly what there is no room for. `reason`: overloaded or rate_limited.
void refuse_blindly(int fd, Reason reason) noexcept;

}  // namespace paravent::proxy::net
