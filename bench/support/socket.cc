#include "bench/support/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace paravent::bench {
namespace {

volatile std::sig_atomic_t stop_flag = 0;

void on_stop(int) { stop_flag = 1; }

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_no_delay(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

int listen_loopback(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(descriptor, 1024) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

int accept_from(int listener) {
  const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) set_no_delay(descriptor);
  return descriptor;
}

int connect_loopback(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const sockaddr_in address = loopback(port);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0) {
    close(descriptor);
    return -1;
  }
  set_no_delay(descriptor);
  // A whole batch of events goes in one call.
  const int room = 256 * 1024;
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return descriptor;
}

Poller::Poller() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
  if (descriptor_ < 0) std::abort();
}

Poller::~Poller() { close(descriptor_); }

void Poller::watch(int descriptor, void* tag) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<std::uint32_t>(EPOLLET);
  event.data.ptr = tag;
  if (epoll_ctl(descriptor_, EPOLL_CTL_ADD, descriptor, &event) != 0) std::abort();
}

void Poller::watch_listener(int descriptor, void* tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = tag;
  if (epoll_ctl(descriptor_, EPOLL_CTL_ADD, descriptor, &event) != 0) std::abort();
}

std::span<epoll_event> Poller::wait(int timeout_ms) {
  const int count =
      epoll_wait(descriptor_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  return std::span(events_).first(count > 0 ? static_cast<std::size_t>(count) : 0);
}

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool stop_requested() { return stop_flag != 0; }

}  // namespace paravent::bench
