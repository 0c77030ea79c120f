#include "crypto/vault/engine/subjects/subject_renewal.h"

#include <utility>

#include "crypto/vault/engine/keys/key_tree.h"

namespace paravent::crypto::vault {

Status SubjectRenewal::prepare(const Renewal& renewal) {
  return store_.prepare(renewal.to, renewal.gone, renewal.moved,
                        [&](const Id& parent) -> Result<TenantWrap> {
                          const KeyRecord* record = renewal.tree.record(parent);
                          auto outer = renewal.tree.wrapping_key_under(parent);
                          if (!outer) return outer.error();
                          return TenantWrap{record->tenant, parent, std::move(*outer)};
                        });
}

void SubjectRenewal::finish(std::uint32_t /*number*/) { store_.finish(); }

void SubjectRenewal::cancel() { store_.cancel(); }

}  // namespace paravent::crypto::vault
