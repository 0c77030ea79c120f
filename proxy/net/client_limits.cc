#include "proxy/net/client_limits.h"

#include <algorithm>
#include <string_view>

namespace paravent::proxy::net {

ClientLimits::ClientLimits(const body::SipKey& key)
    : key_(key), rows_{std::make_unique<Row>(), std::make_unique<Row>()} {}

ClientLimits::Place ClientLimits::place_of(const IpAddress& address) const noexcept {
  const std::size_t size = address.is_v4() ? 16 : 8;
  std::array<char, 16> bytes{};
  std::copy_n(address.bytes.begin(), size, bytes.begin());
  const std::uint64_t hash = body::sip_hash(key_, std::string_view(bytes.data(), size));
  return {{static_cast<std::uint32_t>(hash % kSlots),
           static_cast<std::uint32_t>((hash >> 32U) % kSlots)}};
}

bool ClientLimits::open_connection(const Place& place, std::size_t most) noexcept {
  std::uint32_t fewest = ~std::uint32_t{0};
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    auto& cell = rows_[row]->connections[place.at[row]];
    fewest = std::min(fewest, cell.fetch_add(1, std::memory_order_relaxed));
  }
  if (fewest < most) return true;
  close_connection(place);
  return false;
}

void ClientLimits::close_connection(const Place& place) noexcept {
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    rows_[row]->connections[place.at[row]].fetch_sub(1, std::memory_order_relaxed);
  }
}

bool ClientLimits::admit_request(const Place& place, std::uint32_t per_second, std::uint32_t burst,
                                 std::uint64_t now_us) noexcept {
  const std::uint64_t cost = std::max<std::uint64_t>(1, 1'000'000 / per_second);
  const std::uint64_t depth = cost * std::max<std::uint32_t>(1, burst);
  bool admitted = false;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    auto& cell = rows_[row]->empty_at_us[place.at[row]];
    std::uint64_t before = cell.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t after = std::max(before, now_us) + cost;
      if (after > now_us + depth) break;  // this counter is full
      if (cell.compare_exchange_weak(before, after, std::memory_order_relaxed)) {
        admitted = true;
        break;
      }
    }
  }
  return admitted;
}

}  // namespace paravent::proxy::net
