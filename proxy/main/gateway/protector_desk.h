// ProtectorDesk: protects single values by the very code that carries requests, over the snapshot
// and the vault of the moment. Nothing goes to an upstream.
//
// Thread safe. What the two functions answer must live as long as a call.

#pragma once

#include <functional>
#include <memory>

#include "crypto/vault/engine/vault/vault.h"
#include "proxy/admin/protect_desk.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::main {

class ProtectorDesk final : public admin::ProtectDesk {
 public:
  using Current = std::function<std::shared_ptr<const Snapshot>()>;
  // `vault` must outlive it.
  ProtectorDesk(Current snapshot, crypto::vault::Vault& vault)
      : snapshot_(std::move(snapshot)), vault_(vault) {}

  std::optional<std::string> purpose_of(const crypto::vault::Id& tenant,
                                        std::string_view route) const override;
  crypto::Result<std::vector<admin::ProtectedField>> protect(const crypto::vault::Id& tenant,
                                                             std::string_view route,
                                                             Values values) override;

 private:
  const policies::RoutePlan* find(const Snapshot& snapshot, const crypto::vault::Id& tenant,
                                  std::string_view route) const;

  Current snapshot_;
  crypto::vault::Vault& vault_;
};

// The request that carries these values: a request head, an empty line, the body. ErrorKind::usage
// with a sentence: a field whose carrier is no part of a request here, two kinds of body, a path
// into JSON that is more than names and dots, a line break in a header.
crypto::Result<std::string> request_of(admin::ProtectDesk::Values values);

}  // namespace paravent::proxy::main
