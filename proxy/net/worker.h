// Worker: one thread that carries connections from accept to close, with everything they need:
// event loop, listeners, sessions, upstream pool, and the state under the published snapshot.
//
// Workers share nothing that is written but the gateway's count of open connections. Started by
// Server; the calls of other threads are marked.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "proxy/net/deadlines.h"
#include "proxy/net/door.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/ip_range.h"
#include "proxy/net/listener.h"
#include "proxy/net/session.h"
#include "proxy/net/upstream_address.h"
#include "proxy/net/upstream_pool.h"

namespace paravent::proxy::net {

// What all workers of a gateway share. Outlives them.
struct WorkerContext {
  explicit WorkerContext(std::function<std::uint64_t()> resident) : door(std::move(resident)) {}

  crypto::vault::TokenVault* vault = nullptr;
  telemetry::AccessLog* access_log = nullptr;
  Door door;
  std::chrono::microseconds busy_poll{0};  // of each event loop
  std::atomic<std::size_t> open_connections{0};
};

// How each listener speaks TLS, by its number; null: plain.
using ListenerTls = std::vector<std::shared_ptr<const tls::ServerContext>>;

// What is published: a snapshot, its plan's upstreams, resolved, and the listeners' certificates.
struct Publication {
  std::shared_ptr<const Snapshot> snapshot;
  UpstreamAddresses upstreams;
  ListenerTls tls;
  UpstreamSettings settings;
};

class Worker final : private SessionHost, private ListenerHost, private DeadlineHandler {
 public:
  explicit Worker(WorkerContext& context);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before start(): the first state, and the sockets to accept from.
  crypto::Status prepare(const Publication& publication);
  void add_listener(UniqueFd listening, const ListenerTraits& traits);
  void start();

  // Other threads. publish: builds the new state on the worker's thread and waits for it; on
  // failure the old one stays. begin_drain: stops accepting and lets connections end. stop: ends
  // the thread with whatever is still open.
  crypto::Status publish(const Publication& publication);
  void begin_drain();
  void stop();

  // Any thread: targets have moved to other addresses. What is under way stays where it is.
  void move_upstreams(UpstreamAddresses upstreams);

  // Any thread: what its upstreams did.
  std::vector<std::shared_ptr<const UpstreamStatistics>> upstream_statistics() const {
    return pool_.statistics();
  }
  // Any thread: the state in use, for its plan and counters.
  std::shared_ptr<const WorkerState> state() const;

 private:
  EventLoop& loop() noexcept override { return loop_; }
  ReadBlockPool& blocks() noexcept override { return blocks_; }
  tls::WarmStreams& warm_streams() noexcept override { return warm_; }
  TransactionPool& transactions() noexcept override { return transactions_; }
  UpstreamPool& upstreams() noexcept override { return pool_; }
  const std::shared_ptr<const Generation>& generation() const noexcept override {
    return generation_;
  }
  bool draining() const noexcept override { return draining_; }
  Door& door() noexcept override { return context_.door; }
  void on_closed(Session& session) override;
  void on_accepted(UniqueFd fd, const IpAddress& peer, const ListenerTraits& traits) override;
  // Every tick: what may be kept only for a second goes, also when nobody sends anything; and what
  // there is no memory for.
  void on_deadline(DeadlineSlot slot) override;
  void take_tick();

  crypto::Status take(const Publication& publication);
  void forget_earlier_keys();
  bool has_room() const noexcept;
  void add_session();
  void shed();
  void count_refused(Reason reason) noexcept override;
  void count_open(bool opened) noexcept;

  WorkerContext& context_;
  EventLoop loop_;
  ReadBlockPool blocks_;
  tls::WarmStreams warm_;
  std::uint32_t ticks_ = 0;
  TransactionPool transactions_;
  UpstreamPool pool_;
  std::shared_ptr<const Generation> generation_;
  std::vector<std::weak_ptr<WorkerState>> earlier_;  // some of them with transactions still
  mutable std::mutex state_mutex_;                   // guards published_state_ only
  std::shared_ptr<const WorkerState> published_state_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  ListenerTls tls_;  // for connections to come; those there are keep theirs
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<Session*> unused_;
  DeadlineSlot every_tick_;
  std::size_t open_ = 0;
  bool draining_ = false;
  std::thread thread_;
};

}  // namespace paravent::proxy::net
