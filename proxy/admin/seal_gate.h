// SealGate: what stands in front of the admin API, because the API needs the keys and the keys come
// and go.
//
// Sealed: /healthz lives, /readyz says sealed, /metrics and /openapi.json answer, POST /v1/unseal
// takes what unseals, and everything else is 503 `sealed`. Unsealed: everything goes to the API,
// and POST /v1/seal (role admin) puts the keys away. While what holds the root key is gone (a token
// pulled out) the way back is closed: /v1/... is 503 `sealed` and the data path goes on.
//
// Who is turned away here is on record while the vault is open, as behind it; sealed there is no
// log. Wrong credentials count as everywhere, sealed or not (wrong_credentials.h).
//
// Who may unseal: whoever is on this machine's loopback, for what counts is the pass-phrase, the
// PIN or the shares, and whoever has them could start a gateway of his own; from elsewhere (which
// needs TLS) an operator's credential as well, which is checked without the vault. One attempt at a
// time, and none within a second after a wrong one: 429.
//
// Thread safe. open() and close() wait for the handlers that run.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "proxy/admin/admin_message.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/admin/authenticate.h"
#include "proxy/admin/first_credentials.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {

struct SealState {
  bool sealed = true;
  bool present = true;  // false: unsealed, but what holds the root key was taken away
  std::string method;   // "passphrase", "shares", ...
  std::uint32_t given = 0;
  std::uint32_t needed = 0;
};

// What the gateway does when it is asked through the gate. One call at a time.
class SealControl {
 public:
  virtual ~SealControl() = default;
  virtual SealState seal_state() = 0;
  // One secret, or none: then whatever needs no person is tried. The kinds of UnsealProvider::give;
  // configuration, data: the keys are right and the gateway cannot work with them.
  virtual crypto::Result<SealState> unseal(const crypto::SecretBytes* secret,
                                           const std::string& who) = 0;
  // False: it is sealed, but that could not be put on record.
  virtual crypto::Result<bool> seal(const Operator& who) = 0;
};

class SealGate final : public AdminHandler {
 public:
  // What it answers itself, sealed or not; everything else is the API's behind it.
  static constexpr std::array<std::string_view, 2> kServed{"POST /v1/unseal", "POST /v1/seal"};

  // All must outlive it. `metrics` gives the text of /metrics while sealed.
  SealGate(const Operators& operators, FirstCredentials& first, SealControl& control,
           std::function<std::string()> metrics)
      : operators_(operators), first_(first), control_(control), metrics_(std::move(metrics)) {}

  AdminResponse handle(const AdminRequest& request) override;

  // REQUIRES: it is closed. Takes no lock: whoever opens holds locks that handlers wait for. Both
  // must live until close() has returned; `logs`: null, nothing of the gate's own goes on record.
  void open(AdminHandler& api, AuditLogs* logs);
  // Waits for the handlers that run; so the caller must hold no lock that one of them may wait for.
  void close();
  // Between two looks whoever may open it decides.
  bool is_open() const noexcept { return api_ != nullptr; }
  // Whether what holds the root key is there.
  void set_present(bool present) { present_ = present; }

  void begin_drain() { draining_ = true; }

 private:
  AdminResponse unseal(const AdminRequest& request);
  AdminResponse seal(const AdminRequest& request);
  AdminResponse while_sealed(const AdminRequest& request);
  // Who asks; else `answer` is what to answer. `logs`: those of the open vault; null: it is sealed.
  std::optional<Operator> let_in(const AdminRequest& request, bool admin_only, AuditLogs* logs,
                                 AdminResponse& answer,
                                 FirstUse first_use = FirstUse::durable) const;
  // The same, sealed or open. REQUIRES: mutex_ is not held.
  std::optional<Operator> let_in_now(const AdminRequest& request, bool admin_only,
                                     AdminResponse& answer, FirstUse first_use = FirstUse::durable);
  void keep_out_when_closed(AdminResponse& answer);

  const Operators& operators_;
  FirstCredentials& first_;
  SealControl& control_;
  std::function<std::string()> metrics_;
  std::shared_mutex mutex_;  // shared by every handler that runs: api_ stays what it was
  std::atomic<AdminHandler*> api_{nullptr};
  std::atomic<AuditLogs*> logs_{nullptr};  // there as long as api_ is
  std::atomic<std::uint64_t> opened_{0};   // how often: an answer that is longer than that ends
  std::mutex attempt_;                     // one change at a time
  std::chrono::steady_clock::time_point not_before_;
  std::atomic<bool> present_{true};
  std::atomic<bool> draining_{false};
};

// The body of POST /v1/unseal: {} or exactly one of passphrase, pin and share, a text. nullopt in
// the optional: {}. ErrorKind::malformed for anything else. No copy of the secret is left behind.
crypto::Result<std::optional<crypto::SecretBytes>> parse_unseal_request(std::string_view body);

}  // namespace paravent::proxy::admin
