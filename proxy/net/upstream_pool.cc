#include "proxy/net/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "proxy/net/upstream_connection.h"

namespace paravent::proxy::net {

UpstreamPool::UpstreamPool(EventLoop& loop, ReadBlockPool& blocks, tls::WarmStreams& warm)
    : loop_(loop), blocks_(blocks), warm_(warm) {}

UpstreamPool::~UpstreamPool() = default;

UpstreamHost& UpstreamPool::host(const std::shared_ptr<const UpstreamAddress>& address) {
  auto& host = hosts_[address->key];
  if (!host) {
    host = std::make_unique<UpstreamHost>(address->target.text);
    const std::lock_guard lock(mutex_);
    statistics_.push_back(host->statistics);
  }
  if (host->address && (!same_addresses(host->address->addresses, address->addresses) ||
                        host->address->setting.tls != address->setting.tls)) {
    // The name points elsewhere now, or other certificates count: what is open is of the past, also
    // what is busy, once its exchange has ended.
    ++host->moves;
    while (!host->idle.empty()) host->idle.back()->discard();
  }
  host->address = address;
  return *host;
}

std::vector<std::shared_ptr<const UpstreamStatistics>> UpstreamPool::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

UpstreamExchange* UpstreamPool::exchange(UpstreamGroup& group, ProtectedRequest request,
                                         UpstreamHandler& handler, const Limits& limits,
                                         telemetry::WorkerCounters& counters) {
  std::uint32_t tried = 0;
  UpstreamHost* const host =
      group.choose(loop_.deadlines().now_ms(), limits.upstream_requests, tried);
  UpstreamConnection* connection = nullptr;
  while (host != nullptr && !host->idle.empty() && connection == nullptr) {
    UpstreamConnection* const last = host->idle.back();
    if (last->fit_for(request)) {
      host->idle.pop_back();
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
  connection->start({&group, host, tried}, std::move(request), handler, limits, counters);
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
