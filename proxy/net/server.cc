#include "proxy/net/server.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace paravent::proxy::net {

crypto::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                                      std::shared_ptr<const Snapshot> snapshot) {
  std::unique_ptr<Server> server(new Server(options.resident));
  server->context_.vault = options.vault;
  server->context_.access_log = options.access_log;
  server->context_.door.trust(options.trusted_proxies);
  server->context_.busy_poll = options.busy_poll;
  server->look_up_ = options.look_up;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t count = options.workers > 0 ? options.workers : cores;
  for (std::size_t i = 0; i < count; ++i) {
    server->workers_.push_back(std::make_unique<Worker>(server->context_));
  }
  if (auto listening = server->listen(options, count); !listening) return listening.error();
  auto publication = server->prepare(std::move(snapshot), options.tls, options.upstreams);
  if (!publication) return publication.error();
  for (const auto& worker : server->workers_) {
    if (auto prepared = worker->prepare(*publication); !prepared) return prepared.error();
  }
  server->snapshot_ = without_keys(*publication->snapshot);
  server->upstreams_ = publication->upstreams;
  server->tls_ = publication->tls;
  server->settings_ = options.upstreams;
  for (const auto& worker : server->workers_) worker->start();
  server->keeper_ = std::make_unique<UpstreamKeeper>(
      server->own_,
      [raw = server.get()](const UpstreamAddresses& before, const UpstreamAddresses& now) {
        return raw->on_moved(before, now);
      },
      options.resolve_seconds, options.look_up);
  server->keeper_->watch(server->upstreams_);
  return server;
}

Server::~Server() { stop(); }

crypto::Status Server::listen(const ServerOptions& options, std::size_t workers) {
  for (const ListenEndpoint& endpoint : options.other_listeners) {
    const auto address = socket_address(endpoint);
    if (!address) return address.error();
    own_.push_back(*address);
  }
  const bool shared = workers > 1;
  ListenerTraits traits;
  for (const ListenEndpoint& endpoint : options.listen) {
    const auto wanted = socket_address(endpoint);
    if (!wanted) return wanted.error();
    if (shared) {
      if (auto free = check_port_free(*wanted); !free) return free.error();
    }
    traits.proxy_protocol = endpoint.proxy_protocol;
    SocketAddress address = *wanted;
    for (const auto& worker : workers_) {
      auto fd = open_listener(address, shared);
      if (!fd) return fd.error();
      // Port 0: the first worker's socket learns the port, the others share it.
      address = local_address(fd->get());
      worker->add_listener(std::move(*fd), traits);
    }
    own_.push_back(address);
    ports_.push_back(address.port());
    ++traits.number;
  }
  return {};
}

crypto::Result<Publication> Server::prepare(std::shared_ptr<const Snapshot> snapshot,
                                            ListenerTls tls, UpstreamSettings settings) const {
  auto resolved = resolve_upstreams(*snapshot->plan, settings, own_, upstreams(), look_up_);
  if (!resolved) return resolved.error();
  return Publication{std::move(snapshot), std::move(*resolved), std::move(tls),
                     std::move(settings)};
}

crypto::Status Server::publish(std::shared_ptr<const Snapshot> snapshot) {
  if (snapshot->plan != snapshot_->plan) {
    auto publication = prepare(std::move(snapshot), tls_, settings_);
    if (!publication) return publication.error();
    return publish(*publication);
  }
  // A new epoch's keys under the same plan need no look-up, and must not fail for want of one.
  return publish(Publication{std::move(snapshot), upstreams(), tls_, settings_});
}

// The keeper found other addresses. What was published since has its own.
bool Server::on_moved(const UpstreamAddresses& before, const UpstreamAddresses& now) {
  const std::lock_guard lock(mutex_);
  if (upstreams_ != before) return false;
  // Before it counts as told: where there is no memory for it, it is found and told again.
  for (const auto& worker : workers_) worker->move_upstreams(now);
  upstreams_ = now;
  return true;
}

UpstreamAddresses Server::upstreams() const {
  const std::lock_guard lock(mutex_);
  return upstreams_;
}

std::vector<std::shared_ptr<const UpstreamStatistics>> Server::upstream_statistics() const {
  std::vector<std::shared_ptr<const UpstreamStatistics>> result;
  for (const auto& worker : workers_) {
    const auto some = worker->upstream_statistics();
    result.insert(result.end(), some.begin(), some.end());
  }
  return result;
}

crypto::Status Server::publish(const Publication& publication) {
  const std::lock_guard lock(mutex_);
  for (const auto& worker : workers_) {
    if (auto taken = worker->publish(publication); !taken) return taken.error();
  }
  snapshot_ = without_keys(*publication.snapshot);
  upstreams_ = publication.upstreams;
  tls_ = publication.tls;
  settings_ = publication.settings;
  keeper_->watch(upstreams_);
  return {};
}

bool Server::drain() {
  for (const auto& worker : workers_) worker->begin_drain();
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(snapshot_->limits.drain_ms);
  while (context_.open_connections.load() > 0) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

void Server::stop() {
  if (keeper_) keeper_->stop();
  for (const auto& worker : workers_) worker->stop();
}

std::vector<std::shared_ptr<const WorkerState>> Server::states() const {
  std::vector<std::shared_ptr<const WorkerState>> result;
  for (const auto& worker : workers_) result.push_back(worker->state());
  return result;
}

}  // namespace paravent::proxy::net
