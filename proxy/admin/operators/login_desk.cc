#include "proxy/admin/operators/login_desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/secret_arena.h"
#include "crypto/primitives/random.h"
#include "proxy/admin/body_members.h"
#include "proxy/admin/credential.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;
using crypto::WallTime;

constexpr std::array<MemberRule, 3> kLoginRules{
    {{"operator", MemberType::text, 64},
     {"passphrase", MemberType::text, crypto::kMaxPassphraseBytes},
     {"code", MemberType::text, 16}}};
constexpr std::array<MemberRule, 3> kEnrolRules{
    {{"invitation", MemberType::text, kMaxCredentialBytes},
     {"passphrase", MemberType::text, crypto::kMaxPassphraseBytes},
     {"code", MemberType::text, 16}}};

AdminResponse malformed(const Error& error) {
  return admin_problem(400, "malformed-body", error.sentence());
}

AdminResponse not_you() {
  return admin_problem(401, "login", "The operator, the pass-phrase or the code is wrong.");
}

AdminResponse locked(WallTime now, WallTime until) {
  AdminResponse response =
      admin_problem(429, "locked", "Too many failed logins; wait, or ask an admin to unlock.");
  const auto wait = std::chrono::ceil<std::chrono::seconds>(until - now).count();
  response.headers.emplace_back("Retry-After", std::to_string(wait));
  return response;
}

AdminResponse no_store() {
  return admin_problem(503, "store-unavailable", "The list of operators cannot be written.");
}

AdminResponse busy() {
  return admin_problem(503, "overloaded", "Too many pass-phrases are being checked; try again.");
}

void wipe_members(BodyMembers& members) {
  for (auto& [name, text] : members.texts) crypto::wipe(text);
}

void member(std::string_view name, std::string_view text, std::string& out) {
  out.append(out.ends_with('{') ? "\"" : ",\"").append(name).append("\":");
  body::encode_json_string(text, out);
}

}  // namespace

WallTime locked_until(std::uint32_t failures, WallTime now) {
  if (failures < kFreeFailures) return WallTime();
  constexpr std::uint32_t kMostDoublings = 11;  // 2^11 minutes are more than a day
  const std::uint32_t doublings = std::min(failures - kFreeFailures, kMostDoublings);
  return now + std::min(std::chrono::minutes(1LL << doublings), std::chrono::minutes(24 * 60));
}

LoginDesk::LoginDesk(Operators& operators, AuditLogs& logs, const LoginRules& rules)
    : operators_(operators), logs_(logs), rules_(rules) {
  nobody_.cost = rules.cost;
  crypto::random_bytes(nobody_.salt);
  crypto::random_bytes(nobody_.verifier);
  if (rules_.places == nullptr) rules_.places = std::make_shared<CheckingPlaces>();
  if (rules_.names == nullptr) {
    std::array<std::uint8_t, 32> key{};
    crypto::random_bytes(key);
    rules_.names = crypto::share_in_arena(crypto::HmacSha256(key));
    crypto::wipe(key);
  }
}

NameDigest LoginDesk::digest_of(std::string_view name) const {
  const crypto::Sha256Digest whole = rules_.names->mac(crypto::as_bytes(name));
  NameDigest digest{};
  std::copy_n(whole.begin(), digest.size(), digest.begin());
  return digest;
}

audit::AuditLog& LoginDesk::log_of(const crypto::vault::Id& tenant) const {
  return logs_.tenant_or_installation(tenant);
}

bool LoginDesk::record(const OperatorRecord& one, audit::EventKind event, audit::Outcome outcome,
                       std::string remark) const {
  audit::AuditEntry entry;
  entry.event = event;
  entry.outcome = outcome;
  entry.detail.operator_name = one.name;
  entry.detail.role = one.role;
  entry.detail.object = one.name;
  entry.detail.remark = std::move(remark);
  return log_of(one.tenant).append(entry).has_value();
}

// Whoever logs in under this name; nobody where nobody can.
std::optional<OperatorRecord> LoginDesk::login_of(const std::string& name) const {
  auto one = operators_.find(name);
  if (one && (one->revoked || !one->passphrase)) one.reset();
  return one;
}

WallTime LoginDesk::locked_until_of(const std::optional<OperatorRecord>& one,
                                    std::string_view name) const {
  // Both, whoever it is: the time must not tell.
  const WallTime of_nobody = operators_.failed_attempts().locked_until(digest_of(name));
  return one ? one->attempts.locked_until : of_nobody;
}

// Two durable writes for everybody: the time must not tell who exists.
Status LoginDesk::count_failure(const std::optional<OperatorRecord>& one, const std::string& name,
                                bool& is_locked) {
  const WallTime now = operators_.now();
  FailedAttempts& others = operators_.failed_attempts();
  if (!one) {
    // A name of another form is nobody's and cannot become anybody's; there is nothing to hide.
    const Status counted =
        is_operator_name(name) ? others.count(digest_of(name), now) : others.write_again();
    const Status written = operators_.write_again();
    return counted ? written : counted;
  }
  const Status written = others.write_again();
  const Status counted = operators_.change(name, [&](OperatorRecord& kept) -> Status {
    Attempts& attempts = kept.attempts;
    attempts.failures = std::min<std::uint32_t>(attempts.failures + 1, 1'000'000);
    attempts.locked_until = std::max(attempts.locked_until, locked_until(attempts.failures, now));
    is_locked = now < attempts.locked_until;
    return {};
  });
  return counted ? written : counted;
}

// Counts a failure where it will be found again, and answers the same for everybody.
AdminResponse LoginDesk::wrong(const std::optional<OperatorRecord>& one, const std::string& name) {
  ++failed_;
  bool is_locked = false;
  const Status counted = count_failure(one, name, is_locked);
  bool recorded = false;
  if (one) {
    recorded = record(*one, audit::EventKind::authentication, audit::Outcome::refused,
                      is_locked ? "login locked" : "login");
  } else {
    // The name is not recorded, because it may be somebody's pass-phrase typed into the wrong
    // field.
    audit::AuditEntry entry;
    entry.event = audit::EventKind::authentication;
    entry.outcome = audit::Outcome::refused;
    entry.detail.remark = "login of nobody";
    recorded = logs_.installation().append(entry).has_value();
  }
  if (!recorded) return audit_unavailable();
  return counted ? not_you() : no_store();
}

// The code is spent with the very change that lets it in: of two at once, one is a replay. And
// whoever is locked meanwhile does not come in, with the answer that a wrong one gets: another one
// would say that this one was right.
Status LoginDesk::succeed(const OperatorRecord& one, std::string_view passphrase,
                          const crypto::TotpSecret& secret, std::uint64_t step) {
  std::optional<crypto::PassphraseVerifier> renewed;
  const crypto::PassphraseCost& cost = one.passphrase->cost;
  if (cost.passes < rules_.cost.passes || cost.kibibytes < rules_.cost.kibibytes) {
    auto made = crypto::keep_passphrase(passphrase, secret, rules_.cost);
    if (!made) return made.error();
    renewed = *made;
  }
  const WallTime now = operators_.now();
  return operators_.change(one.name, [&](OperatorRecord& kept) -> Status {
    if (kept.revoked || step <= kept.attempts.last_step || kept.passphrase != one.passphrase ||
        now < kept.attempts.locked_until) {
      return Error(ErrorKind::refused);
    }
    kept.attempts = {0, WallTime(), step};
    if (renewed) kept.passphrase = renewed;
    return {};
  });
}

AdminResponse LoginDesk::login(const AdminRequest& request) {
  auto members = read_body_members(request.body, kLoginRules);
  if (!members) return malformed(members.error());
  const std::string name(members->text("operator"));
  if (name.empty() || members->text("passphrase").empty() || members->text("code").empty()) {
    wipe_members(*members);
    return admin_problem(400, "malformed-body", "A login has operator, passphrase and code.");
  }
  auto one = login_of(name);
  WallTime now = operators_.now();
  WallTime until = locked_until_of(one, name);
  if (now < until) {
    wipe_members(*members);
    return locked(now, until);
  }
  const CheckingPlace place(*rules_.places);
  if (!place.taken()) {
    wipe_members(*members);
    return busy();
  }
  // Once more, because others may have failed while this one waited: what they locked is locked.
  one = login_of(name);
  now = operators_.now();
  until = locked_until_of(one, name);
  if (now < until) {
    wipe_members(*members);
    return locked(now, until);
  }
  const std::string_view passphrase = members->text("passphrase");
  auto secret = crypto::open_passphrase(passphrase, one ? *one->passphrase : nobody_);
  std::optional<std::uint64_t> step;
  if (secret && one) {
    // What the clock says: no code is of a time that a clock which ran ahead has left behind, and a
    // clock that was put back brings none back, because each is spent with those before it.
    step = crypto::accept_totp(*secret, members->text("code"), operators_.clock_time(),
                               one->attempts.last_step);
  }
  Status status = Error(ErrorKind::refused);
  if (step) status = succeed(*one, passphrase, *secret, *step);
  if (secret) crypto::wipe(*secret);
  wipe_members(*members);
  if (!secret && secret.error().kind() == ErrorKind::internal) return busy();
  if (!status && status.error().kind() != ErrorKind::refused) return no_store();
  if (!status) return wrong(one, name);
  if (!record(*one, audit::EventKind::authentication, audit::Outcome::done, "login")) {
    return audit_unavailable();
  }
  const WallTime expires = now + std::chrono::minutes(rules_.session_minutes);
  const crypto::SecretBytes session = operators_.sessions().begin(name, now, expires);
  AdminResponse response;
  response.body = "{";
  response.body.reserve(512);  // growing would leave copies of the credential behind
  member("operator", one->name, response.body);
  member("role", one->role, response.body);
  member("credential", crypto::as_text(session.bytes()), response.body);
  member("expires", utc_text(expires), response.body);
  response.body += "}\n";
  return response;
}

AdminResponse LoginDesk::enrol(const AdminRequest& request) {
  auto members = read_body_members(request.body, kEnrolRules);
  if (!members) return malformed(members.error());
  const crypto::Sha256Digest hash = crypto::sha256(crypto::as_bytes(members->text("invitation")));
  std::optional<OperatorRecord> one;
  for (const OperatorRecord& kept : operators_.list()) {
    const bool invited = kept.enrolment && operators_.now() < kept.enrolment->expires;
    if (invited && crypto::equal_constant_time(kept.enrolment->code_hash, hash)) one = kept;
  }
  if (!one) {
    ++failed_;
    wipe_members(*members);
    return admin_problem(401, "invitation", "This invitation is unknown, used or over.");
  }
  AdminResponse response;
  response.body.reserve(512);
  // An empty one is a choice too, and a weak one: the answer is not the secret once more.
  if (!members->texts.contains("passphrase") && !members->texts.contains("code")) {
    std::string secret = crypto::totp_secret_text(one->enrolment->secret);
    response.body = "{";
    response.body.reserve(512);
    member("operator", one->name, response.body);
    member("secret", secret, response.body);
    member("uri", "otpauth://totp/Paravent:" + one->name + "?secret=" + secret + "&issuer=Paravent",
           response.body);
    member("rule", rule_sentence(rules_.passphrase), response.body);
    response.body += "}\n";
    crypto::wipe(secret);
    return response;
  }
  const std::string_view passphrase = members->text("passphrase");
  if (!is_strong(passphrase, one->name, rules_.passphrase)) {
    wipe_members(*members);
    return admin_problem(422, "weak-passphrase", rule_sentence(rules_.passphrase));
  }
  const auto step = crypto::accept_totp(one->enrolment->secret, members->text("code"),
                                        operators_.clock_time(), one->attempts.last_step);
  if (!step) {
    wipe_members(*members);
    return admin_problem(422, "code", "The code is not one of this secret and this minute.");
  }
  const CheckingPlace place(*rules_.places);
  auto kept = place.taken()
                  ? crypto::keep_passphrase(passphrase, one->enrolment->secret, rules_.cost)
                  : crypto::Result<crypto::PassphraseVerifier>(Error(ErrorKind::internal));
  wipe_members(*members);
  if (!kept) return busy();
  if (!record(*one, audit::EventKind::operator_change, audit::Outcome::done,
              "pass-phrase and second factor chosen")) {
    return audit_unavailable();
  }
  const Status status = operators_.change(one->name, [&](OperatorRecord& record) -> Status {
    // Used by somebody else meanwhile.
    if (record.enrolment != one->enrolment) return Error(ErrorKind::refused);
    record.passphrase = *kept;
    record.enrolment.reset();
    record.attempts = {0, WallTime(), *step};
    return {};
  });
  if (!status && status.error().kind() == ErrorKind::refused) {
    return admin_problem(401, "invitation", "This invitation is unknown, used or over.");
  }
  if (!status) return no_store();
  operators_.sessions().end_all_of(one->name);
  response.body = "{";
  member("operator", one->name, response.body);
  response.body += "}\n";
  return response;
}

AdminResponse LoginDesk::logout(const AdminRequest& request, const Operator&) {
  const auto credential = bearer_credential(request.authorization);
  if (!credential || !credential->starts_with(Sessions::kPrefix)) {
    return admin_problem(409, "refused", "Only what a login gave can be logged out.");
  }
  operators_.sessions().end(crypto::sha256(crypto::as_bytes(*credential)));
  return {200, "application/json", "{}\n"};
}

}  // namespace paravent::proxy::admin
