// Committer: turns whole rounds of batches into answers with one look-up and one durable write,
// however many requests are in the round. Owned by one thread, the only one that writes the token
// store. A job that asks for a shape waits until the alias of its text is durable too.
//
// Known tokens are answered even when the write fails; new tokens, and tokens first used for a
// purpose, only when it succeeded (hardening.md 5.1, "disk full").

#pragma once

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/primitives/random.h"
#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/rows/bound_sealer.h"
#include "crypto/vault/engine/rows/row_sealer.h"
#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/vault/live_contexts.h"
#include "crypto/vault/engine/vault/name_search.h"
#include "crypto/vault/engine/vault/subject_desk.h"

namespace paravent::crypto::vault {

// One batch on its way through the vault's threads.
struct PendingBatch {
  std::shared_ptr<ResolveBatch> batch;
  // One per job: what tells values apart. Of request scope it is never stored and never looked up.
  std::vector<IndexKey> index{};
  // While the index moves: the same under its version before, where there is one. Else empty.
  std::vector<std::optional<IndexKey>> before{};
  std::uint64_t index_generation = 0;       // of the LiveContexts that they were made with
  std::optional<PendingSubject> subject{};  // exactly when the batch asks for one
  bool failed = false;
};

struct CommitReport {
  std::uint64_t minted = 0;
  std::uint64_t found = 0;
  bool wrote = false;
  bool failed = false;
};

class Committer {
 public:
  Committer(TokenStore& store, SubjectStore& subjects, const Clock& clock);
  ~Committer();

  // The subject store's writers' lock where the round asks for data subjects, else none. To be held
  // until the rows are written too: whoever erases a person finds all of them.
  SubjectStore::WriterLock lock_for(std::span<const PendingBatch> round);
  // Fills in the ids of all jobs, or marks batches failed. Does not call done(). REQUIRES:
  // `writers` is the round's, and `live` was taken under it.
  // Throws std::bad_alloc: what was written holds, nobody was told, and the round is to be given up
  // and clear() called.
  CommitReport process(std::span<PendingBatch> round, const LiveContexts& live,
                       const SubjectStore::WriterLock& writers);
  // Forgets a round.
  void clear() noexcept;

 private:
  struct Group;

  // Subjects first: their keys are durable before any row lies under them.
  void settle_subjects(std::span<PendingBatch> round, const LiveContexts& live,
                       CommitReport& report);
  void gather(std::span<PendingBatch> round, const LiveContexts& live);
  std::size_t name_of(Group& group, const MintJob& job, const LiveContexts& live);
  void index_anew(std::span<PendingBatch> round, const LiveContexts& live);
  bool find_rows(const LiveContexts& live, std::vector<std::optional<FoundFacts>>& found);
  bool find_before(std::span<const Group* const> groups,
                   std::span<std::optional<FoundFacts>> found);
  static bool asks_only(const Group& group);
  bool look_up(std::uint32_t today, const LiveContexts& live);
  bool read_bound(Group& group);
  bool prepare(Group& group, std::uint32_t today, const LiveContexts& live);
  bool prepare_bound(Group& group, std::uint32_t today, const LiveContexts& live);
  Result<std::string> seal(Group& group, const LiveContexts& live);
  // Writes whatever of the groups and names is not durable yet. `wrote`: something was.
  bool settle(std::uint32_t today, const LiveContexts& live, bool& wrote);
  enum class Written : std::uint8_t {
    yes,
    overtaken,  // a row was changed, removed or made by somebody else: to be looked at again
    failed,
  };
  Written write(const LiveContexts& live);
  bool look_again(std::uint32_t today, const LiveContexts& live);
  bool open_names() const;

  TokenStore& store_;
  SubjectStore& subjects_;
  const Clock& clock_;
  RowSealer sealer_;
  BoundSealer bound_sealer_;
  RandomBuffer random_;  // for ids
  std::vector<Group> groups_;
  std::vector<ShapedName> names_;
  std::vector<std::size_t> group_of_name_;
};

}  // namespace paravent::crypto::vault
