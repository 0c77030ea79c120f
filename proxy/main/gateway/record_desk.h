// RecordDesk: everything of a running gateway that is about the record beside the logs themselves:
// the keeper that anchors and raises alarms, the honey tokens, and the part of the admin API that
// speaks of them.
//
// Lives as long as the audit logs are open: made behind them, gone before them. Thread safe, as its
// parts are.

#pragma once

#include <functional>
#include <memory>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "policies/plan/policy_plan.h"
#include "proxy/admin/record_api.h"
#include "proxy/config/record_config.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/keepers/record_keeper.h"

namespace paravent::proxy::main {

class RecordDesk {
 public:
  // `plan`: what is served now; may be asked on any thread. ErrorKind::data: the list of honey
  // tokens is altered.
  static crypto::Result<std::unique_ptr<RecordDesk>> create(
      Installation& installation, const config::RecordConfig& config, const crypto::Clock& clock,
      std::function<std::shared_ptr<const policies::PolicyPlan>()> plan);

  admin::RecordApi& api() { return *api_; }

 private:
  RecordDesk(Installation& installation, const config::RecordConfig& config)
      : keeper_(config, installation.audit()) {}

  RecordKeeper keeper_;
  std::unique_ptr<admin::Honey> honey_;
  std::unique_ptr<admin::RecordApi> api_;
};

}  // namespace paravent::proxy::main
