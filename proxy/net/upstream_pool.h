// UpstreamPool: one worker's connections to the applications, kept alive between exchanges.
//
// Shared with nobody: the hot path takes no lock, and a connection's buffers stay in one core's
// cache. A connection on which anything was odd is destroyed, never reused. One thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/net/event_loop.h"
#include "proxy/net/read_block.h"
#include "proxy/net/tls/warm_streams.h"
#include "proxy/net/upstream_host.h"
#include "proxy/pipeline/limits.h"
#include "proxy/pipeline/upstream.h"
#include "proxy/telemetry/worker_counters.h"

namespace paravent::proxy::net {

class UpstreamConnection;

class UpstreamPool {
 public:
  // All outlive the pool.
  UpstreamPool(EventLoop& loop, ReadBlockPool& blocks, tls::WarmStreams& warm);
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // The host of an address; keeps its connections when the address is the same as before. Else the
  // idle ones close now, and busy ones with their exchange.
  UpstreamHost& host(const std::shared_ptr<const UpstreamAddress>& address);

  // As Upstream::exchange, to one of `group`, which must stay as well. `limits` and `counters` must
  // stay until the handle is dead. Throws std::bad_alloc, and nothing was sent.
  UpstreamExchange* exchange(UpstreamGroup& group, ProtectedRequest request,
                             UpstreamHandler& handler, const Limits& limits,
                             telemetry::WorkerCounters& counters);

  // One for each target ever used. Any thread.
  std::vector<std::shared_ptr<const UpstreamStatistics>> statistics() const;

  // Closes what is idle.
  void shrink() noexcept;

  // For connections.
  EventLoop& loop() noexcept { return loop_; }
  ReadBlockPool& blocks() noexcept { return blocks_; }
  tls::WarmStreams& warm_streams() noexcept { return warm_; }
  // False: enough are idle, or there is no memory to note one more.
  bool keep(UpstreamConnection& connection, UpstreamHost& host);
  void leave(UpstreamConnection& connection, UpstreamHost& host) noexcept;  // idle no longer
  void give_back(UpstreamConnection& connection) noexcept;  // closed, to be used again

 private:
  UpstreamHost* add_host(const UpstreamAddress& address);
  void add_connection();

  static constexpr std::size_t kMostIdle = 256;  // per host

  EventLoop& loop_;
  ReadBlockPool& blocks_;
  tls::WarmStreams& warm_;
  std::map<std::string, std::unique_ptr<UpstreamHost>> hosts_;
  mutable std::mutex mutex_;  // guards statistics_ only
  std::vector<std::shared_ptr<const UpstreamStatistics>> statistics_;
  std::vector<std::unique_ptr<UpstreamConnection>> connections_;
  std::vector<UpstreamConnection*> unused_;
};

}  // namespace paravent::proxy::net
