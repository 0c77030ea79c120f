#include "proxy/main/gateway/record_desk.h"

#include <utility>

#include "proxy/main/gateway/honey_planter.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

Result<std::unique_ptr<RecordDesk>> RecordDesk::create(
    Installation& installation, const config::RecordConfig& config, const crypto::Clock& clock,
    std::function<std::shared_ptr<const policies::PolicyPlan>()> plan) {
  const auto seed = installation.vault().audit_signing_seed(std::nullopt);
  if (!seed) return seed.error();
  auto desk = std::unique_ptr<RecordDesk>(new RecordDesk(installation, config));
  RecordKeeper& keeper = desk->keeper_;
  auto planter = [&installation, plan = std::move(plan)](
                     const crypto::vault::Id& tenant, std::string_view route,
                     std::string_view field, std::string_view value) -> Result<admin::PlantedRow> {
    crypto::vault::Vault& vault = installation.vault();
    for (const auto& [name, id] : vault.tenants()) {
      if (id == tenant) return plant_honey(vault, *plan(), name, route, field, value);
    }
    return Error(ErrorKind::usage, "This operator belongs to no tenant.");
  };
  auto honey =
      admin::Honey::open(installation.directory().operators() / "honey", *seed, std::move(planter),
                         [&keeper](const admin::HoneyAlarm& alarm) { keeper.ring(alarm); });
  if (!honey) return honey.error();
  desk->honey_ = std::move(*honey);
  desk->api_ = std::make_unique<admin::RecordApi>(installation.audit(), installation.vault(), clock,
                                                  desk->honey_.get(),
                                                  [&keeper] { return keeper.anchor_failures(); });
  return desk;
}

}  // namespace paravent::proxy::main
