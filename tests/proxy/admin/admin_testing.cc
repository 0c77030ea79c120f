#include "tests/proxy/admin/admin_testing.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/token_text.h"
#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"

namespace paravent::proxy::admin {
namespace {

constexpr std::string_view kPolicy = R"(policy: 1
tenant: atelier
roles:
  dpo: { reveal: clear }
  support: { reveal: masked }
  auditor: { reveal: replaced }
recipients: { crm: { name: CRM, country: FR } }
purposes:
  contact:
    basis: contract
    retention: { active: P3Y }
    reveal: [dpo, support, auditor]
  billing: { basis: contract, retention: { active: P3Y }, reveal: [dpo] }
routes:
  - name: form
    match: { method: POST, path: /f }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    fields:
      form.email: { kind: email, do: tokenise, shape: email }
      form.mail: { kind: email, do: tokenise }
      form.phone: { kind: phone, do: tokenise, mode: derived }
      form.mobile: { kind: phone, do: tokenise, mode: derived, shape: preserve, epoch: day, because: legacy }
      form.city: { kind: name, do: pseudonymise }
      form.message: { do: encrypt }
)";

void must(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "test set-up: %s\n", what);
  std::abort();
}

}  // namespace

TempFolder::TempFolder() {
  // In memory where there is such a place: every entry of a log is synced.
  const std::filesystem::path memory = "/dev/shm";
  const bool usable = ::access(memory.c_str(), W_OK) == 0;
  std::string name =
      ((usable ? memory : std::filesystem::temp_directory_path()) / "paravent-admin-XXXXXX")
          .string();
  must(::mkdtemp(name.data()) != nullptr, "folder");
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string admin_test_policy() { return std::string(kPolicy); }

Api::Api(const std::string& policy, std::unique_ptr<crypto::vault::TokenStore> rows)
    : vault(crypto::vault::Vault::in_memory(clock, std::move(rows)).value()) {
  auto loaded = policies::load_policy_text("test.yaml", policy);
  must(loaded.ok(), policies::diagnostics_text(loaded.diagnostics).c_str());
  policy_ = std::move(loaded.policy);
  crypto::vault::PolicyNames of_policy{"atelier", {"crm"}, {}};
  for (const auto& purpose : policy_.purposes) of_policy.purposes.push_back(purpose.name);
  const std::vector<crypto::vault::PolicyNames> names{of_policy};
  must(vault->admit_names(names).has_value(), "names");
  tenant = vault->tenant_id("atelier").value();
  std::filesystem::create_directory(folder.path() / "audit");
  logs = AuditLogs::open(folder.path() / "audit", *vault, clock,
                         crypto::audit::OpenMode::create_if_missing)
             .value();
  must(logs->open_tenant(tenant).has_value(), "log");
  for (const char* name : {"dpo", "support", "auditor", "admin", "stranger"}) {
    const bool none = std::string_view(name) == "stranger";
    const auto made =
        operators->add(name, none ? "dpo" : name, none ? crypto::vault::kNoId : tenant);
    credentials[name] = std::string(crypto::as_text(made.value().bytes()));
  }
  policies.served = {{tenant, "one", "one.yaml", "aa", "policy: 1"},
                     {crypto::vault::kNoId, "other", "other.yaml", "bb", "policy: 2"}};
  stairs_ = std::make_unique<crypto::reveal::Staircase>(crypto::reveal::build_staircase(*vault));
  const policies::TenantPolicy tenants[] = {{tenant, &policy_}};
  access_ = std::make_shared<const policies::AccessPolicy>(tenants, stairs_->access);
  honey =
      Honey::open(
          folder.path() / "honey", crypto::SecretBytes::copy_of("a seed of thirty-two bytes, here"),
          [this](const auto&, auto route, auto field, auto value) -> crypto::Result<PlantedRow> {
            if (route != "form" || field != "form.mail") {
              return crypto::Error(crypto::ErrorKind::usage, "There is no such field.");
            }
            const auto job =
                mint(bind("form.mail"), value, crypto::Kind::email, crypto::Shape::none);
            std::string token;
            crypto::write_vault_token(job.key_id, job.id, token);
            return PlantedRow{token, token, job.minted};
          },
          [this](const HoneyAlarm& alarm) { alarms.push_back(alarm); })
          .value();
  record = std::make_unique<RecordApi>(*logs, *vault, clock, honey.get());
  restart();
}

void Api::restart() {
  api = std::make_unique<AdminApi>(
      AdminParts{*operators, first, *logs, stairs_->authentication, *stairs_->reidentifier, access_,
                 clock, crypto::vault::SubjectAdmin(*vault), &policies, keys, login_rules, protect,
                 record.get(), oidc},
      [] { return std::string("paravent_up 1\n"); });
}

AdminResponse Api::post_with(const std::string& path, const std::string& credential,
                             const std::string& body) {
  AdminRequest request;
  request.method = "POST";
  request.path = path;
  if (!credential.empty()) request.authorization = "Bearer " + credential;
  request.content_type = "application/json";
  request.body = body;
  request.from_loopback = true;
  return api->handle(request);
}

AdminResponse Api::lines_with(const std::string& credential, const std::string& body) {
  AdminRequest request;
  request.method = "POST";
  request.path = "/v1/reidentify";
  request.authorization = "Bearer " + credential;
  request.accept = "application/x-ndjson";
  request.body = body;
  request.from_loopback = true;
  return api->handle(request);
}

void Api::use_policy(const std::string& policy) {
  auto loaded = policies::load_policy_text("test.yaml", policy);
  must(loaded.ok(), policies::diagnostics_text(loaded.diagnostics).c_str());
  later_ = std::move(loaded.policy);
  const policies::TenantPolicy tenants[] = {{tenant, &later_}};
  access_ = std::make_shared<const policies::AccessPolicy>(tenants, stairs_->access);
  api->use_access(access_);
}

AdminResponse Api::get(const std::string& path, const std::string& credential, bool from_loopback) {
  AdminRequest request;
  request.method = "GET";
  const std::size_t question = path.find('?');
  request.path = path.substr(0, question);
  if (question != std::string::npos) request.query = path.substr(question + 1);
  if (!credential.empty()) request.authorization = "Bearer " + credential;
  request.from_loopback = from_loopback;
  return api->handle(request);
}

AdminResponse Api::reidentify(const std::string& who, const std::string& body) {
  return post(who, "/v1/reidentify", body);
}

AdminResponse Api::post(const std::string& who, const std::string& path, const std::string& body) {
  return post_with(path, who.empty() ? who : credentials.at(who), body);
}

AdminResponse Api::reidentify(const std::string& who, const std::string& purpose,
                              const std::vector<std::string>& tokens) {
  return reidentify(who, boost::json::serialize(boost::json::object{
                             {"purpose", purpose},
                             {"reason", "case 17"},
                             {"tokens", boost::json::array(tokens.begin(), tokens.end())}}));
}

std::vector<Result> Api::results(const AdminResponse& response) {
  EXPECT_EQ(response.status, 200) << response.body;
  std::vector<Result> all;
  if (response.status != 200) return all;
  const auto document = boost::json::parse(response.body);
  for (const auto& one : document.at("results").as_array()) {
    const auto text = [&](const char* key) {
      const auto* value = one.as_object().if_contains(key);
      return value == nullptr ? std::string("-") : std::string(value->as_string());
    };
    Result result{text("token"), text("status"), text("kind"), text("value"), text("encoding"), {}};
    if (const auto* fields = one.as_object().if_contains("fields")) {
      for (const auto& field : fields->as_array()) result.fields.emplace_back(field.as_string());
    }
    all.push_back(std::move(result));
  }
  return all;
}

crypto::vault::Binding Api::bind(const std::string& field) {
  const auto plan = policies::compile({&policy_, 1}).value();
  for (const auto* action : plan->actions()) {
    if (action->name != field) continue;
    const auto& specs = plan->context_specs();
    auto bound = vault->bind("atelier", std::span(specs).subspan(action->slot, 1));
    return std::move(bound.value().front());
  }
  std::abort();
}

std::string Api::token_of(const std::string& field, std::string_view value) {
  const bool preserved = field == "form.mobile";
  const crypto::Kind kind = preserved                 ? crypto::Kind::phone
                            : field == "form.phone"   ? crypto::Kind::phone
                            : field == "form.city"    ? crypto::Kind::name
                            : field == "form.message" ? crypto::Kind::text
                                                      : crypto::Kind::email;
  crypto::vault::Binding binding = bind(field);
  std::string text;
  if (binding.key.algorithm != crypto::Algorithm::vault_token) {
    std::vector<crypto::ProtectionKey> slots;
    slots.push_back(std::move(binding.key));
    auto protector = crypto::FieldProtector::create(slots).value();
    const auto shape = preserved ? crypto::Shape::preserve : crypto::Shape::none;
    const crypto::ProtectForm form{.kind = kind, .shape = shape};
    must(protector->protect(0, form, value, text).has_value(), "protect");
    return text;
  }
  const auto job = mint(binding, value, kind, crypto::Shape::none);
  crypto::write_vault_token(job.key_id, job.id, text);
  return text;
}

std::string Api::shaped(const std::string& field, std::string_view value, crypto::Shape shape) {
  return std::string(mint(bind(field), value, crypto::Kind::email, shape).shaped_text());
}

crypto::vault::MintJob Api::mint(const crypto::vault::Binding& binding, std::string_view value,
                                 crypto::Kind kind, crypto::Shape shape) {
  auto batch = std::make_shared<crypto::vault::ResolveBatch>();
  batch->values = value;
  crypto::vault::MintJob job;
  job.key_id = binding.key.key_id;
  job.seal_key_id = binding.seal_key_id;
  job.kind = kind;
  job.shape = shape;
  job.end = static_cast<std::uint32_t>(value.size());
  batch->jobs.push_back(job);
  std::promise<void> answered;
  batch->done = [&answered] { answered.set_value(); };
  vault->resolve(batch);
  answered.get_future().wait();
  must(batch->status == crypto::vault::ResolveStatus::ok, "mint");
  return batch->jobs[0];
}

std::string Api::unknown_token(const std::string& field) {
  std::string text;
  crypto::write_vault_token(bind(field).key.key_id, crypto::vault::random_id(), text);
  return text;
}

std::vector<crypto::audit::AuditRecord> Api::entries(std::uint64_t from) {
  return log().read(from, 2000).value();
}

}  // namespace paravent::proxy::admin
