// What the files of OperatorsApi share: one change with its record, and what is said in several
// places. Internal to OperatorsApi.

#pragma once

#include <functional>
#include <string>

#include "crypto/base/result.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/body_members.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/operators/operators_api.h"

namespace paravent::proxy::admin {

// Room for a credential, so that growing leaves no copies of it behind.
inline constexpr std::size_t kCredentialRoom = 256;

// One change: what is recorded, and what then happens.
struct OperatorsApi::Act {
  const Operator& who;
  crypto::vault::Id tenant{};  // whose log
  std::string reason;
  std::string object;  // the other operator's name
  std::string remark;
  std::function<crypto::Result<std::string>()> work;  // the answer, or what went wrong
};

inline AdminResponse malformed(const crypto::Error& error) {
  return admin_problem(400, "malformed-body", error.sentence());
}

inline AdminResponse no_such_operator() {
  return admin_problem(404, "no-such-operator", "There is no operator of that name.");
}

// What a credential is to be, the same words each time.
std::string credential_words(const BodyMembers& members);

}  // namespace paravent::proxy::admin
