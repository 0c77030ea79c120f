#include "proxy/net/upstream_address.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>

#include "proxy/net/ip_range.h"

namespace paravent::proxy::net {
namespace {

using crypto::Error;
using crypto::ErrorKind;

std::string key_of(const policies::UpstreamPlan& upstream) {
  if (!upstream.unix_path.empty()) return "unix:" + upstream.unix_path;
  return upstream.host + " " + std::to_string(upstream.port);
}

std::vector<SocketAddress> look_up(const policies::UpstreamPlan& upstream) {
  std::string host = upstream.host;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  std::vector<SocketAddress> result;
  if (getaddrinfo(host.c_str(), std::to_string(upstream.port).c_str(), &hints, &found) != 0) {
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

bool same_listener(const SocketAddress& upstream, const SocketAddress& own) {
  if (own.port() == 0 || upstream.port() != own.port()) return false;
  const IpAddress there = ip_address_of(upstream.storage);
  const IpAddress here = ip_address_of(own.storage);
  // Connecting to 0.0.0.0 or :: reaches this machine; listening there takes every own address.
  if (there == here || there.is_unspecified()) return true;
  return here.is_unspecified() && is_own_address(upstream);
}

}  // namespace

crypto::Result<UpstreamAddresses> resolve_upstreams(const policies::PolicyPlan& plan,
                                                    std::span<const SocketAddress> own,
                                                    const UpstreamAddresses& previous) {
  UpstreamAddresses result;
  for (const policies::UpstreamPlan& upstream : plan.upstreams()) {
    UpstreamAddress resolved;
    resolved.key = key_of(upstream);
    if (!upstream.unix_path.empty()) {
      const auto address = unix_address(upstream.unix_path);
      if (!address) return address.error();
      resolved.addresses.push_back(*address);
    } else {
      resolved.addresses = look_up(upstream);
    }
    if (resolved.addresses.empty()) {
      const auto known = std::find_if(previous.begin(), previous.end(), [&](const auto& entry) {
        return entry->key == resolved.key;
      });
      if (known == previous.end()) {
        return Error(ErrorKind::unreachable, "The upstream " + upstream.text +
                                                 " cannot be looked up; check its name and the "
                                                 "resolver.");
      }
      resolved.addresses = (*known)->addresses;
    }
    for (const SocketAddress& address : resolved.addresses) {
      for (const SocketAddress& listener : own) {
        if (address.family() != AF_UNIX && same_listener(address, listener)) {
          return Error(ErrorKind::configuration,
                       "The upstream " + upstream.text +
                           " is this gateway's own listener; requests would go in a circle.");
        }
      }
    }
    result.push_back(std::make_shared<const UpstreamAddress>(std::move(resolved)));
  }
  return result;
}

}  // namespace paravent::proxy::net
