// The header fields that the gateway itself acts on, as the policy's check knows them too.

#pragma once

#include "policies/model/header_name.h"

namespace paravent::proxy {

using policies::header_name;
using policies::HeaderName;
using policies::is_hop_by_hop;
using policies::is_policy_target;
using policies::same_header_name;

}  // namespace paravent::proxy
