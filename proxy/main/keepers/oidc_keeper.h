// OidcKeeper: gets the keys of the issuers and renews them, on a thread of its own, so that no
// request ever waits for an issuer.
//
// A set is read again every `refresh-seconds`, sooner when a credential names an unknown key, but
// for that never within `pause` of the last look, whoever asks. Whoever has waited longest is next,
// so that issuers that hang keep nobody else from their turn. What fails is tried again after a
// time that doubles, is said once on standard error and counted; when nothing could be read the
// last good set stays until the desk finds it too old. What an issuer has withdrawn goes at once;
// a key that is new is used once it is on record. The desk must outlive it.

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/result.h"
#include "proxy/admin/oidc/oidc_desk.h"
#include "proxy/admin/oidc/revocations.h"
#include "proxy/config/oidc_config.h"
#include "proxy/main/installation/policy_set.h"

namespace paravent::proxy::main {

// The issuers in the words of the desk.
std::vector<admin::OidcIssuer> issuers_of(const std::vector<config::OidcIssuerConfig>& configs);

// One line on standard error for each issuer that a policy names and the gateway file does not.
void warn_of_unknown_issuers(const PolicySet& set,
                             const std::vector<config::OidcIssuerConfig>& configs);

// One line on standard error for each issuer of which subjects are shut out and which is not
// configured: under another name its subjects come in again.
void warn_of_unknown_revocations(const admin::RevokedSubjects& revoked,
                                 const std::vector<config::OidcIssuerConfig>& configs);

class OidcKeeper {
 public:
  static constexpr std::chrono::milliseconds kPause{60'000};

  // Puts on record that from now on these are the issuer's keys; false: it cannot, now. Called on
  // whichever thread looks, for every set that is read.
  using Record = std::function<bool(std::size_t issuer, const admin::KeyNames& keys)>;
  // The same of a set that has become too old to be used, once for each time that it does.
  using TooOld = std::function<bool(std::size_t issuer)>;

  // Reads the files before it returns. ErrorKind::configuration: one that cannot be used; what
  // comes from a URL may be away for now, and is asked for in the background.
  // REQUIRES: desk.issuers() are issuers_of(configs).
  static crypto::Result<std::unique_ptr<OidcKeeper>> start(
      std::vector<config::OidcIssuerConfig> configs, admin::OidcDesk& desk,
      std::chrono::milliseconds pause = kPause, Record record = {}, TooOld too_old = {});
  // The same in two steps: what is read from files, and the thread. Nothing is looked at in the
  // background before begin().
  static crypto::Result<std::unique_ptr<OidcKeeper>> make(
      std::vector<config::OidcIssuerConfig> configs, admin::OidcDesk& desk,
      std::chrono::milliseconds pause, Record record, TooOld too_old = {});
  void begin();
  // Looks at every issuer anew, in the background.
  void read_again();
  ~OidcKeeper();
  OidcKeeper(const OidcKeeper&) = delete;
  OidcKeeper& operator=(const OidcKeeper&) = delete;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Turn {
    Time last;  // look at the issuer
    Time next;
    unsigned failures = 0;  // in a row
    bool wished = false;
    bool again = false;  // asked for by a reload, perhaps while a look was under way
  };

  OidcKeeper(std::vector<config::OidcIssuerConfig> configs, admin::OidcDesk& desk,
             std::chrono::milliseconds pause, Record record, TooOld too_old);
  void run();
  // Tells of sets that have become too old; when to come again. On the keeper's thread.
  Time tell_of_age();
  // Looks once. The turn's times are set from when it is over.
  crypto::Status look(std::size_t issuer);
  void look_and_plan(std::size_t issuer);

  std::vector<config::OidcIssuerConfig> configs_;
  admin::OidcDesk& desk_;
  std::chrono::milliseconds pause_;
  Record record_;                   // may be empty
  TooOld too_old_;                  // may be empty
  std::vector<bool> told_too_old_;  // of the keeper's thread
  std::mutex mutex_;                // guards what follows
  std::condition_variable wakes_;
  bool stopping_ = false;
  std::vector<Turn> turns_;
  std::thread thread_;
};

}  // namespace paravent::proxy::main
