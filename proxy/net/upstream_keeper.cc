#include "proxy/net/upstream_keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net {
namespace {

constexpr unsigned kFailuresToTakeOut = 2;

std::uint64_t now_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace

UpstreamKeeper::UpstreamKeeper(std::vector<SocketAddress> own, Changed changed,
                               std::uint32_t resolve_seconds, LookUp look_up)
    : own_(std::move(own)),
      changed_(std::move(changed)),
      resolve_seconds_(resolve_seconds),
      look_up_(std::move(look_up)) {
  thread_ = std::thread([this] { run(); });
}

UpstreamKeeper::~UpstreamKeeper() { stop(); }

void UpstreamKeeper::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void UpstreamKeeper::watch(UpstreamAddresses upstreams) {
  const std::lock_guard lock(mutex_);
  upstreams_ = std::move(upstreams);
}

void UpstreamKeeper::run() {
  std::uint64_t resolve_due = now_seconds() + resolve_seconds_;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, std::chrono::seconds(1));
    if (stopping_) return;
    lock.unlock();
    const std::uint64_t now = now_seconds();
    // For what finds no memory now there is another second.
    crypto::with_memory([&] {
      if (now >= resolve_due) {
        resolve_again();
        resolve_due = now_seconds() + resolve_seconds_;
      }
      check_health(now);
    });
    lock.lock();
  }
}

void UpstreamKeeper::resolve_again() {
  UpstreamAddresses before;
  {
    const std::lock_guard lock(mutex_);
    before = upstreams_;
  }
  UpstreamAddresses now = before;
  bool changed = false;
  for (auto& group : now) {
    for (auto& one : group) {
      if (!has_name(one->target)) continue;
      std::vector<SocketAddress> addresses = look_up_(one->target);
      if (addresses.empty() || leads_to_us(addresses, own_)) {
        ++resolve_failures_;
        continue;
      }
      if (same_addresses(addresses, one->addresses)) continue;
      auto moved = std::make_shared<UpstreamAddress>(*one);
      moved->addresses = std::move(addresses);
      one = std::move(moved);
      changed = true;
    }
  }
  if (!changed || !changed_(before, now)) return;
  const std::lock_guard lock(mutex_);
  if (upstreams_ == before) upstreams_ = std::move(now);
}

void UpstreamKeeper::check_health(std::uint64_t now_s) {
  std::vector<std::shared_ptr<const UpstreamAddress>> targets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& group : upstreams_) {
      for (const auto& one : group) {
        const bool known = std::any_of(targets.begin(), targets.end(),
                                       [&](const auto& other) { return other->key == one->key; });
        if (!one->setting.health_path.empty() && !known) targets.push_back(one);
      }
    }
  }
  std::vector<Check> checks;
  for (auto& target : targets) {
    const auto old = std::find_if(checks_.begin(), checks_.end(), [&](const Check& check) {
      return check.address->key == target->key;
    });
    Check check = old != checks_.end() ? *old : Check{};
    check.address = std::move(target);
    checks.push_back(std::move(check));
  }
  checks_ = std::move(checks);
  for (Check& check : checks_) {
    if (check.due_s > now_s) continue;
    const bool good = is_healthy(*check.address, kCheckMs);
    check.failures = good ? 0 : check.failures + 1;
    if (good) {
      check.address->health->up = true;
    } else if (check.failures >= kFailuresToTakeOut) {
      check.address->health->up = false;
    }
    check.due_s = now_s + check.address->setting.health_seconds;
  }
}

}  // namespace paravent::proxy::net
