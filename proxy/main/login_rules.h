// What the gateway file says about logins, in the words of the admin API. Pure.

#pragma once

#include "proxy/admin/operators/login_desk.h"
#include "proxy/config/gateway_config.h"

namespace paravent::proxy::main {

inline admin::LoginRules login_rules_of(const config::GatewayConfig& config) {
  admin::LoginRules rules;
  rules.passphrase.length = config.operators.passphrase_length;
  rules.passphrase.classes = config.operators.passphrase_classes;
  rules.session_minutes = config.operators.session_minutes;
  return rules;
}

}  // namespace paravent::proxy::main
