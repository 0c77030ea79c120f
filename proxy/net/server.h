// Server: the data path as one thing: listeners, workers, and the snapshot they serve.
//
// Built by start(), which reports everything that is wrong before the first connection is taken.
// The thread that calls start(), prepare(), publish(), drain() and stop() may be any, one at a
// time.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "proxy/net/ip_range.h"
#include "proxy/net/socket.h"
#include "proxy/net/upstream_keeper.h"
#include "proxy/net/worker.h"

namespace paravent::proxy::net {

struct ServerOptions {
  std::vector<ListenEndpoint> listen;
  ListenerTls tls;  // empty, or as long as `listen`
  UpstreamSettings upstreams;
  std::uint32_t resolve_seconds = UpstreamKeeper::kResolveSeconds;
  LookUp look_up = net::look_up;  // called by start(), prepare(), publish() and the keeper's thread
  // Where else this process listens (the admin API); an upstream there is refused as well.
  std::vector<ListenEndpoint> other_listeners;
  std::uint32_t workers = 0;               // 0: one per core
  std::chrono::microseconds busy_poll{0};  // of each worker (EventLoop)
  std::vector<IpRange> trusted_proxies;
  crypto::vault::TokenVault* vault = nullptr;                // see use_vault
  telemetry::AccessLog* access_log = nullptr;                // outlives the server; null: off
  std::function<std::uint64_t()> resident = resident_bytes;  // of MemoryWatch
};

class Server {
 public:
  // busy: a port is in use. configuration: an address is none, or an upstream is one of our own
  // listeners. unreachable: an upstream's name cannot be looked up. Blocks for look-ups.
  static crypto::Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                                       std::shared_ptr<const Snapshot> snapshot);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The ports bound, in the order of ServerOptions::listen.
  const std::vector<std::uint16_t>& ports() const noexcept { return ports_; }

  // What resolves from the next publish() on; null while sealed. It outlives the snapshots
  // published with it, and the one before may go once a snapshot without keys was published.
  void use_vault(crypto::vault::TokenVault* vault) noexcept { context_.vault = vault; }

  // New requests see `snapshot`; those under way keep theirs. On an error the old one stays. Blocks
  // for look-ups where the plan is another one; not to be called from a worker.
  crypto::Status publish(std::shared_ptr<const Snapshot> snapshot);

  // A reload in two steps, so that it can be put on record between them: prepare() finds out what
  // may be wrong and changes nothing; it blocks for look-ups. `tls` is for connections to come.
  crypto::Result<Publication> prepare(std::shared_ptr<const Snapshot> snapshot, ListenerTls tls,
                                      UpstreamSettings settings) const;
  crypto::Status publish(const Publication& publication);

  // Stops accepting, closes idle connections, lets exchanges finish, for at most Limits::drain_ms.
  // True when every connection ended by itself. stop() comes next.
  bool drain();
  // Ends the workers and whatever is still open.
  void stop();

  // The workers' states, for plan and counters; readable from any thread.
  std::vector<std::shared_ptr<const WorkerState>> states() const;
  // What the targets of the upstreams did, worker by worker; and what is known of them.
  std::vector<std::shared_ptr<const UpstreamStatistics>> upstream_statistics() const;
  UpstreamAddresses upstreams() const;
  std::uint64_t resolve_failures() const noexcept { return keeper_->resolve_failures(); }
  std::size_t open_connections() const noexcept { return context_.open_connections.load(); }

 private:
  explicit Server(std::function<std::uint64_t()> resident) : context_(std::move(resident)) {}
  bool on_moved(const UpstreamAddresses& before, const UpstreamAddresses& now);
  crypto::Status listen(const ServerOptions& options, std::size_t workers);

  WorkerContext context_;
  std::vector<std::uint16_t> ports_;
  std::vector<SocketAddress> own_;  // what this process listens on
  std::shared_ptr<const Snapshot> snapshot_;
  ListenerTls tls_;
  UpstreamSettings settings_;
  LookUp look_up_;
  mutable std::mutex mutex_;  // guards upstreams_, and the workers' being told of it
  UpstreamAddresses upstreams_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<UpstreamKeeper> keeper_;  // ends before the workers
};

}  // namespace paravent::proxy::net
