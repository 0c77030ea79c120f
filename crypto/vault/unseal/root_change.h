// RootChange: from one root key, and one way to unseal, to another (constructions 4.11: two-phase,
// write the new wrap, verify, drop the old one).
//
//   1 prepare: a new root key is kept by the new way beside the one in force, and made again by it
//   2 what it hands out (shares) gets into people's hands
//   3 decide: the key store is wrapped under the new root key, in one step (KeyAdmin::replace_root)
//   4 the old way's record goes
// Interrupted before 3 the old way unseals, after it the new one; at no point neither, and never
// both. A prepared change that is not decided leaves nothing in force; its destructor takes the
// record back. A key file that was made for it stays, and opens nothing.
//
// The root key itself is always another one, except where the new way is a file that is there
// already: whoever has the old secret, and an old record, has a key that opens nothing any more but
// old backups. One thread at a time; may block as providers do.

#pragma once

#include <filesystem>
#include <functional>

#include "crypto/vault/unseal/unseal_provider.h"

namespace paravent::crypto::vault {

class RootChange {
 public:
  // `maker` keeps the new key (establish), `opener` then makes it again, as it will have to: from
  // its own file, from the handouts, or from `secret` (the pass-phrase or the PIN). Both are of the
  // same way. ErrorKind: as establish, open and give; data: the new way does not make the key it
  // was given.
  static Result<RootChange> prepare(const std::filesystem::path& keys_folder,
                                    const RootCheck& present, UnsealProvider& maker,
                                    UnsealProvider& opener, const SecretBytes& secret);
  RootChange(RootChange&& other) noexcept;
  RootChange& operator=(RootChange&&) = delete;
  ~RootChange();

  // Shares for people to keep. To be in their hands before decide().
  const Handouts& handouts() const noexcept { return handouts_; }
  // What the key store will say of its root key.
  const RootCheck& check() const noexcept { return check_; }

  // Wraps the key store under another root key, in one step, or leaves it as it was.
  using ReplaceRoot = std::function<Status(const RootKey& next)>;
  // Once. An error: nothing has changed, as the key store itself says, and nothing is left of it;
  // or the key store cannot be read, and then both records stay until somebody unseals.
  Status decide(const ReplaceRoot& replace);

 private:
  RootChange(std::filesystem::path keys_folder, RootKey root, const RootCheck& present,
             const RootCheck& check, bool has_record)
      : folder_(std::move(keys_folder)),
        root_(std::move(root)),
        present_(present),
        check_(check),
        has_record_(has_record),
        undecided_(true) {}
  Status try_out(UnsealProvider& opener, const SecretBytes& secret);

  std::filesystem::path folder_;
  RootKey root_;
  RootCheck present_;  // before the change
  RootCheck check_;    // after it
  Handouts handouts_;
  bool has_record_;  // the new way keeps one
  bool undecided_;
};

}  // namespace paravent::crypto::vault
