// TransactionPool: the transactions of one worker that carry no exchange. A connection borrows one
// for each exchange and owns none while idle, as with its read block: what ten thousand idle
// connections cost is their sockets' bookkeeping, and the few that work share transactions that are
// still in the processor's caches. One thread.

#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/base/out_of_memory.h"
#include "proxy/pipeline/transaction.h"

namespace paravent::proxy::net {

class TransactionPool {
 public:
  // Bound to both, which must outlive the exchange.
  std::unique_ptr<Transaction> take(Downstream& downstream, Upstream& upstream) {
    if (free_.empty()) return std::make_unique<Transaction>(downstream, upstream);
    auto transaction = std::move(free_.back());
    free_.pop_back();
    transaction->bind(downstream, upstream);
    return transaction;
  }

  // REQUIRES: its exchange is over, and no call of it is under way.
  void give(std::unique_ptr<Transaction> transaction) {
    if (transaction->phase() != Phase::idle) std::abort();
    if (free_.size() < kMostFree) {
      crypto::with_memory([&] { free_.push_back(std::move(transaction)); });  // or it is freed
    }
  }

  // Frees what is only kept for speed.
  void shrink() noexcept { free_.clear(); }

 private:
  static constexpr std::size_t kMostFree = 1024;
  std::vector<std::unique_ptr<Transaction>> free_;  // the last used one last
};

}  // namespace paravent::proxy::net
