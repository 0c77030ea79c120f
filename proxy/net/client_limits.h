// ClientLimits: how many connections, and how many requests a second, one client address may have.
//
// Two rows of counters, each found by a keyed hash of the address; the smaller one counts. Memory
// is fixed whatever comes, nobody without the key can choose addresses that collide, and a client
// suffers from others only where both of its counters are shared. No lock: a counter is one atomic.
// IPv6 counts by /64, which is what one subscriber gets. Thread safe; shared by all workers.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "proxy/body/sip_hash.h"
#include "proxy/net/ip_range.h"

namespace paravent::proxy::net {

class ClientLimits {
 public:
  explicit ClientLimits(const body::SipKey& key);

  // Where an address is counted.
  struct Place {
    std::array<std::uint32_t, 2> at{};
  };
  Place place_of(const IpAddress& address) const noexcept;

  // False, and nothing is counted, when the address has `most` connections already. True: one more,
  // until close_connection().
  bool open_connection(const Place& place, std::size_t most) noexcept;
  void close_connection(const Place& place) noexcept;

  // False when the address is over `per_second` requests on average, after `burst` at once.
  // `now_us`: of any steady clock, always the same one. REQUIRES: per_second > 0.
  bool admit_request(const Place& place, std::uint32_t per_second, std::uint32_t burst,
                     std::uint64_t now_us) noexcept;

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << 16;  // a row; 20 000 clients fill a third

  struct Row {
    std::array<std::atomic<std::uint32_t>, kSlots> connections{};
    // When the bucket will be empty (generic cell rate algorithm, ITU-T I.371).
    std::array<std::atomic<std::uint64_t>, kSlots> empty_at_us{};
  };

  body::SipKey key_;
  std::array<std::unique_ptr<Row>, 2> rows_;
};

}  // namespace paravent::proxy::net
