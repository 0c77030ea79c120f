// A client and an application for tests: blocking sockets on loopback with a deadline, so that a
// test fails instead of hanging.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net {

// One connection's end.
class Peer {
 public:
  explicit Peer(UniqueFd fd) : fd_(std::move(fd)) {}
  static Peer connect(std::uint16_t port);

  void write(std::string_view bytes);
  // What arrives until it contains `end`, the stream ends or 5 s have passed.
  std::string read_until(std::string_view end);
  // Exactly one message: head and a body with Content-Length (or none).
  std::string read_message();
  // What is there, at least a byte unless the stream ends or 5 s pass.
  std::string read_some();
  // All that arrives until the stream ends; "<timeout>" behind it if it does not.
  std::string read_all();
  // True when the stream ends without another byte within `within`.
  bool closes(std::chrono::milliseconds within);
  // Whether the stream's end was a reset. REQUIRES: it has been read.
  bool was_reset() const noexcept { return was_reset_; }
  void shut_writing();
  void close() { fd_.reset(); }
  // Closes with a reset.
  void reset();

 private:
  bool more();  // reads once into pending_

  UniqueFd fd_;
  std::string pending_;
  bool was_reset_ = false;
};

// Listens on its own port and runs `serve` for every connection, each on its own thread.
class FakeUpstream {
 public:
  using Serve = std::function<void(Peer&, int connection)>;
  explicit FakeUpstream(Serve serve);
  ~FakeUpstream();

  std::uint16_t port() const noexcept { return port_; }
  int connections() const noexcept { return connections_.load(); }

 private:
  void accept_loop();

  Serve serve_;
  std::uint16_t port_ = 0;  // set while listener_ is made
  UniqueFd listener_;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Answers every request with 200 and the request itself as the body, keeping the connection.
void echo(Peer& peer, int connection);

// A port that nobody uses on any address, neither to listen nor for a connection of its own.
std::uint16_t closed_port();

}  // namespace paravent::proxy::net
