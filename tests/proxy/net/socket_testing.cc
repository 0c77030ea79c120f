#include "tests/proxy/net/socket_testing.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

namespace paravent::proxy::net {
namespace {

constexpr std::chrono::milliseconds kPatience{60'000};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool wait_readable(int fd, std::chrono::milliseconds within) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(within.count())) > 0;
}

UniqueFd bound_socket(std::uint16_t& port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
    throw std::runtime_error("bind");
  }
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

Peer Peer::connect(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("connect");
  }
  const int on = 1;  // what is written in drops is sent in drops
  static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  return Peer(std::move(fd));
}

void Peer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // the other side closed; what it said is what the test looks at
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool Peer::more() {
  if (!wait_readable(fd_.get(), kPatience)) {
    pending_ += "<timeout>";
    return false;
  }
  char buffer[65536];
  const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
  was_reset_ = n < 0 && errno == ECONNRESET;
  if (n <= 0) return false;
  pending_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

std::string Peer::read_until(std::string_view end) {
  std::size_t at = 0;
  while ((at = pending_.find(end)) == std::string::npos) {
    if (!more()) return std::exchange(pending_, {});
  }
  std::string result = pending_.substr(0, at + end.size());
  pending_.erase(0, at + end.size());
  return result;
}

std::string Peer::read_message() {
  std::string message = read_until("\r\n\r\n");
  std::size_t length = 0;
  if (const std::size_t at = message.find("Content-Length: "); at != std::string::npos) {
    length = std::stoul(message.substr(at + 16));
  }
  while (pending_.size() < length) {
    if (!more()) break;
  }
  message += pending_.substr(0, length);
  pending_.erase(0, length);
  return message;
}

std::string Peer::read_some() {
  if (pending_.empty()) more();
  return std::exchange(pending_, {});
}

std::string Peer::read_all() {
  while (more()) {
  }
  return std::exchange(pending_, {});
}

bool Peer::closes(std::chrono::milliseconds within) {
  if (!pending_.empty() || !wait_readable(fd_.get(), within)) return false;
  char byte = 0;
  return ::recv(fd_.get(), &byte, 1, 0) <= 0;
}

void Peer::shut_writing() { ::shutdown(fd_.get(), SHUT_WR); }

void Peer::reset() {
  const linger hard{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  fd_.reset();
}

FakeUpstream::FakeUpstream(Serve serve) : serve_(std::move(serve)), listener_(bound_socket(port_)) {
  ::listen(listener_.get(), 128);
  acceptor_ = std::thread([this] { accept_loop(); });
}

FakeUpstream::~FakeUpstream() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& peer : peers_) peer->shut_writing();
  }
  for (std::thread& thread : threads_) thread.join();
}

void FakeUpstream::accept_loop() {
  while (!stopping_) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) continue;
    const int number = ++connections_;
    const std::lock_guard lock(mutex_);
    peers_.push_back(std::make_unique<Peer>(std::move(fd)));
    threads_.emplace_back([this, peer = peers_.back().get(), number] { serve_(*peer, number); });
  }
}

void echo(Peer& peer, int) {
  for (;;) {
    const std::string request = peer.read_message();
    if (request.empty() || request.ends_with("<timeout>")) return;
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(request.size()) + "\r\n\r\n" +
               request);
  }
}

std::uint16_t closed_port() {
  // IPv4 as well: an IPv6 socket is for both unless it says otherwise.
  const UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  socklen_t size = sizeof any;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), size) != 0) {
    throw std::runtime_error("bind");
  }
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&any), &size);
  return ntohs(any.sin6_port);
}

}  // namespace paravent::proxy::net
