// TicketKeys: the keys of session tickets (RFC 5077, RFC 8446 4.6.1): sessions are resumed without
// any state here, and a stolen key opens an hour's resumptions at most.
//
// A key makes tickets for an hour and opens them for another two; then it is wiped. Keys are born
// in this process and never leave it: after a restart clients shake hands in full. Shared by every
// worker and every generation of certificates; thread safe (one lock per handshake that uses
// tickets).

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>

#include "crypto/base/secret_bytes.h"

namespace paravent::proxy::net::tls {

class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::minutes kMakes{60};
  static constexpr std::chrono::minutes kOpens{180};
  // A ticket's own life, told to clients: within what its key opens.
  static constexpr std::chrono::minutes kTicketLife{120};

  using Name = std::array<std::uint8_t, 16>;
  // Keys for AES-256-CBC and HMAC-SHA-256, encrypt then MAC, as OpenSSL's tickets are made.
  struct Key {
    Name name{};
    crypto::SecretBytes cipher;  // 32
    crypto::SecretBytes mac;     // 32
    Clock::time_point made;
  };

  // The key for new tickets; made anew when the last one's hour is over.
  std::shared_ptr<const Key> current(Clock::time_point now);
  // The key of that name while it still opens; else null.
  std::shared_ptr<const Key> find(std::span<const std::uint8_t> name, Clock::time_point now);

 private:
  void drop_old(Clock::time_point now);

  std::mutex mutex_;
  std::deque<std::shared_ptr<const Key>> keys_;  // the newest first
};

}  // namespace paravent::proxy::net::tls
