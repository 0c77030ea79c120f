#include "proxy/net/upstream_host.h"

#include <algorithm>

namespace paravent::proxy::net {

bool UpstreamHost::begin() noexcept {
  ++in_flight_;
  statistics->requests.add();
  statistics->in_flight.add(in_flight_ - statistics->in_flight.read());
  trying_ = trying_ || is_open();
  return is_open();
}

void UpstreamHost::end(bool tries) noexcept {
  --in_flight_;
  if (tries) trying_ = false;
  statistics->in_flight.add(in_flight_ - statistics->in_flight.read());
}

void UpstreamHost::answered() noexcept {
  // Of a target that breaks behind each head, the next failure opens the circuit again.
  if (!is_open()) return;
  open_until_ms_ = 0;
  trying_ = false;  // however long the rest of its answer takes
  pause_ms_ = kFirstPauseMs;
  statistics->open.add(0 - statistics->open.read());
}

void UpstreamHost::failed(std::uint64_t now_ms) noexcept {
  statistics->failures.add();
  if (is_open()) {
    // What was under way when it opened says nothing new; a try that failed does.
    if (now_ms < open_until_ms_) return;
    pause_ms_ = std::min(pause_ms_ * 2, kLongestPauseMs);
  } else if (++failures_ < kTrip) {
    return;
  } else {
    pause_ms_ = kFirstPauseMs;
  }
  open_until_ms_ = now_ms + pause_ms_;
  statistics->trips.add();
  statistics->open.add(1 - statistics->open.read());
}

UpstreamHost* UpstreamGroup::choose(std::uint64_t now_ms, std::size_t most,
                                    std::uint32_t& tried) noexcept {
  std::size_t best = hosts.size();
  bool best_is_up = false;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::size_t at = (next + i) % hosts.size();
    const UpstreamHost& host = *hosts[at];
    if ((tried >> at & 1U) != 0 || host.in_flight() >= most) continue;
    if (host.may_try(now_ms)) {
      best = at;
      break;
    }
    if (host.is_open()) continue;
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
    return !host->is_open() && host->in_flight() >= most;
  });
}

}  // namespace paravent::proxy::net
