// How a gateway is unsealed and sealed while it runs.

#include <cstdio>
#include <filesystem>
#include <utility>

#include "proxy/admin/name_operator.h"
#include "proxy/main/gateway/gateway_state.h"
#include "proxy/main/installation/issuer_binding.h"
#include "proxy/main/installation/login_rules.h"
#include "proxy/main/installation/snapshot_builder.h"
#include "proxy/main/keepers/when_sealed.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::audit::AuditDetail;
using crypto::audit::EventKind;

namespace {

AuditDetail detail_of(std::string object, std::string remark) {
  AuditDetail detail;
  detail.object = std::move(object);
  detail.remark = std::move(remark);
  return detail;
}

// How often the token is asked whether it is there: soon enough for a person who pulls it out.
constexpr std::chrono::seconds kLook{2};

}  // namespace

// Whatever is wrong with what is needed for it leaves the routes refused.
std::shared_ptr<const Snapshot> Gateway::State::sealed_now() {
  const std::filesystem::path& data = installation->directory().path();
  SealedContexts contexts;
  if (has_when_sealed(*served.plan)) {
    if (auto status = open_sealed_list(); !status) {
      std::fprintf(stderr, "paravent: warning: %s\n", status.error().sentence().c_str());
    }
    auto known = read_sealed_contexts(data);
    if (known) {
      contexts = std::move(*known);
    } else {
      std::fprintf(stderr, "paravent: warning: %s\n", known.error().sentence().c_str());
    }
  }
  return sealed_snapshot(served.plan, limits_of(config), contexts, sealed_list);
}

bool Gateway::State::has_sealed_values() const {
  std::error_code ignored;
  return std::filesystem::exists(installation->directory().path() / telemetry::kSealedListFile,
                                 ignored);
}

Status Gateway::State::open_sealed_list() {
  const std::scoped_lock hold(list_mutex);
  if (sealed_list != nullptr) return {};
  auto list = telemetry::SealedList::open(
      (installation->directory().path() / telemetry::kSealedListFile).string());
  if (!list) return list.error();
  sealed_list = std::move(*list);
  return {};
}

// Vault, audit logs and the admin API; whatever fails leaves it sealed.
Status Gateway::State::unlock(crypto::vault::RootKey root) {
  if (auto status = installation->unlock(std::move(root)); !status) return status;
  token_present = true;
  Status status;
  if (!start_recorded) status = record(EventKind::start);
  if (status) {
    start_recorded = true;
    auto made =
        OpenVault::create(*installation, served,
                          {first_credentials, clock, *this, [this] { keys_changed(); },
                           [this] { keeper_changed_keys(); },
                           [this] {
                             const std::scoped_lock hold(list_mutex);
                             return sealed_list.get();
                           },
                           [this](const admin::AdminApi& api) { return metrics->text(&api); },
                           [this] { return server->states().front()->snapshot; },
                           [this] {
                             const std::scoped_lock hold(changing);
                             return served.plan;
                           },
                           login_rules_of(config), config.record, oidc.get(), this});
    if (made) {
      open = std::move(*made);
    } else {
      status = made.error();
    }
  }
  if (!status) lock_up();
  return status;
}

// The last step of a start or of unsealing: from here on the API answers.
Status Gateway::State::open_gate() {
  if (!open) return {};
  if (!policies_recorded) {
    if (auto status = open->record_policy_loads(served, admin::nobody("start of the gateway"));
        !status) {
      return status;
    }
    if (auto status = open->keep_consent(served); !status) return status;
    policies_recorded = true;
  }
  if (auto status = record_issuer_keys(served); !status) return status;
  std::fputs(
      warnings_of_unknown_people(served, installation->operators(), installation->vault()).c_str(),
      stderr);
  open->start_keeper();
  gate->open(open->handler(), &installation->audit());
  return {};
}

// The workers first: once they have answered, nobody uses a key of this vault any more.
void Gateway::State::lock_up() {
  if (server) {
    server->use_vault(nullptr);
    // It can only fail for want of memory, and then there is no safe way to go on with the keys.
    const bool published = server->publish(sealed_now()).has_value() ||
                           server->publish(sealed_snapshot(served.plan, limits_of(config), {}, {}));
    if (!published) std::abort();
  }
  root_offer.forget();
  open.reset();
  installation->lock();
  wrong_secrets = 0;
}

admin::SealState Gateway::State::seal_state() {
  const std::scoped_lock lock(changing);
  const auto progress = installation->provider().progress();
  return {open == nullptr, token_present,
          std::string(crypto::vault::unseal_method_name(installation->provider().method())),
          progress.given, progress.needed};
}

Result<admin::SealState> Gateway::State::unseal(const crypto::SecretBytes* secret,
                                                const std::string& who) {
  {
    const std::scoped_lock lock(changing);
    if (ending) return Error(ErrorKind::sealed, "The gateway is stopping.");
    crypto::vault::UnsealProvider& provider = installation->provider();
    auto root = secret == nullptr ? provider.open(installation->root_check())
                                  : provider.give(*secret, installation->root_check());
    if (!root) {
      if (root.error().kind() == ErrorKind::refused) ++wrong_secrets;
      return root.error();
    }
    if (*root && open) {
      set_token_present(true, who);  // only the way back was closed; the keys are there
    } else if (*root) {
      const std::uint64_t wrong = wrong_secrets;
      if (auto status = unlock(std::move(**root)); !status) return status.error();
      AuditDetail detail =
          detail_of(std::string(crypto::vault::unseal_method_name(provider.method())),
                    wrong == 0 ? "" : std::to_string(wrong) + " wrong secrets before");
      detail.operator_name = who;
      Status status = record(EventKind::unseal, std::move(detail));
      if (status) {
        server->use_vault(&installation->vault());
        auto snapshot = current_snapshot();
        status = snapshot ? server->publish(*snapshot) : Status(snapshot.error());
      }
      if (status) status = open_gate();
      if (!status) {
        lock_up();
        return status.error();
      }
    }
  }
  return seal_state();
}

// It waits for the handlers that run, and so before `changing` is taken: in between somebody may
// have opened it again, who had `changing` meanwhile.
std::unique_lock<std::mutex> Gateway::State::close_gate() {
  std::unique_lock lock(changing, std::defer_lock);
  do {
    if (lock.owns_lock()) lock.unlock();
    gate->close();
    lock.lock();
  } while (gate->is_open());
  return lock;
}

Result<bool> Gateway::State::seal(const admin::Operator& who) {
  const std::unique_lock lock = close_gate();
  if (ending) return Error(ErrorKind::busy, "The gateway is stopping.");
  if (!open) return true;
  // Sealing is not put off because the disk is full.
  AuditDetail detail;
  admin::name_operator(who, detail);
  Status recorded = installation->audit().record_checkpoints();
  if (recorded) recorded = record(EventKind::seal, std::move(detail));
  lock_up();
  return recorded.has_value();
}

// A token that was pulled out closes the way back at once. Forward, the keys of the current epoch
// are there and go on until it ends; then the gateway seals itself.
bool Gateway::State::look_for_token() {
  if (!open || std::chrono::steady_clock::now() < next_look) return false;
  next_look = std::chrono::steady_clock::now() + kLook;
  crypto::vault::UnsealProvider& provider = installation->provider();
  set_token_present(
      token_present ? provider.present() : provider.come_back(installation->root_check()), {});
  return !token_present && clock.now() >= keys_valid_until;
}

void Gateway::State::set_token_present(bool present, const std::string& who) {
  if (present == token_present) return;
  token_present = present;
  gate->set_present(present);
  AuditDetail detail = detail_of(
      "pkcs11", present ? "the token is back" : "the token was removed: nothing is revealed");
  detail.operator_name = who;
  // The record is worth having, and nothing waits for it.
  static_cast<void>(record(present ? EventKind::unseal : EventKind::seal, std::move(detail)));
}

void Gateway::State::seal_without_token() {
  const std::unique_lock lock = close_gate();
  if (!open) return;
  if (token_present) {
    // It came back, and somebody was told so, while this waited for the handlers.
    gate->open(open->handler(), &installation->audit());
    return;
  }
  static_cast<void>(
      record(EventKind::seal, detail_of("pkcs11", "the epoch ended without the token")));
  lock_up();
}

}  // namespace paravent::proxy::main
