#include "proxy/net/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "crypto/base/out_of_memory.h"
#include "proxy/net/upstream_connection.h"

namespace paravent::proxy::net {

UpstreamPool::UpstreamPool(EventLoop& loop, ReadBlockPool& blocks, tls::WarmStreams& warm)
    : loop_(loop), blocks_(blocks), warm_(warm) {}

UpstreamPool::~UpstreamPool() = default;

UpstreamHost& UpstreamPool::host(const std::shared_ptr<const UpstreamAddress>& address) {
  const auto known = hosts_.find(address->key);
  UpstreamHost* const host = known != hosts_.end() ? known->second.get() : add_host(*address);
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

UpstreamHost* UpstreamPool::add_host(const UpstreamAddress& address) {
  auto made = std::make_unique<UpstreamHost>(address.target.text);
  const std::lock_guard lock(mutex_);
  crypto::reserve_one_more(statistics_);
  UpstreamHost* const host = hosts_.emplace(address.key, std::move(made)).first->second.get();
  statistics_.push_back(host->statistics);
  return host;
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
      group.choose(loop_.deadlines().steady_ms(), limits.upstream_requests, tried);
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
    if (unused_.empty()) add_connection();
    connection = unused_.back();
    unused_.pop_back();
  }
  const bool started = crypto::with_memory([&] {
    connection->start({&group, host, tried}, std::move(request), handler, limits, counters);
  });
  if (started) return connection;
  connection->cancel();
  throw std::bad_alloc();
}

void UpstreamPool::add_connection() {
  // Room for all of them, so that give_back() never asks for memory.
  crypto::reserve_one_more(connections_);
  unused_.reserve(connections_.capacity());
  connections_.push_back(std::make_unique<UpstreamConnection>(*this));
  unused_.push_back(connections_.back().get());
}

void UpstreamPool::shrink() noexcept {
  for (const auto& [key, host] : hosts_) {
    while (!host->idle.empty()) host->idle.back()->discard();
  }
}

bool UpstreamPool::keep(UpstreamConnection& connection, UpstreamHost& host) {
  if (host.idle.size() >= kMostIdle) return false;
  return crypto::with_memory([&] { host.idle.push_back(&connection); });
}

void UpstreamPool::leave(UpstreamConnection& connection, UpstreamHost& host) noexcept {
  host.idle.erase(std::remove(host.idle.begin(), host.idle.end(), &connection), host.idle.end());
}

void UpstreamPool::give_back(UpstreamConnection& connection) noexcept {
  unused_.push_back(&connection);
}

}  // namespace paravent::proxy::net
