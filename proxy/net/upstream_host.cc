#include "proxy/net/upstream_host.h"

#include <algorithm>

namespace paravent::proxy::net {

bool UpstreamHost::begin(std::uint64_t now_ms) noexcept {
  ++in_flight_;
  statistics->requests.add();
  statistics->in_flight.add(in_flight_ - statistics->in_flight.read());
  return circuit().begin(now_ms);
}

void UpstreamHost::end(bool tries) noexcept {
  --in_flight_;
  if (tries) circuit().end_try();
  statistics->in_flight.add(in_flight_ - statistics->in_flight.read());
}

void UpstreamHost::failed(std::uint64_t now_ms) noexcept {
  statistics->failures.add();
  if (circuit().failed(now_ms)) statistics->trips.add();
}

UpstreamHost* UpstreamGroup::choose(std::uint64_t now_ms, std::size_t most,
                                    std::uint32_t& tried) noexcept {
  std::size_t best = hosts.size();
  bool best_is_up = false;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::size_t at = (next + i) % hosts.size();
    const UpstreamHost& host = *hosts[at];
    if ((tried >> at & 1U) != 0 || host.in_flight() >= most) continue;
    if (host.circuit().may_try(now_ms)) {
      best = at;
      break;
    }
    if (host.circuit().is_open()) continue;
    const bool up = host.is_up();
    if (best < hosts.size() && best_is_up && !up) continue;
    if (best < hosts.size() && best_is_up == up && host.in_flight() >= hosts[best]->in_flight()) {
      continue;
    }
    best = at;
    best_is_up = up;
  }
  if (best == hosts.size()) return nullptr;
  next = (best + 1) % hosts.size();
  tried |= std::uint32_t{1} << best;
  return hosts[best];
}

bool UpstreamGroup::is_full(std::size_t most) const noexcept {
  return std::any_of(hosts.begin(), hosts.end(), [most](const UpstreamHost* host) {
    return !host->circuit().is_open() && host->in_flight() >= most;
  });
}

}  // namespace paravent::proxy::net
