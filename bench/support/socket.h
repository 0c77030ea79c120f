// The few socket calls that the relay, the responder and the load generator share. Loopback only.
// Every descriptor is non-blocking and has TCP_NODELAY set; the caller owns and closes it.

#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

namespace paravent::bench {

// -1 when the port is taken; errno says why.
int listen_loopback(std::uint16_t port);

// -1 when nobody is waiting on the queue.
int accept_from(int listener);

// Waits for the connection (immediate on loopback), then makes it non-blocking. -1 on failure.
int connect_loopback(std::uint16_t port);

// Edge-triggered epoll, so that no call is spent on re-arming.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Watches reading, writing and hang-up; `tag` comes back in epoll_event::data.ptr.
  void watch(int descriptor, void* tag);
  // Watches a listener, level-triggered.
  void watch_listener(int descriptor, void* tag);
  std::span<epoll_event> wait(int timeout_ms);

 private:
  int descriptor_;
  std::array<epoll_event, 256> events_{};
};

// SIGINT and SIGTERM ask for an orderly end: the loops look at stop_requested() after every wait.
void stop_on_signals();
bool stop_requested();

}  // namespace paravent::bench
