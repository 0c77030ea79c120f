#include "crypto/vault/unseal/root_change.h"

#include <tuple>
#include <utility>

#include "crypto/vault/unseal/file_provider.h"

namespace paravent::crypto::vault {

RootChange::RootChange(RootChange&& other) noexcept
    : folder_(std::move(other.folder_)),
      root_(std::move(other.root_)),
      present_(other.present_),
      check_(other.check_),
      handouts_(std::move(other.handouts_)),
      has_record_(other.has_record_),
      undecided_(std::exchange(other.undecided_, false)) {}

RootChange::~RootChange() {
  // What stays behind here is told from the one in force, and goes at the next unsealing.
  if (undecided_) std::ignore = remove_next_record(folder_);
}

Result<RootChange> RootChange::prepare(const std::filesystem::path& keys_folder,
                                       const RootCheck& present, UnsealProvider& maker,
                                       UnsealProvider& opener, const SecretBytes& secret) {
  // What an earlier change left behind, on this side of its decision or the other.
  if (auto s = settle_unseal_records(keys_folder, present); !s) return s.error();
  // One that cannot be read may be the only one in force: nothing takes its place.
  if (auto next = read_unseal_record(keys_folder, RecordPlace::next); !next) return next.error();
  const auto* file = dynamic_cast<const FileProvider*>(&maker);
  auto root = file != nullptr ? file->obtain_new() : Result<RootKey>(RootKey::ephemeral());
  if (!root) return root.error();
  const RootCheck check{present.installation, root->check_value(present.installation)};
  if (check.value == present.value) {
    return Error(ErrorKind::usage,
                 "That is the root key of this vault already; nothing was changed.");
  }
  RootChange change(keys_folder, std::move(*root), present, check, file == nullptr);
  if (change.has_record_) {
    auto handouts = maker.establish(change.root_, present.installation, RecordPlace::next);
    if (!handouts) return handouts.error();
    change.handouts_ = std::move(*handouts);
  }
  if (auto s = change.try_out(opener, secret); !s) return s.error();
  return change;
}

Status RootChange::try_out(UnsealProvider& opener, const SecretBytes& secret) {
  auto opened = opener.open(check_);
  if (opened && !*opened && handouts_.empty()) opened = opener.give(secret, check_);
  for (const SecretBytes& share : handouts_) {
    if (!opened || *opened) break;
    opened = opener.give(share, check_);
  }
  if (!opened) return opened.error();
  if (*opened && equal_constant_time((*opened)->key().bytes(), root_.key().bytes())) return {};
  return Error(ErrorKind::data,
               "The new way does not make the root key that it was given; nothing was changed.");
}

Status RootChange::decide(const ReplaceRoot& replace) {
  if (auto s = replace(root_); !s) {
    // What decides is in the key store, whatever went wrong around it.
    const auto now = read_root_check(folder_);
    if (now && now->value == present_.value) return s;
    undecided_ = false;
    if (!now || now->value != check_.value) return s;
  }
  undecided_ = false;
  // From here on the new way is in force, whatever becomes of the old one's record: that opens
  // nothing, and the next unsealing or change takes it away.
  std::ignore = has_record_ ? adopt_next_record(folder_) : remove_unseal_records(folder_);
  return {};
}

}  // namespace paravent::crypto::vault
