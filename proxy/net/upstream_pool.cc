#include "proxy/net/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "proxy/net/upstream_connection.h"

namespace paravent::proxy::net {

UpstreamPool::UpstreamPool(EventLoop& loop, ReadBlockPool& blocks) : loop_(loop), blocks_(blocks) {}

UpstreamPool::~UpstreamPool() = default;

UpstreamHost& UpstreamPool::host(const std::shared_ptr<const UpstreamAddress>& address) {
  auto& host = hosts_[address->key];
  if (!host) host = std::make_unique<UpstreamHost>();
  const auto same = [](const SocketAddress& a, const SocketAddress& b) {
    return a.size == b.size && std::equal(reinterpret_cast<const char*>(&a.storage),
                                          reinterpret_cast<const char*>(&a.storage) + a.size,
                                          reinterpret_cast<const char*>(&b.storage));
  };
  if (host->address) {
    const auto& before = host->address->addresses;
    const auto& now = address->addresses;
    if (!std::equal(before.begin(), before.end(), now.begin(), now.end(), same)) {
      // The name points elsewhere now: what is open leads to the old place.
      while (!host->idle.empty()) host->idle.back()->discard();
    }
  }
  host->address = address;
  return *host;
}

UpstreamExchange* UpstreamPool::exchange(UpstreamHost& host, ProtectedRequest request,
                                         UpstreamHandler& handler, const Limits& limits,
                                         telemetry::WorkerCounters& counters) {
  UpstreamConnection* connection = nullptr;
  while (!host.idle.empty() && connection == nullptr) {
    UpstreamConnection* const last = host.idle.back();
    if (last->fit_for(request)) {
      host.idle.pop_back();
      connection = last;
    } else {
      last->discard();
    }
  }
  if (connection == nullptr) {
    if (unused_.empty()) {
      connections_.push_back(std::make_unique<UpstreamConnection>(*this));
      unused_.push_back(connections_.back().get());
    }
    connection = unused_.back();
    unused_.pop_back();
  }
  connection->start(host, std::move(request), handler, limits, counters);
  return connection;
}

void UpstreamPool::shrink() noexcept {
  for (const auto& [key, host] : hosts_) {
    while (!host->idle.empty()) host->idle.back()->discard();
  }
}

bool UpstreamPool::keep(UpstreamConnection& connection, UpstreamHost& host) {
  if (host.idle.size() >= kMostIdle) return false;
  host.idle.push_back(&connection);
  return true;
}

void UpstreamPool::leave(UpstreamConnection& connection, UpstreamHost& host) noexcept {
  host.idle.erase(std::remove(host.idle.begin(), host.idle.end(), &connection), host.idle.end());
}

void UpstreamPool::give_back(UpstreamConnection& connection) { unused_.push_back(&connection); }

}  // namespace paravent::proxy::net
