// UpstreamKeeper: a thread that looks after the upstreams of what is published: it looks names up
// again every kResolveSeconds (the resolver tells no time to live), and asks the targets that have
// a health path whether they work. What blocks, blocks here and on no worker.
//
// A name that leads to one of our own listeners, or that cannot be looked up, keeps its addresses
// and counts as a fault. A health check is a GET of ours, without anything of any request; an
// answer of 200 to 399 within kCheckMs is good; two in a row that are not take the target out, one
// good one takes it in again.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "proxy/net/upstream_address.h"

namespace paravent::proxy::net {

class UpstreamKeeper {
 public:
  static constexpr std::uint32_t kResolveSeconds = 30;
  static constexpr int kCheckMs = 2'000;

  // Called on the keeper's thread with addresses that have changed. False: others are published by
  // now, and these are of no interest.
  using Changed =
      std::function<bool(const UpstreamAddresses& before, const UpstreamAddresses& now)>;

  UpstreamKeeper(std::vector<SocketAddress> own, Changed changed,
                 std::uint32_t resolve_seconds = kResolveSeconds, LookUp look_up = net::look_up);
  ~UpstreamKeeper();
  UpstreamKeeper(const UpstreamKeeper&) = delete;
  UpstreamKeeper& operator=(const UpstreamKeeper&) = delete;

  // Ends the thread, after a look-up under way. The owner's thread.
  void stop();

  // What to look after from now on. Any thread.
  void watch(UpstreamAddresses upstreams);
  std::uint64_t resolve_failures() const noexcept { return resolve_failures_.load(); }

 private:
  struct Check {
    std::shared_ptr<const UpstreamAddress> address;
    std::uint64_t due_s = 0;
    unsigned failures = 0;
  };

  void run();
  void resolve_again();
  void check_health(std::uint64_t now_s);

  const std::vector<SocketAddress> own_;
  const Changed changed_;
  const std::uint32_t resolve_seconds_;
  const LookUp look_up_;
  std::atomic<std::uint64_t> resolve_failures_{0};
  std::mutex mutex_;  // guards the three below
  std::condition_variable wake_;
  bool stopping_ = false;
  UpstreamAddresses upstreams_;
  std::vector<Check> checks_;  // the thread's own
  std::thread thread_;
};

// One health check, to its end. Blocks for at most about `timeout_ms`.
bool is_healthy(const UpstreamAddress& address, int timeout_ms);

}  // namespace paravent::proxy::net
