// Listener: one listening socket of one worker. Accepts in bursts, so that a flood of connections
// does not keep the worker from those it has. One thread.

#pragma once

#include <cstddef>

#include "proxy/net/event_loop.h"
#include "proxy/net/ip_range.h"
#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net {

// How connections of one listener begin.
struct ListenerTraits {
  std::size_t number = 0;  // in the order of ServerOptions::listen
};

class ListenerHost {
 public:
  virtual void on_accepted(UniqueFd fd, const IpAddress& peer, const ListenerTraits& traits) = 0;

 protected:
  ~ListenerHost() = default;
};

class Listener final : private Watcher {
 public:
  // Takes a bound, listening socket. Both references outlive the listener.
  Listener(EventLoop& loop, ListenerHost& host, UniqueFd fd, const ListenerTraits& traits);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  bool start() noexcept { return loop_.add(fd_.get(), *this, true); }

 private:
  void on_ready(std::uint32_t events) override;
  void shed_one();

  EventLoop& loop_;
  ListenerHost& host_;
  UniqueFd fd_;
  ListenerTraits traits_;
  UniqueFd spare_;  // given up for a moment when descriptors run out
};

}  // namespace paravent::proxy::net
