#include "crypto/vault/unseal/share_provider.h"

#include <algorithm>

#include "crypto/vault/unseal/open_record.h"
#include "crypto/vault/unseal/passphrase_provider.h"
#include "crypto/vault/unseal/share_text.h"

namespace paravent::crypto::vault {
namespace {

ShareSet set_of(const Id& set) {
  ShareSet cut{};
  std::copy_n(set.begin(), cut.size(), cut.begin());
  return cut;
}

Error other_threshold(unsigned wanted, unsigned found) {
  return {ErrorKind::data, "This vault needs " + std::to_string(found) +
                               " shares to unseal, and vault.unseal.shares says " +
                               std::to_string(wanted) + "; correct the gateway file."};
}

}  // namespace

Result<std::optional<RootKey>> ShareProvider::open(const RootCheck& check) {
  const auto body = body_in_force<ShareRecord>(folder_, method(), check);
  if (!body) return body.error();
  if (body->second.threshold != threshold_) {
    return other_threshold(threshold_, body->second.threshold);
  }
  return std::optional<RootKey>();
}

Result<std::optional<RootKey>> ShareProvider::give(const SecretBytes& secret,
                                                   const RootCheck& check) {
  auto parsed = parse_share(as_text(without_line_ending(secret.bytes())));
  if (!parsed) {
    return Error(ErrorKind::malformed,
                 "This is no share of a root key; it begins with pvshare1 and may hold a typing "
                 "error.");
  }
  const auto record = body_in_force<ShareRecord>(folder_, method(), check);
  if (!record) return record.error();
  const auto& [set, body] = *record;
  if (set != set_) given_.clear();
  set_ = set;
  if (parsed->set != set_of(set) || parsed->threshold != body.threshold) {
    return Error(ErrorKind::malformed, "This share belongs to another set than this vault's.");
  }
  const auto same_point = [&](const ShamirShare& one) { return one.point == parsed->share.point; };
  if (std::any_of(given_.begin(), given_.end(), same_point)) {
    return Error(ErrorKind::malformed, "This share was given already; give another one.");
  }
  given_.push_back(std::move(parsed->share));
  if (given_.size() < body.threshold) return std::optional<RootKey>();

  const auto joined = shamir_join(given_);
  given_.clear();
  const bool right = joined && equal_constant_time(unseal_check(*joined, set), body.check);
  if (!right) {
    return Error(ErrorKind::refused,
                 "The shares given do not make the root key; all of them were forgotten, begin "
                 "again.");
  }
  auto root = RootKey::from_bytes(joined->clone());
  if (!root) return root.error();
  if (!check.fits(*root)) return key_does_not_fit();
  return std::optional<RootKey>(std::move(*root));
}

Result<Handouts> ShareProvider::establish(const RootKey& root, const Id& installation,
                                          RecordPlace place) {
  SystemRandom random;
  auto made = shamir_split(root.key().bytes(), threshold_, shares_, random);
  if (!made) {
    return Error(ErrorKind::usage,
                 "Shares are asked for as K of N, with 2 <= K <= N <= 255, such as 3/5.");
  }
  const Id set = random_id();
  const ShareRecord record{static_cast<std::uint8_t>(threshold_),
                           static_cast<std::uint8_t>(shares_), unseal_check(root.key(), set)};
  Handouts texts;
  for (const ShamirShare& share : *made) {
    texts.push_back(share_text(set_of(set), record.threshold, share));
  }
  if (auto s = write_unseal_record(folder_, place, {set, root.check_value(installation), record});
      !s)
    return s.error();
  return texts;
}

}  // namespace paravent::crypto::vault
