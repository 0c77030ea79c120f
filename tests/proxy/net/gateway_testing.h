// A whole data path for tests: a compiled policy with made-up keys, a vault double, and a Server on
// a port of its own.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/server.h"

namespace paravent::proxy::net {

// Mints ids that repeat for a value; answers on a thread of its own after `delay_ms`.
class FakeVault final : public crypto::vault::TokenVault {
 public:
  ~FakeVault() override;
  void resolve(std::shared_ptr<crypto::vault::ResolveBatch> batch) override;

  std::atomic<int> delay_ms{0};
  // True: the worker that asks next stays in its call until this is false again, so that what
  // arrives meanwhile lies in one batch of its events.
  std::atomic<bool> hold{false};
  std::atomic<bool> holds{false};  // a worker is being held

 private:
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

// A policy with a contact form on POST /contact (e-mail derived, name from the vault, message
// encrypted) and an elsewhere that passes GET, HEAD, POST and PUT, all to one upstream.
std::string policy_text(std::uint16_t upstream_port, const std::string& tenant = "atelier");
std::shared_ptr<const Snapshot> snapshot_of(const std::string& policy, const Limits& limits = {});

class Gateway {
 public:
  explicit Gateway(std::uint16_t upstream_port, const Limits& limits = {},
                   std::uint32_t workers = 1);

  std::uint16_t port() const { return server->ports().at(0); }
  // Summed over workers.
  std::uint64_t refusals(Reason reason) const;
  std::uint64_t connects() const;

  FakeVault vault;
  std::unique_ptr<Server> server;
};

}  // namespace paravent::proxy::net
