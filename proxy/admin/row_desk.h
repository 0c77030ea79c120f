// RowDesk: what the admin API knows of the work on token rows that goes on behind the traffic
// (crypto/vault/engine/upkeep/row_keeper.h). Implemented where the threads are (proxy/main). Thread
// safe.

#pragma once

#include <string>

namespace paravent::proxy::admin {

class RowDesk {
 public:
  virtual ~RowDesk() = default;
  // Something may be wanted now; what is wanted stands in the key store.
  virtual void wake() = 0;
  // A JSON object: {"state":"idle|running|failed", "wanted":[...], and what the last run did}.
  virtual std::string state() const = 0;
};

}  // namespace paravent::proxy::admin
