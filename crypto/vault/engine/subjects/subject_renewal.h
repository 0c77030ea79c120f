// SubjectRenewal: the subject store's part in a destroy batch (key_renewal.h). Which of its keys
// went before, it knows itself; those of a tenant whose key is destroyed go with it.

#pragma once

#include "crypto/vault/engine/keys/key_renewal.h"
#include "crypto/vault/engine/subjects/subject_store.h"

namespace paravent::crypto::vault {

class SubjectRenewal final : public RenewalPart {
 public:
  // The store must outlive it.
  explicit SubjectRenewal(SubjectStore& store) noexcept : store_(store) {}

  Status prepare(const Renewal& renewal) override;
  void finish(std::uint32_t number) override;
  void cancel() override;

 private:
  SubjectStore& store_;
};

}  // namespace paravent::crypto::vault
