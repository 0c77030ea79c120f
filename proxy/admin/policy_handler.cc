// GET /v1/policy and POST /v1/policy/reload.

#include <boost/json.hpp>

#include "proxy/admin/admin_api.h"

namespace paravent::proxy::admin {
namespace {

namespace json = boost::json;

AdminResponse nothing_to_control() {
  return admin_problem(404, "no-route", "This gateway has no policies to control.");
}

json::object object_of(const ServedPolicy& policy) {
  return {{"tenant", policy.tenant_name}, {"file", policy.file}, {"sha256", policy.sha256}};
}

}  // namespace

// Of the operator's own tenant: a policy tells who works with whom.
AdminResponse AdminApi::served_policies(const AdminRequest&, const Operator* who) {
  if (parts_.policies == nullptr) return nothing_to_control();
  json::array list;
  for (const ServedPolicy& policy : parts_.policies->policies()) {
    if (policy.tenant != who->tenant) continue;
    json::object one = object_of(policy);
    one["text"] = policy.text;
    list.push_back(std::move(one));
  }
  return {200, "application/json", json::serialize(json::object{{"policies", list}}) + "\n"};
}

AdminResponse AdminApi::reload_policies(const AdminRequest& request, const Operator* who) {
  if (parts_.policies == nullptr) return nothing_to_control();
  if (!request.body.empty() || !request.query.empty()) {
    return admin_problem(400, "malformed-body", "A reload takes neither body nor query.");
  }
  const ReloadOutcome outcome = parts_.policies->reload(*who);
  json::array remarks;
  for (const std::string& line : outcome.diagnostics) remarks.push_back(json::value(line));
  if (!outcome.done) {
    const bool unwritten = outcome.audit_failed || outcome.store_failed;
    const std::string_view reason = outcome.audit_failed   ? "audit-unavailable"
                                    : outcome.store_failed ? "store-unavailable"
                                                           : "policy";
    AdminResponse refusal = admin_problem(unwritten ? 503 : 422, reason, outcome.sentence);
    json::object problem = json::parse(refusal.body).as_object();
    problem["diagnostics"] = std::move(remarks);
    refusal.body = json::serialize(problem) + "\n";
    return refusal;
  }
  json::array list;
  for (const ServedPolicy& policy : parts_.policies->policies()) list.push_back(object_of(policy));
  const json::object answer = {{"policies", list}, {"diagnostics", remarks}};
  return {200, "application/json", json::serialize(answer) + "\n"};
}

}  // namespace paravent::proxy::admin
