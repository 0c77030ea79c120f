#include "proxy/net/listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net {
namespace {

// In one go; what is left is told again, behind what others have to say.
constexpr int kBurst = 8;

UniqueFd open_spare() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Listener::Listener(EventLoop& loop, ListenerHost& host, UniqueFd fd, const ListenerTraits& traits)
    : loop_(loop), host_(host), fd_(std::move(fd)), traits_(traits), spare_(open_spare()) {}

Listener::~Listener() { loop_.drop(*this); }

void Listener::on_ready(std::uint32_t) {
  for (int i = 0; i < kBurst; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    UniqueFd accepted(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      // Without the memory for one more it is closed.
      crypto::with_memory(
          [&] { host_.on_accepted(std::move(accepted), ip_address_of(address), traits_); });
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE) shed_one();
    return;  // level-triggered: what is left is told again
  }
}

// Out of descriptors: a connection that cannot be taken would be told for ever. It is taken with
// the spare one and closed.
void Listener::shed_one() {
  spare_.reset();
  UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
  spare_ = open_spare();
}

}  // namespace paravent::proxy::net
