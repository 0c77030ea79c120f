// Resolver: the two threads behind Vault::resolve().
//
//   look-up thread  takes everything queued and finds it in the index; batches whose tokens are all
//                   known, and whose uses say nothing new, are answered at once, so that they never
//                   wait for a disk
//   commit thread   takes everything the look-up left over while the previous write was being
//                   synced, and makes it durable in one write
//
// A round for which there is no memory is answered store_unavailable. Memory that runs out while
// one is being written ends the process, as a failed fsync does: what is on the disk holds.
//
// Who waits for a write comes in two halves: one that is being written, one that comes meanwhile;
// and each write would carry half of all. So the commit thread waits for those whom the write
// before has answered to come back: until there are as many as it last saw, and at most a quarter
// of the time that the last write took and 5 ms; who comes after a longer pause waits for nobody.
//
// In front of both, on whatever thread asks: answer_known(), which finds in memory
// tokens whose use says nothing new (known_tokens.h). At most kMaxInFlight batches are in the
// vault; beyond, a batch is answered `overloaded`. Thread safe.

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "crypto/vault/engine/base/striped_count.h"
#include "crypto/vault/engine/rows/caching_token_store.h"
#include "crypto/vault/engine/vault/committer.h"
#include "crypto/vault/engine/vault/crowd_wait.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

inline constexpr std::size_t kMaxInFlight = 8192;

class Resolver {
 public:
  // All must outlive the resolver.
  Resolver(CachingTokenStore& store, SubjectStore& subjects, const LiveContextsCell& live,
           const Clock& clock);
  // Answers everything in flight, then stops.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // As TokenVault::answer_known().
  bool answer_known(ResolveBatch& batch);
  void submit(std::shared_ptr<ResolveBatch> batch);
  VaultCounters counters() const;

  // Returns when nothing is being written any more that was begun under contexts older than those
  // in force at the call. Waits as long as a disk does, so it is not for the vault's own threads
  // nor for whoever holds the subject store's writers' lock.
  void pass_round();

 private:
  using Queue = std::vector<PendingBatch>;

  void look_up_loop();
  void commit_loop();
  // The next round; empty: there will be none.
  void next_round(Queue& round, CrowdWait& crowd);
  // Whether every job can be answered from the store as it is; then the ids are filled in.
  void look_up(Queue& round, Queue& known, Queue& rest, Queue& bad);
  // Answers the confirmations of the round. Batches that nothing more is to be done for leave it:
  // to `known` where the answer is no, to `lost` where the store cannot be read. `kept` is empty
  // before and after; but where memory runs out, the round lies in all of these.
  void confirm(Queue& round, Queue& kept, Queue& known, Queue& lost);
  void give_up(std::initializer_list<Queue*> queues, std::size_t asked);
  void answer(Queue& batches, ResolveStatus status);
  // Adds what a batch was answered to the known tokens.
  void remember(const PendingBatch& pending, const LiveContexts& live, std::uint32_t today,
                std::uint64_t generation);

  CachingTokenStore& store_;
  SubjectStore& subjects_;
  const LiveContextsCell& live_;
  const Clock& clock_;

  std::mutex round_mutex_;  // the commit thread's while it writes
  mutable std::mutex mutex_;
  std::condition_variable look_up_wakes_;
  std::condition_variable commit_wakes_;
  Queue asked_;
  Queue refused_;
  Queue to_commit_;
  std::size_t wake_at_ = 1;  // as many in to_commit_ wake the commit thread
  std::size_t in_flight_ = 0;
  bool stopping_ = false;
  bool look_up_ended_ = false;

  StripedCount known_hits_;
  StripedCount known_misses_;
  std::atomic<std::uint64_t> minted_{0};
  std::atomic<std::uint64_t> found_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> overloaded_{0};
  std::atomic<bool> degraded_{false};

  std::thread look_up_thread_;
  std::thread commit_thread_;
};

}  // namespace paravent::crypto::vault
