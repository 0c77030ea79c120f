// The authorisation matrix: roles x purposes x kinds x phases x tenants x time, every cell asked
// through the real API over the real vault and compared with a table that is written here and
// nowhere else.

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <utility>

#include "crypto/reveal/mask.h"
#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Kind;

// When a role may ask.
enum class Time : std::uint8_t { always, now, at_others };

struct RoleRow {
  const char* name;
  const char* level;                                       // of every kind but these
  std::vector<std::pair<std::string, std::string>> kinds;  // kind, level
  Time time = Time::always;
};

const std::vector<RoleRow> kRoles = {
    {"full", "clear", {}},
    {"desk", "masked", {}},
    {"counter", "replaced", {}},
    {"shut", "refused", {}},
    {"mixed",
     "masked",
     {{"email", "clear"}, {"phone", "refused"}, {"iban", "replaced"}, {"name", "masked"}}},
    {"only", "refused", {{"email", "clear"}, {"text", "masked"}, {"birth-date", "replaced"}}},
    {"archivist", "clear", {{"nir", "refused"}}},
    {"outsider", "clear", {}},
    {"day", "clear", {{"phone", "masked"}}, Time::now},
    {"night", "clear", {{"phone", "masked"}}, Time::at_others},
    {"night-shut", "refused", {}, Time::at_others},
};

struct PurposeRow {
  const char* name;
  bool archives;
  std::vector<std::string> active;
  std::vector<std::string> archived;
};

const std::vector<PurposeRow> kPurposes = {
    {"contact",
     true,
     {"full", "desk", "mixed", "shut", "day", "night", "night-shut"},
     {"full", "archivist"}},
    {"order",
     true,
     {"full", "counter", "only", "night"},
     {"archivist", "mixed", "only", "day", "night"}},
    {"survey", false, {"full", "desk", "counter", "mixed", "only"}, {}},
    {"dispute", true, {}, {"full", "archivist", "counter"}},
    {"sealed", true, {}, {}},
};

const std::vector<std::string> kKinds = {"text", "name",       "email", "phone", "address",
                                         "iban", "birth-date", "nir",   "siret", "url"};

const std::vector<std::string> kPhases = {"active", "archived", "expired", "restricted"};

bool names(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Two hours before and behind the present, or the other twenty of the day.
std::string hours_of(Time time) {
  const auto now = std::chrono::floor<std::chrono::minutes>(crypto::SystemClock().now());
  const auto text = [now](std::chrono::hours away) {
    const auto minute = (now + away).time_since_epoch().count() % (24 * 60);
    const auto two = [](std::int64_t number) {
      return (number < 10 ? "0" : "") + std::to_string(number);
    };
    return "'" + two(minute / 60) + ":" + two(minute % 60) + "'";
  };
  const std::string before = text(std::chrono::hours(-2));
  const std::string behind = text(std::chrono::hours(2));
  return time == Time::now ? "{ from: " + before + ", until: " + behind + " }"
                           : "{ from: " + behind + ", until: " + before + " }";
}

std::string policy_text(const std::string& tenant) {
  std::string out = "policy: 1\ntenant: " + tenant + "\ntime-zone: Etc/UTC\nroles:\n";
  for (const RoleRow& role : kRoles) {
    out += std::string("  ") + role.name + ": { reveal: " + role.level;
    if (!role.kinds.empty()) {
      out += ", kinds: {";
      for (const auto& [kind, level] : role.kinds) out += " " + kind + ": " + level + ",";
      out.back() = ' ';
      out += "}";
    }
    if (role.time != Time::always) out += ", hours: " + hours_of(role.time);
    out += " }\n";
  }
  out += "recipients: { crm: { name: CRM, country: FR } }\npurposes:\n";
  const auto list = [](const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return "[" + text + "]";
  };
  for (const PurposeRow& purpose : kPurposes) {
    out += std::string("  ") + purpose.name +
           ":\n    basis: contract\n    retention: " + "{ from: last-contact, active: P3Y" +
           (purpose.archives ? ", archive: P5Y" : "") + " }\n    reveal: " + list(purpose.active) +
           "\n    reveal-archived: " + list(purpose.archived) + "\n";
  }
  out += "routes:\n";
  for (const PurposeRow& purpose : kPurposes) {
    out += std::string("  - name: ") + purpose.name + "\n    match: { method: POST, path: /" +
           tenant + "/" + purpose.name +
           " }\n    upstream: http://127.0.0.1:9000\n    recipient: crm\n    purpose: " +
           purpose.name + "\n    subject: form.who\n    fields:\n" +
           "      form.who: { kind: email, do: tokenise, space: who }\n";
    for (const std::string& kind : kKinds) {
      out += "      form." + kind + ": { kind: " + kind + ", do: tokenise }\n";
    }
  }
  return out;
}

// What the table says: a status; or, of the whole request, "403", or "hours", which is a 403 too.
std::string expected(const RoleRow& role, const PurposeRow& purpose, const std::string& kind,
                     const std::string& phase, bool own_tenant) {
  if (!names(purpose.active, role.name) && !names(purpose.archived, role.name)) return "403";
  if (role.time == Time::at_others) return "hours";
  if (!own_tenant || phase == "expired") return "unavailable";
  if (phase == "archived" && !purpose.archives) return "unavailable";
  if (phase == "restricted") return "refused";
  if (!names(phase == "active" ? purpose.active : purpose.archived, role.name)) return "refused";
  std::string level = role.level;
  for (const auto& [of, own] : role.kinds) {
    if (of == kind) level = own;
  }
  return level == "clear" ? "revealed" : level;
}

std::string value_of(const std::string& tenant, const std::string& purpose, const std::string& kind,
                     const std::string& phase) {
  return kind + " of " + tenant + " for " + purpose + ", " + phase;
}

struct Cell {
  std::string tenant;
  std::string kind;
  std::string phase;
  std::string value;
  std::string token;
};

class Matrix {
 public:
  Matrix() {
    clock_.move(-kOldest);
    vault_ = crypto::vault::Vault::in_memory(clock_).value();
    std::vector<crypto::vault::PolicyNames> all_names;
    for (const char* tenant : {"north", "south"}) {
      auto loaded = policies::load_policy_text(tenant, policy_text(tenant));
      if (!loaded.ok()) ADD_FAILURE() << policies::diagnostics_text(loaded.diagnostics);
      policies_.push_back(std::move(loaded.policy));
      crypto::vault::PolicyNames of_policy{tenant, {"crm"}, {}};
      for (const PurposeRow& purpose : kPurposes) of_policy.purposes.emplace_back(purpose.name);
      all_names.push_back(of_policy);
    }
    EXPECT_TRUE(vault_->admit_names(all_names).has_value());
    std::filesystem::create_directory(folder_.path() / "audit");
    logs_ = AuditLogs::open(folder_.path() / "audit", *vault_, clock_,
                            crypto::audit::OpenMode::create_if_missing)
                .value();
    std::vector<policies::TenantPolicy> tenants;
    for (const policies::Policy& policy : policies_) {
      const auto id = vault_->tenant_id(policy.tenant.value).value();
      EXPECT_TRUE(logs_->open_tenant(id).has_value());
      tenants.push_back({id, &policy});
      for (const RoleRow& role : kRoles) {
        const std::string name = std::string(role.name) + "-" + policy.tenant.value;
        credentials_[name] = text_of(operators_->add(name, role.name, id).value());
      }
      const std::string name = "admin-" + policy.tenant.value;
      credentials_[name] = text_of(operators_->add(name, "admin", id).value());
    }
    stairs_ = std::make_unique<crypto::reveal::Staircase>(crypto::reveal::build_staircase(*vault_));
    api_ = std::make_unique<AdminApi>(
        AdminParts{*operators_, first_, *logs_, stairs_->authentication, *stairs_->reidentifier,
                   std::make_shared<const policies::AccessPolicy>(tenants, stairs_->access), clock_,
                   crypto::vault::SubjectAdmin(*vault_)},
        [] { return std::string(); });
  }

  // One person per tenant, purpose and phase, with a value of every kind; by purpose. Oldest first:
  // a vault whose clock goes back makes nothing.
  std::map<std::string, std::vector<Cell>> collect() {
    std::map<std::string, std::vector<Cell>> cells;
    for (const auto& [phase, ago] : std::vector<std::pair<std::string, std::chrono::hours>>{
             {"expired", kOldest},
             {"archived", std::chrono::hours(24 * 4 * 365)},
             {"active", std::chrono::hours(24)},
             {"restricted", std::chrono::hours(24)}}) {
      clock_.move(std::exchange(behind_, ago) - ago);
      for (const PurposeRow& purpose : kPurposes) {
        for (const policies::Policy& policy : policies_) {
          mint(policy, purpose.name, phase, cells[purpose.name]);
          if (phase == "restricted") restrict_person(policy, purpose.name);
        }
      }
    }
    clock_.move(std::exchange(behind_, std::chrono::hours(0)));
    return cells;
  }

  AdminResponse ask(const std::string& who, const std::string& purpose,
                    const std::vector<Cell>& cells) {
    boost::json::array tokens;
    for (const Cell& cell : cells) tokens.emplace_back(cell.token);
    AdminRequest request;
    request.method = "POST";
    request.path = "/v1/reidentify";
    request.authorization = "Bearer " + credentials_.at(who);
    request.body = boost::json::serialize(
        boost::json::object{{"purpose", purpose}, {"reason", "the matrix"}, {"tokens", tokens}});
    return api_->handle(request);
  }

  std::uint64_t entries() const {
    std::uint64_t sum = 0;
    for (const policies::Policy& policy : policies_) {
      sum += logs_->tenant(vault_->tenant_id(policy.tenant.value).value())->size();
    }
    return sum;
  }

 private:
  static constexpr std::chrono::hours kOldest{24 * 9 * 365};

  static std::string text_of(const crypto::SecretBytes& secret) {
    return std::string(crypto::as_text(secret.bytes()));
  }

  static std::string person(const std::string& tenant, const std::string& purpose,
                            const std::string& phase) {
    return phase + "." + purpose + "@" + tenant + ".example";
  }

  void restrict_person(const policies::Policy& policy, const std::string& purpose) {
    crypto::vault::SubjectAdmin subjects(*vault_);
    const auto tenant = vault_->tenant_id(policy.tenant.value).value();
    const auto found =
        subjects.find(tenant, Kind::email, person(policy.tenant.value, purpose, "restricted"));
    ASSERT_TRUE(found.has_value());
    ASSERT_TRUE(subjects.mark(*found, true, std::nullopt).has_value());
  }

  void mint(const policies::Policy& policy, const std::string& purpose, const std::string& phase,
            std::vector<Cell>& cells) {
    const auto plan = policies::compile({&policy, 1}).value();
    const auto bound = vault_->bind(policy.tenant.value, plan->context_specs()).value();
    const policies::RoutePlan* route = nullptr;
    for (const auto& known : plan->routes()) {
      if (known->name == purpose) route = known.get();
    }
    ASSERT_NE(route, nullptr);
    auto batch = std::make_shared<crypto::vault::ResolveBatch>();
    auto& subject = batch->subject.emplace();
    subject.key_id = bound[route->subject_slot].key.key_id;
    subject.needs_key = true;
    batch->values = person(policy.tenant.value, purpose, phase);
    subject.end = static_cast<std::uint32_t>(batch->values.size());
    std::vector<Cell> made;
    for (const std::string& kind : kKinds) {
      const auto* action = route->find(policies::Carrier::form, kind);
      ASSERT_NE(action, nullptr);
      const std::string value = value_of(policy.tenant.value, purpose, kind, phase);
      crypto::vault::MintJob job;
      job.key_id = bound[action->slot].key.key_id;
      job.seal_key_id = bound[action->slot].seal_key_id;
      job.kind = action->kind;
      job.begin = static_cast<std::uint32_t>(batch->values.size());
      batch->values += value;
      job.end = static_cast<std::uint32_t>(batch->values.size());
      batch->jobs.push_back(job);
      made.push_back({policy.tenant.value, kind, phase, value, {}});
    }
    std::promise<void> answered;
    batch->done = [&answered] { answered.set_value(); };
    vault_->resolve(batch);
    answered.get_future().wait();
    ASSERT_EQ(batch->status, crypto::vault::ResolveStatus::ok);
    for (std::size_t i = 0; i < made.size(); ++i) {
      crypto::write_vault_token(batch->jobs[i].key_id, batch->jobs[i].id, made[i].token);
      cells.push_back(std::move(made[i]));
    }
  }

  TempFolder folder_;
  MovedClock clock_;
  std::unique_ptr<crypto::vault::Vault> vault_;
  std::unique_ptr<AuditLogs> logs_;
  std::chrono::hours behind_ = kOldest;  // how far the clock is behind the present
  std::unique_ptr<Operators> operators_ = Operators::in_memory(&clock_);
  FirstCredentials first_{folder_.path()};
  std::vector<policies::Policy> policies_;
  std::map<std::string, std::string> credentials_;
  std::unique_ptr<crypto::reveal::Staircase> stairs_;
  std::unique_ptr<AdminApi> api_;
};

// A status and the value that goes with it.
void check(const Cell& cell, const std::string& wanted, const Result& result,
           const std::string& where) {
  EXPECT_EQ(result.status, wanted) << where;
  if (wanted == "revealed") {
    EXPECT_EQ(result.value, cell.value) << where;
  } else if (wanted == "masked") {
    const auto masked = crypto::reveal::mask_value(crypto::kind_from_name(cell.kind).value(),
                                                   crypto::as_bytes(cell.value));
    EXPECT_EQ(result.value, crypto::as_text(masked.bytes())) << where;
    EXPECT_NE(result.value, cell.value) << where;
  } else if (wanted == "replaced") {
    EXPECT_EQ(result.value, "[withheld]") << where;
  } else {
    EXPECT_EQ(result.value, "-") << where;
  }
}

TEST(AccessMatrix, EveryCell) {
  Matrix matrix;
  std::size_t cells_asserted = 0;
  std::map<std::string, std::size_t> seen;
  const auto by_purpose = matrix.collect();
  for (const PurposeRow& purpose : kPurposes) {
    const std::vector<Cell>& cells = by_purpose.at(purpose.name);
    ASSERT_EQ(cells.size(), 2 * kPhases.size() * kKinds.size());
    for (const std::string tenant : {"north", "south"}) {
      for (const RoleRow& role : kRoles) {
        const std::string who = std::string(role.name) + "-" + tenant;
        const std::uint64_t before = matrix.entries();
        const AdminResponse response = matrix.ask(who, purpose.name, cells);
        const std::string first = expected(role, purpose, kKinds[0], "active", true);
        const bool barred = first == "403";
        const bool closed = first == "hours";
        const bool whole = barred || closed;
        EXPECT_EQ(response.status, whole ? 403 : 200) << who << " " << purpose.name;
        EXPECT_EQ(response.body.find(R"("reason":"hours")") != std::string::npos, closed);
        EXPECT_EQ(matrix.entries() - before, barred ? 1U : cells.size());
        const auto results = whole ? std::vector<Result>() : Api::results(response);
        for (std::size_t i = 0; i < cells.size(); ++i) {
          const Cell& cell = cells[i];
          const std::string wanted =
              expected(role, purpose, cell.kind, cell.phase, cell.tenant == tenant);
          const std::string where = who + " asks for a " + cell.kind + " of " + cell.tenant +
                                    " for " + purpose.name + ", " + cell.phase;
          ++cells_asserted;
          ++seen[wanted];
          EXPECT_EQ(wanted == "403", barred) << where;
          EXPECT_EQ(wanted == "hours", closed) << where;
          if (whole) {
            EXPECT_EQ(response.body.find(cell.value), std::string::npos) << where;
          } else {
            check(cell, wanted, results.at(i), where);
          }
        }
      }
      // The built-in role never reveals.
      EXPECT_EQ(matrix.ask("admin-" + tenant, purpose.name, cells).status, 403);
      cells_asserted += cells.size();
    }
  }
  // A table in which everything were refused would prove little.
  EXPECT_EQ(cells_asserted, 2 * 12 * kPurposes.size() * 2 * kPhases.size() * kKinds.size());
  for (const char* status :
       {"revealed", "masked", "replaced", "refused", "unavailable", "hours", "403"}) {
    EXPECT_GT(seen[status], 50U) << status;
  }
}

TEST(AccessMatrix, APurposeThatTheValueWasNotCollectedFor) {
  Matrix matrix;
  const std::vector<Cell> cells = matrix.collect().at("contact");
  for (const PurposeRow& purpose : kPurposes) {
    if (purpose.name == std::string("contact")) continue;
    for (const RoleRow& role : kRoles) {
      const AdminResponse response =
          matrix.ask(std::string(role.name) + "-north", purpose.name, cells);
      if (response.status == 403) continue;
      for (const Result& result : Api::results(response)) {
        EXPECT_EQ(result.status + result.value, "unavailable-") << role.name << purpose.name;
      }
    }
  }
}

}  // namespace
}  // namespace paravent::proxy::admin
