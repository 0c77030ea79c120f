// Makes the row of a honey token: as the data path would for a submission of that field, with the
// same keys and contexts, so that nothing tells them apart. A value that somebody has already is
// left alone: neither its row nor its person is touched.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/vault/engine/vault/vault.h"
#include "policies/plan/policy_plan.h"
#include "proxy/admin/honey.h"

namespace paravent::proxy::main {

// `tenant`: its name. As Honey::Planter. Blocks until the store has answered.
crypto::Result<admin::PlantedRow> plant_honey(crypto::vault::Vault& vault,
                                              const policies::PolicyPlan& plan,
                                              std::string_view tenant, std::string_view route,
                                              std::string_view field, std::string_view value);

}  // namespace paravent::proxy::main
