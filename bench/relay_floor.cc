// The floor: a relay that moves bytes between two sockets and looks at none of them. No user-space
// proxy that reads and writes the same messages through the same kernel can cost less, so its
// figure is the physical limit in every comparison.
//
// One upstream connection per client connection, opened on accept and kept as long as it. Four
// system calls per request and answer (recv, send, recv, send) and its share of epoll_wait: a read
// that fills less than the buffer has emptied the socket, so edge-triggered epoll needs no second
// read to learn that.

#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "bench/support/socket.h"

namespace paravent::bench {
namespace {

struct Endpoint {
  int descriptor = -1;
  Endpoint* other = nullptr;
  std::string unsent;    // what this endpoint's socket did not take yet
  bool closing = false;  // the far end has shut down: read on until the socket says so
  bool dead = false;
};

struct Pair {
  Endpoint client;
  Endpoint upstream;
};

class Relay {
 public:
  Relay(int listener, std::uint16_t upstream_port)
      : listener_(listener), upstream_port_(upstream_port) {
    poller_.watch_listener(listener_, nullptr);
  }

  void run() {
    while (!stop_requested()) {
      // Not for ever: a signal may come between the look at its flag and the wait.
      for (const epoll_event& event : poller_.wait(100)) {
        if (event.data.ptr == nullptr) {
          accept_one();
        } else {
          on_event(*static_cast<Endpoint*>(event.data.ptr), event.events);
        }
      }
      bury();
    }
  }

 private:
  void accept_one() {
    const int client = accept_from(listener_);
    if (client < 0) return;
    const int upstream = connect_loopback(upstream_port_);
    if (upstream < 0) {
      close(client);
      return;
    }
    auto pair = std::make_unique<Pair>();
    pair->client.descriptor = client;
    pair->client.other = &pair->upstream;
    pair->upstream.descriptor = upstream;
    pair->upstream.other = &pair->client;
    poller_.watch(client, &pair->client);
    poller_.watch(upstream, &pair->upstream);
    pairs_.push_back(std::move(pair));
  }

  void on_event(Endpoint& endpoint, std::uint32_t events) {
    if (endpoint.dead) return;
    if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) endpoint.closing = true;
    if ((events & EPOLLOUT) != 0 && !endpoint.unsent.empty() && !flush(endpoint)) return;
    if ((events & EPOLLIN) != 0 || endpoint.closing) pump(endpoint);
  }

  // Reads from one side until it is empty and writes to the other.
  void pump(Endpoint& from) {
    Endpoint& to = *from.other;
    for (;;) {
      if (!to.unsent.empty()) return;  // the other side is full: flush() comes back here
      const ssize_t got = recv(from.descriptor, buffer_.data(), buffer_.size(), 0);
      if (got <= 0) {
        if (got == 0 || errno != EAGAIN) kill_pair(from);
        return;
      }
      const auto size = static_cast<std::size_t>(got);
      if (!write_to(to, buffer_.data(), size)) return;
      if (size < buffer_.size() && !from.closing) return;
    }
  }

  bool write_to(Endpoint& to, const char* bytes, std::size_t size) {
    ssize_t sent = send(to.descriptor, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) sent = 0;
    if (sent < 0) {
      kill_pair(to);
      return false;
    }
    to.unsent.append(bytes + sent, size - static_cast<std::size_t>(sent));
    return true;
  }

  bool flush(Endpoint& to) {
    const std::string pending = std::exchange(to.unsent, {});
    if (!write_to(to, pending.data(), pending.size())) return false;
    if (to.unsent.empty()) pump(*to.other);
    return !to.dead;
  }

  void kill_pair(Endpoint& endpoint) {
    for (Endpoint* side : {&endpoint, endpoint.other}) {
      if (!side->dead) close(side->descriptor);
      side->dead = true;
    }
    has_dead_ = true;
  }

  // Only after the whole batch of events, which may still name a dead endpoint.
  void bury() {
    if (!has_dead_) return;
    std::erase_if(pairs_, [](const auto& pair) { return pair->client.dead; });
    has_dead_ = false;
  }

  int listener_;
  std::uint16_t upstream_port_;
  Poller poller_;
  std::vector<std::unique_ptr<Pair>> pairs_;
  std::array<char, 65536> buffer_{};
  bool has_dead_ = false;
};

}  // namespace
}  // namespace paravent::bench

int main(int argc, char** argv) {
  CLI::App app("Relays bytes between clients and one upstream on loopback, reading none of them.");
  std::uint16_t listen_port = 0;
  std::uint16_t upstream_port = 0;
  app.add_option("--listen", listen_port, "Loopback port to listen on")->required();
  app.add_option("--upstream", upstream_port, "Loopback port to relay to")->required();
  CLI11_PARSE(app, argc, argv);
  const int listener = paravent::bench::listen_loopback(listen_port);
  if (listener < 0) {
    std::cerr << "relay_floor: port " << listen_port << " is taken; choose another --listen\n";
    return 1;
  }
  paravent::bench::stop_on_signals();
  paravent::bench::Relay(listener, upstream_port).run();
  return 0;
}
