#include "proxy/admin/seal_gate.h"

#include <boost/json.hpp>
#include <utility>

#include "proxy/admin/door_record.h"
#include "proxy/admin/openapi.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;

constexpr std::size_t kMaxBody = 8192;
constexpr std::chrono::seconds kPause{1};

AdminResponse sealed_problem(std::string_view detail) {
  return admin_problem(503, "sealed", detail);
}

AdminResponse state_answer(const SealState& state) {
  const boost::json::object body = {{"sealed", state.sealed},
                                    {"present", state.present},
                                    {"method", state.method},
                                    {"given", state.given},
                                    {"needed", state.needed}};
  return {200, "application/json", boost::json::serialize(body) + "\n"};
}

// What is wrong with a secret is the caller's to mend; the rest is the installation's.
AdminResponse unseal_problem(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::refused:
      return admin_problem(403, "unseal-refused", error.sentence());
    case ErrorKind::malformed:
      return admin_problem(400, "malformed-secret", error.sentence());
    case ErrorKind::data:
    case ErrorKind::configuration:
    case ErrorKind::usage:
      return admin_problem(409, "unseal-failed", error.sentence());
    default:
      return admin_problem(
          503, "sealed",
          error.sentence().empty() ? "The vault could not be opened." : error.sentence());
  }
}

}  // namespace

Result<std::optional<SecretBytes>> parse_unseal_request(std::string_view body) {
  const Error malformed(ErrorKind::malformed,
                        "The body is {} or exactly one of passphrase, pin and share.");
  if (body.size() > kMaxBody) return malformed;
  // All that the parser allocates lies in locked memory that is wiped.
  SecretBytes room(8 * kMaxBody);
  boost::json::monotonic_resource memory(room.mutable_bytes().data(), room.size());
  boost::system::error_code wrong;
  const boost::json::value document =
      boost::json::parse(boost::json::string_view(body.data(), body.size()), wrong, &memory);
  const auto* object = wrong ? nullptr : document.if_object();
  if (object == nullptr || object->size() > 1) return malformed;
  if (object->empty()) return std::optional<SecretBytes>();
  const auto& [key, value] = *object->begin();
  if ((key != "passphrase" && key != "pin" && key != "share") || !value.is_string()) {
    return malformed;
  }
  const auto& text = value.get_string();
  return std::optional(SecretBytes::copy_of(std::string_view(text.data(), text.size())));
}

AdminResponse SealGate::handle(const AdminRequest& request) {
  if (request.path == "/v1/unseal" && request.method == "POST") return unseal(request);
  if (request.path == "/v1/seal" && request.method == "POST") return seal(request);
  if (request.path == "/v1/unseal" || request.path == "/v1/seal") {
    AdminResponse refusal = admin_problem(405, "method", "This path takes another method.");
    refusal.headers.emplace_back("Allow", "POST");
    return refusal;
  }
  const std::shared_lock lock(mutex_);
  AdminHandler* const api = api_;
  if (api == nullptr) return while_sealed(request);
  if (!present_ && request.path.starts_with("/v1/")) {
    return sealed_problem(
        "The token that holds the root key was removed; put it back, and where nothing "
        "gives its PIN, run: paravent unseal.");
  }
  if (!present_ && request.path == "/readyz" && !draining_) {
    AdminResponse answer = api->handle(request);
    if (answer.status == 200) answer.body = "{\"status\":\"ready\",\"reveal\":\"sealed\"}\n";
    return answer;
  }
  AdminResponse answer = api->handle(request);
  if (answer.more) keep_out_when_closed(answer);
  return answer;
}

// A long answer goes on behind the handler that began it, and must not outlive the vault it reads,
// nor what holds the root key.
void SealGate::keep_out_when_closed(AdminResponse& answer) {
  answer.more = [this, opened = opened_.load(), more = std::move(answer.more)](std::string& piece) {
    const std::shared_lock lock(mutex_);
    if (api_ != nullptr && opened_ == opened && present_) return more(piece);
    piece = std::move(sealed_problem("The way back was closed; the rest was not opened.").body);
    return false;
  };
  if (!answer.abandoned) return;
  answer.abandoned = [this, opened = opened_.load(), told = std::move(answer.abandoned)] {
    const std::shared_lock lock(mutex_);
    if (api_ != nullptr && opened_ == opened) told();
  };
}

void SealGate::open(AdminHandler& api, AuditLogs* logs) {
  present_ = true;
  ++opened_;  // before there is an API again: what belongs to the last opening stays out
  logs_ = logs;
  api_ = &api;
}

void SealGate::close() {
  const std::unique_lock lock(mutex_);
  api_ = nullptr;
}

std::optional<Operator> SealGate::let_in(const AdminRequest& request, bool admin_only,
                                         AuditLogs* logs, AdminResponse& answer,
                                         FirstUse first_use) const {
  Refusal refusal;
  auto who = authenticate(operators_, first_, request, refusal, first_use);
  std::string_view why = kScopeRemark;
  if (who && admin_only && who->role != "admin") {
    refusal = {admin_problem(403, "refused", "This needs the role admin."), std::move(who)};
    who.reset();
    why = "role";
  }
  if (who) return who;
  answer = std::move(refusal.answer);
  if (answer.status == 401) {
    answer = operators_.wrong_credentials().one_more(
        operators_.now(), logs == nullptr ? nullptr : &logs->installation());
  } else if (refusal.who && logs != nullptr) {
    answer = turned_away(*logs, request, *refusal.who, why, std::move(answer));
  }
  return std::nullopt;
}

// Not longer than that under the lock: sealing waits for whoever holds it.
std::optional<Operator> SealGate::let_in_now(const AdminRequest& request, bool admin_only,
                                             AdminResponse& answer, FirstUse first_use) {
  const std::shared_lock lock(mutex_);
  return let_in(request, admin_only, api_ == nullptr ? nullptr : logs_.load(), answer, first_use);
}

AdminResponse SealGate::while_sealed(const AdminRequest& request) {
  if (request.path == "/openapi.json" && request.method == "GET") {
    return {200, "application/json", std::string(openapi_document())};
  }
  const bool metrics = request.path == "/metrics";
  const bool health = request.path == "/healthz" || request.path == "/readyz";
  if (((metrics || health) && request.method == "GET") || (health && request.method == "HEAD")) {
    if (!request.from_loopback) {
      AdminResponse refusal;
      if (!let_in(request, metrics, nullptr, refusal)) return refusal;
    }
    if (metrics) return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_()};
    if (request.path == "/healthz") return {200, "application/json", "{\"status\":\"alive\"}\n"};
    AdminResponse answer(503, "application/json",
                         draining_ ? "{\"status\":\"draining\"}\n" : "{\"status\":\"sealed\"}\n");
    return answer;
  }
  return sealed_problem("The vault is sealed; unseal it with: paravent unseal.");
}

AdminResponse SealGate::unseal(const AdminRequest& request) {
  std::string who = "loopback";
  if (!request.from_loopback || !request.authorization.empty()) {
    AdminResponse refusal;
    const auto found = let_in_now(request, false, refusal);
    if (!found) return refusal;
    who = found->name;
  }
  auto secret = parse_unseal_request(request.body);
  if (!secret) return admin_problem(400, "malformed-body", secret.error().sentence());
  const std::unique_lock attempt(attempt_, std::try_to_lock);
  if (!attempt.owns_lock() || std::chrono::steady_clock::now() < not_before_) {
    AdminResponse busy = admin_problem(429, "rate-limited", "One attempt at a time; try again.");
    busy.headers.emplace_back("Retry-After", "1");
    return busy;
  }
  const SealState before = control_.seal_state();
  if (!before.sealed && before.present) return state_answer(before);
  auto state = control_.unseal(*secret ? &**secret : nullptr, who);
  if (state) return state_answer(*state);
  if (state.error().kind() == ErrorKind::refused) {
    not_before_ = std::chrono::steady_clock::now() + kPause;
  }
  return unseal_problem(state.error());
}

AdminResponse SealGate::seal(const AdminRequest& request) {
  AdminResponse refusal;
  // Sealing is not put off because the disk is full.
  const auto who = let_in_now(request, true, refusal, FirstUse::tried);
  if (!who) return refusal;
  const std::unique_lock attempt(attempt_);
  if (control_.seal_state().sealed) return state_answer(control_.seal_state());
  auto recorded = control_.seal(*who);
  if (!recorded) return admin_problem(503, "not-sealed", recorded.error().sentence());
  const boost::json::object body = {{"sealed", true}, {"recorded", *recorded}};
  return {200, "application/json", boost::json::serialize(body) + "\n"};
}

}  // namespace paravent::proxy::admin
