#include "proxy/admin/operators.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "crypto/vault/engine/base/durable_file.h"
#include "policies/model/policy.h"
#include "proxy/admin/grants/policy_consent.h"
#include "proxy/admin/operators/operators_file.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;
using crypto::WallTime;
using crypto::vault::Id;
using crypto::vault::kNoId;

constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;
constexpr std::string_view kPrefix = "pvcred_";
constexpr auto kLongestLock = std::chrono::hours(24);

bool has_name(const std::vector<OperatorRecord>& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(),
                     [name](const OperatorRecord& one) { return one.name == name; });
}

Error name_taken() { return {ErrorKind::usage, "There is an operator of that name already."}; }

Error altered(const std::filesystem::path& file) {
  return {ErrorKind::data, "The list of operators " + file.string() +
                               " is altered or truncated; restore it from a backup."};
}

Error of_another(const std::filesystem::path& file) {
  return {ErrorKind::data, "The list of operators " + file.string() +
                               " belongs to another installation; put back the folder that "
                               "belongs to this vault, or restore it from a backup."};
}

Error newer(const std::filesystem::path& file) {
  return {ErrorKind::data, "The list of operators " + file.string() +
                               " was written by a newer version of Paravent; install that one."};
}

bool has_expired(const KeptCredential& credential, WallTime now) {
  return credential.expires && now >= *credential.expires;
}

// Whether somebody could still make operators.
bool has_admin(const std::vector<OperatorRecord>& list, WallTime now) {
  return std::any_of(list.begin(), list.end(), [now](const OperatorRecord& one) {
    if (one.role != policies::kAdminRole || one.revoked) return false;
    return one.passphrase ||
           std::any_of(one.credentials.begin(), one.credentials.end(),
                       [now](const KeptCredential& credential) {
                         return !has_expired(credential, now) && credential.scope.paths.empty();
                       });
  });
}

// The latest time that the list itself speaks of: it was the present once.
WallTime latest_of(const std::vector<OperatorRecord>& list) {
  WallTime latest{};
  for (const OperatorRecord& one : list) {
    latest = std::max({latest, one.created, one.revoked.value_or(WallTime())});
    for (const KeptCredential& credential : one.credentials) {
      latest = std::max(latest, credential.created);
    }
  }
  return latest;
}

Operator asking(const OperatorRecord& one, const KeptCredential* credential) {
  Operator who{one.name, one.tenant, one.role, {}, {}};
  if (credential != nullptr) {
    who.scope = credential->scope;
    who.credential = credential_id(credential->hash);
  }
  return who;
}

}  // namespace

Result<std::unique_ptr<Operators>> Operators::open(const std::filesystem::path& folder,
                                                   const Id& installation,
                                                   const crypto::Clock* clock) {
  auto made = std::unique_ptr<Operators>(new Operators(folder / "operators", installation, clock));
  if (auto status = PolicyConsent::verify(folder); !status) return status.error();
  auto cases = Cases::open(folder);
  if (!cases) return cases.error();
  made->cases_ = std::move(*cases);
  auto revoked = OidcRevocations::open(folder);
  if (!revoked) return revoked.error();
  made->oidc_revocations_ = std::move(*revoked);
  auto failed = FailedAttempts::open(folder);
  if (!failed) return failed.error();
  made->failed_attempts_ = std::move(*failed);
  made->wrong_credentials_ = std::make_unique<WrongCredentials>(*made->failed_attempts_);
  if (!std::filesystem::exists(made->file_)) return made;
  if (auto status = crypto::vault::check_private(made->file_); !status) return status.error();
  auto bytes = crypto::vault::read_file(made->file_, kMaxFileBytes);
  if (!bytes) return bytes.error();
  const std::string_view text = crypto::as_text(bytes->bytes());
  auto read = parse_operators(text);
  if (!read) return is_of_newer_version(text) ? newer(made->file_) : altered(made->file_);
  made->list_ = std::move(read->list);
  made->latest_ = latest_of(made->list_);
  made->names_nobody_ = read->installation == kNoId;
  if (!made->names_nobody_) made->installation_ = read->installation;
  return made;
}

Status Operators::belong_to(const Id& installation) {
  const std::lock_guard lock(mutex_);
  if (file_.empty()) return {};
  if (!names_nobody_) return installation_ == installation ? Status() : of_another(file_);
  installation_ = installation;
  if (auto status = save(list_); !status) return status;
  names_nobody_ = false;
  return {};
}

std::unique_ptr<Operators> Operators::in_memory(const crypto::Clock* clock) {
  auto made = std::unique_ptr<Operators>(new Operators(std::filesystem::path(), kNoId, clock));
  made->cases_ = Cases::open({}).value();
  made->oidc_revocations_ = OidcRevocations::open({}).value();
  made->failed_attempts_ = FailedAttempts::open({}).value();
  made->wrong_credentials_ = std::make_unique<WrongCredentials>(*made->failed_attempts_);
  return made;
}

WallTime Operators::now_locked() const {
  latest_ = std::max(latest_, clock_->now());
  return latest_;
}

WallTime Operators::now() const {
  const std::lock_guard lock(mutex_);
  return now_locked();
}

Result<Operators::Made> Operators::make(std::string_view name, std::string_view role,
                                        const Id& tenant) const {
  if (!is_new_operator_name(name) || !is_role_name(role)) {
    return Error(ErrorKind::usage,
                 "An operator's name is 1 to 32 lower-case letters, digits and hyphens, the first "
                 "of them no hyphen.");
  }
  const std::lock_guard lock(mutex_);
  if (has_name(list_, name)) return name_taken();
  Made made;
  made.kept.name = name;
  made.kept.role = role;
  made.kept.tenant = tenant;
  made.kept.created = now_locked();
  made.credential = new_credential(kPrefix);
  KeptCredential& credential = made.kept.credentials.emplace_back();
  credential.hash = crypto::sha256(made.credential.bytes());
  credential.created = made.kept.created;
  return made;
}

Status Operators::keep(const std::vector<OperatorRecord>& made) {
  const std::lock_guard lock(mutex_);
  std::vector<OperatorRecord> next = list_;
  for (const OperatorRecord& one : made) {
    if (has_name(next, one.name)) return name_taken();
    next.push_back(one);
  }
  if (next.size() > kMaxOperators) {
    return Error(ErrorKind::usage, "There are as many operators as there can be.");
  }
  if (auto status = save(next); !status) return status;
  list_ = std::move(next);
  return {};
}

Result<SecretBytes> Operators::add(std::string_view name, std::string_view role, const Id& tenant) {
  auto made = make(name, role, tenant);
  if (!made) return made.error();
  if (auto status = keep({made->kept}); !status) return status.error();
  return std::move(made->credential);
}

Status Operators::join_tenant(const Id& tenant) {
  const std::lock_guard lock(mutex_);
  std::vector<OperatorRecord> next = list_;
  bool changed = false;
  for (OperatorRecord& one : next) {
    if (one.tenant != kNoId) continue;
    one.tenant = tenant;
    changed = true;
  }
  if (!changed) return {};
  if (auto status = save(next); !status) return status;
  list_ = std::move(next);
  return {};
}

Status Operators::change(std::string_view name, const Edit& edit) {
  const std::lock_guard lock(mutex_);
  std::vector<OperatorRecord> next = list_;
  const auto found =
      std::find_if(next.begin(), next.end(), [name](const auto& one) { return one.name == name; });
  if (found == next.end()) return Error(ErrorKind::refused);
  if (auto status = edit(*found); !status) return status;
  if (next == list_) return {};
  const WallTime now = now_locked();
  if (has_admin(list_, now) && !has_admin(next, now)) {
    return Error(
        ErrorKind::refused,
        "That would leave nobody with the role admin and a credential; make another first.");
  }
  if (auto status = save(next); !status) return status;
  const bool gone = found->revoked.has_value();
  list_ = std::move(next);
  if (gone) sessions_.end_all_of(name);
  return {};
}

Status Operators::date_back() {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_->now();
  std::vector<OperatorRecord> next = list_;
  for (OperatorRecord& one : next) {
    one.created = std::min(one.created, now);
    if (one.revoked) one.revoked = std::min(*one.revoked, now);
    for (KeptCredential& credential : one.credentials) {
      if (credential.created <= now) continue;
      if (credential.expires) *credential.expires -= credential.created - now;
      credential.created = now;
    }
    // How much of either is over is not known any more.
    if (one.enrolment && one.enrolment->expires > now + kEnrolmentLife) one.enrolment.reset();
    one.attempts.locked_until = std::min(one.attempts.locked_until, now + kLongestLock);
  }
  if (next != list_) {
    if (auto status = save(next); !status) return status;
    list_ = std::move(next);
  }
  if (latest_ <= now) return {};
  latest_ = now;
  for (const OperatorRecord& one : list_) sessions_.end_all_of(one.name);
  return {};
}

Status Operators::write_again() {
  const std::lock_guard lock(mutex_);
  return save(list_);
}

std::optional<Operator> Operators::authenticate(std::string_view credential) const {
  const crypto::Sha256Digest hash = crypto::sha256(crypto::as_bytes(credential));
  const std::lock_guard lock(mutex_);
  const WallTime now = now_locked();
  const auto session = sessions_.find(hash, now);
  std::optional<Operator> found;
  for (const OperatorRecord& one : list_) {
    if (one.revoked) continue;
    if (session && one.name == *session) {
      found = asking(one, nullptr);
      found->credential = credential_id(hash);
    }
    // No early exit: the time tells neither whether nor which.
    for (const KeptCredential& kept : one.credentials) {
      if (crypto::equal_constant_time(kept.hash, hash) && !has_expired(kept, now)) {
        found = asking(one, &kept);
      }
    }
  }
  return found;
}

std::optional<Operator> Operators::named(std::string_view name) const {
  const auto one = find(name);
  if (!one || one->revoked) return std::nullopt;
  Operator who = asking(*one, nullptr);
  who.credential = kCertificate;
  return who;
}

std::vector<OperatorRecord> Operators::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

std::optional<OperatorRecord> Operators::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const OperatorRecord& one : list_) {
    if (one.name == name) return one;
  }
  return std::nullopt;
}

std::size_t Operators::size() const {
  const std::lock_guard lock(mutex_);
  return list_.size();
}

Status Operators::save(const std::vector<OperatorRecord>& list) const {
  if (file_.empty()) return {};
  if (installation_ == kNoId) std::abort();
  const std::string text = operators_text({installation_, list});
  return crypto::vault::write_file_durably(file_, crypto::as_bytes(text));
}

}  // namespace paravent::proxy::admin
