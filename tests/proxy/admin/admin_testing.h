// An admin API over an in-memory vault, real audit logs in a folder that goes away, and operators
// of every role; for tests.

#pragma once

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/vault/engine/rows/token_store.h"
#include "policies/model/policy.h"
#include "proxy/admin/admin_api.h"

namespace paravent::proxy::admin {

// Whose operators the tests keep.
inline constexpr crypto::vault::Id kInstallation{7};

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Result {
  std::string token;
  std::string status;
  std::string kind;
  std::string value;
  std::string encoding;
  std::vector<std::string> fields;
};

// Serves one policy of the API's tenant and one of another's; a reload answers as told.
class FakePolicies final : public PolicyControl {
 public:
  std::vector<ServedPolicy> policies() const override { return served; }
  ReloadOutcome reload(const Operator& author) override {
    authors.push_back(author);
    return outcome;
  }

  std::vector<ServedPolicy> served;
  ReloadOutcome outcome{true, false, "", {}};
  std::vector<Operator> authors;
};

// The present, moved by what a test says.
class MovedClock final : public crypto::Clock {
 public:
  crypto::WallTime now() const override {
    return crypto::SystemClock().now() + std::chrono::milliseconds(moved_.load());
  }
  void move(std::chrono::milliseconds by) { moved_ += by.count(); }

 private:
  std::atomic<std::int64_t> moved_{0};
};

// Of the tenant atelier; with the fields of form() below.
std::string admin_test_policy();

class Api {
 public:
  Api() : Api(admin_test_policy()) {}
  // `rows`: where the vault keeps them; null: in memory.
  explicit Api(const std::string& policy,
               std::unique_ptr<crypto::vault::TokenStore> rows = nullptr);

  AdminResponse get(const std::string& path, const std::string& credential = "",
                    bool from_loopback = false);
  // `who`: an operator's name, whose credential is sent.
  AdminResponse post(const std::string& who, const std::string& path, const std::string& body);
  AdminResponse reidentify(const std::string& who, const std::string& body);
  AdminResponse reidentify(const std::string& who, const std::string& purpose,
                           const std::vector<std::string>& tokens);
  // The same with a credential as it is; empty: none.
  AdminResponse post_with(const std::string& path, const std::string& credential,
                          const std::string& body);
  // The same, asked for as lines.
  AdminResponse lines_with(const std::string& credential, const std::string& body);
  // Requests from now on are decided by this policy, as after a reload.
  void use_policy(const std::string& policy);
  // A new AdminApi over the same vault, logs and operators, as after a restart.
  void restart();
  static std::vector<Result> results(const AdminResponse& response);

  // A token of this value under the field's context; its bytes are taken as they are.
  std::string token_of(const std::string& field, std::string_view value);
  // Of a field with vault tokens: the text in this shape.
  std::string shaped(const std::string& field, std::string_view value, crypto::Shape shape);
  // A vault token of the field's context that nobody ever got.
  std::string unknown_token(const std::string& field);
  crypto::audit::AuditLog& log() { return *logs->tenant(tenant); }
  std::vector<crypto::audit::AuditRecord> entries(std::uint64_t from);

  TempFolder folder;
  MovedClock clock;
  std::unique_ptr<crypto::vault::Vault> vault;
  std::unique_ptr<AuditLogs> logs;
  std::unique_ptr<Operators> operators = Operators::in_memory(&clock);
  FirstCredentials first{folder.path()};
  crypto::vault::Id tenant{};
  std::map<std::string, std::string> credentials;  // by operator
  FakePolicies policies;
  ProtectDesk* protect = nullptr;
  // These count from the next restart() on.
  OidcDesk* oidc = nullptr;
  KeyApi* keys = nullptr;
  LoginRules login_rules;
  std::vector<HoneyAlarm> alarms;
  std::unique_ptr<Honey> honey;  // plants rows of form.mail
  std::unique_ptr<RecordApi> record;
  std::unique_ptr<AdminApi> api;

 private:
  crypto::vault::Binding bind(const std::string& field);
  crypto::vault::MintJob mint(const crypto::vault::Binding& binding, std::string_view value,
                              crypto::Kind kind, crypto::Shape shape);

  policies::Policy policy_;
  policies::Policy later_;  // of use_policy()
  std::unique_ptr<crypto::reveal::Staircase> stairs_;
  std::shared_ptr<const policies::AccessPolicy> access_;
};

}  // namespace paravent::proxy::admin
