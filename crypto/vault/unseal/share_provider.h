// The root key in shares that several people keep (shamir.h): any `threshold` of them make it.
//
// Shares are given one at a time, in any order; a wrong one is not noticed until enough are there,
// and then all are forgotten, so that no answer says which it was. Only what anybody can read off a
// share is said at once: that it is no share, of another set, or here already.

#pragma once

#include <vector>

#include "crypto/primitives/shamir.h"
#include "crypto/vault/unseal/unseal_provider.h"

namespace paravent::crypto::vault {

class ShareProvider final : public UnsealProvider {
 public:
  // threshold: as the gateway file or init says; the record has to agree. shares: for establish.
  ShareProvider(std::filesystem::path keys_folder, unsigned threshold, unsigned shares = 0)
      : folder_(std::move(keys_folder)), threshold_(threshold), shares_(shares) {}

  UnsealMethod method() const noexcept override { return UnsealMethod::shares; }
  // Always asks people; still looks at the record, so that a start fails for a wrong one.
  Result<std::optional<RootKey>> open(const RootCheck& check) override;
  Result<std::optional<RootKey>> give(const SecretBytes& secret, const RootCheck& check) override;
  UnsealProgress progress() const override {
    return {static_cast<std::uint32_t>(given_.size()), threshold_};
  }
  void forget() override { given_.clear(); }
  // The texts of the shares. ErrorKind::usage: not 2 <= threshold <= shares <= 255.
  Result<Handouts> establish(const RootKey& root, const Id& installation,
                             RecordPlace place) override;

 private:
  std::filesystem::path folder_;
  unsigned threshold_;
  unsigned shares_;
  std::vector<ShamirShare> given_;
  Id set_{};  // of `given_`
};

}  // namespace paravent::crypto::vault
