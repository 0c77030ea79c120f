// What the files of KeyApi share: one change with its record, and how requests are read and
// answered. Internal to KeyApi.

#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/audit/audit_log.h"
#include "crypto/base/result.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/keys/key_api.h"
#include "proxy/admin/operators.h"
#include "proxy/admin/text_members.h"

namespace paravent::proxy::admin {

// One change: what is recorded, and what then happens.
struct KeyApi::Act {
  const Operator& who;
  const std::string& reason;
  crypto::vault::Id tenant{};  // whose log; kNoId: the installation's
  crypto::audit::EventKind event = crypto::audit::EventKind::key_operation;
  std::string object;
  std::string remark;
  // The answer, or what went wrong.
  std::function<crypto::Result<std::string>()> work;
};

AdminResponse key_answer(std::string json);
AdminResponse key_problem(const crypto::Error& error);
AdminResponse no_such_path();

// Every change says why: also ErrorKind::malformed, with a sentence, where no reason is given.
crypto::Result<TextMembers> members_with_reason(std::string_view body,
                                                std::span<const std::string_view> known);

template <typename Items, typename Append>
std::string list_json(std::string_view name, const Items& items, Append append) {
  std::string out = "{\"" + std::string(name) + "\":[";
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) out.push_back(',');
    append(item, out);
  }
  return out + "]}";
}

}  // namespace paravent::proxy::admin
