#include "proxy/net/upstream_address.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "proxy/net/ip_range.h"

namespace paravent::proxy::net {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using policies::UpstreamTarget;

std::string key_of(const UpstreamTarget& target) {
  if (!target.unix_path.empty()) return "unix:" + target.unix_path;
  return (target.tls ? "tls " : "") + target.host + " " + std::to_string(target.port);
}

bool same_listener(const SocketAddress& upstream, const SocketAddress& own) {
  if (own.port() == 0 || upstream.port() != own.port()) return false;
  const IpAddress there = ip_address_of(upstream.storage);
  const IpAddress here = ip_address_of(own.storage);
  // Connecting to 0.0.0.0 or :: reaches this machine; listening there takes every own address.
  if (there == here || there.is_unspecified()) return true;
  return here.is_unspecified() && is_own_address(upstream);
}

const UpstreamAddress* find(const UpstreamAddresses& all, const std::string& key) {
  for (const auto& group : all) {
    for (const auto& one : group) {
      if (one->key == key) return one.get();
    }
  }
  return nullptr;
}

crypto::Result<std::shared_ptr<const UpstreamAddress>> resolve(const UpstreamTarget& target,
                                                               const UpstreamSettings& settings,
                                                               std::span<const SocketAddress> own,
                                                               const UpstreamAddresses& previous,
                                                               const LookUp& ask) {
  auto resolved = std::make_shared<UpstreamAddress>();
  resolved->key = key_of(target);
  resolved->target = target;
  if (const auto setting = settings.find(target.text); setting != settings.end()) {
    resolved->setting = setting->second;
  }
  if (target.tls && !resolved->setting.tls) {
    return Error(ErrorKind::configuration,
                 "The upstream " + target.text + " has no certificate authorities to trust.");
  }
  const UpstreamAddress* const known = find(previous, resolved->key);
  resolved->health = known != nullptr ? known->health : std::make_shared<UpstreamHealth>();
  if (resolved->setting.health_path.empty()) resolved->health->up = true;
  if (!target.unix_path.empty()) {
    const auto address = unix_address(target.unix_path);
    if (!address) return address.error();
    resolved->addresses.push_back(*address);
  } else {
    resolved->addresses = has_name(target) ? ask(target) : look_up(target);
  }
  if (resolved->addresses.empty() && known == nullptr) {
    return Error(
        ErrorKind::unreachable,
        "The upstream " + target.text + " cannot be looked up; check its name and the resolver.");
  }
  if (resolved->addresses.empty()) resolved->addresses = known->addresses;
  if (leads_to_us(resolved->addresses, own)) {
    return Error(ErrorKind::configuration,
                 "The upstream " + target.text +
                     " is this gateway's own listener; requests would go in a circle.");
  }
  return std::shared_ptr<const UpstreamAddress>(std::move(resolved));
}

}  // namespace

std::vector<SocketAddress> look_up(const UpstreamTarget& target) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  std::vector<SocketAddress> result;
  if (getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found) != 0) {
    return result;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    result.push_back(address);
  }
  freeaddrinfo(found);
  return result;
}

bool has_name(const UpstreamTarget& target) {
  return target.unix_path.empty() && !policies::is_ipv4(target.host) &&
         !policies::is_ipv6(target.host);
}

bool leads_to_us(std::span<const SocketAddress> addresses, std::span<const SocketAddress> own) {
  return std::any_of(addresses.begin(), addresses.end(), [own](const SocketAddress& address) {
    return address.family() != AF_UNIX &&
           std::any_of(own.begin(), own.end(), [&address](const SocketAddress& listener) {
             return same_listener(address, listener);
           });
  });
}

bool same_addresses(std::span<const SocketAddress> a, std::span<const SocketAddress> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const SocketAddress& one, const SocketAddress& other) {
                      return one.size == other.size &&
                             std::memcmp(&one.storage, &other.storage, one.size) == 0;
                    });
}

crypto::Result<UpstreamAddresses> resolve_upstreams(const policies::PolicyPlan& plan,
                                                    const UpstreamSettings& settings,
                                                    std::span<const SocketAddress> own,
                                                    const UpstreamAddresses& previous,
                                                    const LookUp& ask) {
  UpstreamAddresses result;
  for (const policies::UpstreamPlan& upstream : plan.upstreams()) {
    auto& group = result.emplace_back();
    for (const UpstreamTarget& target : upstream.targets) {
      auto one = resolve(target, settings, own, previous, ask);
      if (!one) return one.error();
      group.push_back(std::move(*one));
    }
  }
  return result;
}

}  // namespace paravent::proxy::net
