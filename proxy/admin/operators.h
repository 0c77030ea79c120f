// Operators: who may ask, and the only thing kept of what proves it: hashes.
//
// DATA/operators/operators (mode 0600), in the form of operators_file.h. A credential is 32 random
// bytes in text; 256 bits need no slow hash, so SHA-256 of the text is kept and compared in
// constant time over all operators. The tenant is empty until the first policy is loaded; the two
// operators of init then join its tenant. Thread safe: changes are durable when the call returns,
// and the next request is judged by them.
//
// Time here never goes back: a clock that is set back neither revives a credential nor unlocks a
// login.

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "proxy/admin/grants/cases.h"
#include "proxy/admin/oidc/revocations.h"
#include "proxy/admin/operators/failed_attempts.h"
#include "proxy/admin/operators/operator_record.h"
#include "proxy/admin/operators/sessions.h"
#include "proxy/admin/operators/wrong_credentials.h"

namespace paravent::proxy::admin {

// What stands for the id of a credential where a certificate was shown.
inline constexpr std::string_view kCertificate = "certificate";

// Who asks, as the credential of this request says.
struct Operator {
  std::string name;
  crypto::vault::Id tenant{};  // kNoId: none yet
  std::string role;
  CredentialScope scope;
  std::string credential{};  // its id (credential_id), or kCertificate
};

class Operators {
 public:
  // An empty list where the file does not exist yet. `installation`: whose a new list is; kNoId to
  // look at one that is there. ErrorKind::data: altered, unreadable, or of a newer version. `clock`
  // must outlive it; nullptr: the system's.
  static crypto::Result<std::unique_ptr<Operators>> open(const std::filesystem::path& folder,
                                                         const crypto::vault::Id& installation,
                                                         const crypto::Clock* clock = nullptr);
  // Once it is certain whose data this is. A list of a version before, which names nobody, names
  // this one from then on. ErrorKind::data: the list is another installation's.
  crypto::Status belong_to(const crypto::vault::Id& installation);
  // For tests and explain: nothing on disk.
  static std::unique_ptr<Operators> in_memory(const crypto::Clock* clock = nullptr);

  // An operator that nobody keeps yet: what would be kept, and the credential, which exists nowhere
  // else.
  struct Made {
    OperatorRecord kept;
    crypto::SecretBytes credential;
  };
  // ErrorKind::usage: a name or role of another form, or a name that is taken.
  crypto::Result<Made> make(std::string_view name, std::string_view role,
                            const crypto::vault::Id& tenant) const;
  // Keeps operators, all in one durable step. A credential has to be in somebody's hands before:
  // afterwards it cannot be made again. ErrorKind::usage: a name that is taken.
  crypto::Status keep(const std::vector<OperatorRecord>& made);
  // Both at once; the caller hands the credential on.
  crypto::Result<crypto::SecretBytes> add(std::string_view name, std::string_view role,
                                          const crypto::vault::Id& tenant);

  // Gives every operator without a tenant this one.
  crypto::Status join_tenant(const crypto::vault::Id& tenant);

  // Changes one operator, durably, unless `edit` answers an error, which is then the answer; or
  // keeps nothing where `edit` left all as it was. ErrorKind::refused without a sentence: nobody of
  // that name; refused with one: the last admin would be without a credential.
  using Edit = std::function<crypto::Status(OperatorRecord&)>;
  crypto::Status change(std::string_view name, const Edit& edit);

  // Writes the list once more as it is: what takes as long as a change, where nothing changes.
  crypto::Status write_again();

  // Takes the same time for every credential that nobody has.
  std::optional<Operator> authenticate(std::string_view credential) const;

  // The operator of that name, for one who proved it otherwise; none that is revoked.
  std::optional<Operator> named(std::string_view name) const;

  // In the order in which they were made.
  std::vector<OperatorRecord> list() const;
  std::optional<OperatorRecord> find(std::string_view name) const;
  std::size_t size() const;

  Sessions& sessions() const { return sessions_; }
  // What operators asked of each other; in the same folder.
  Cases& cases() const { return *cases_; }
  // Subjects of other issuers that are shut out; in the same folder.
  OidcRevocations& oidc_revocations() const { return *oidc_revocations_; }
  // Of logins under names that nobody has, and of wrong credentials; in the same folder.
  FailedAttempts& failed_attempts() const { return *failed_attempts_; }
  // The one count of them, for every door.
  WrongCredentials& wrong_credentials() const { return *wrong_credentials_; }
  // Somebody has said that the clock is right: what the list dates later was dated by one that ran
  // ahead, and is dated now. Whoever logged in meanwhile logs in again. Durable when it returns.
  crypto::Status date_back();
  // What the clock says now, even where that was later before.
  crypto::WallTime clock_time() const { return clock_->now(); }
  // The present, or the latest that was ever seen here.
  crypto::WallTime now() const;

 private:
  Operators(std::filesystem::path file, const crypto::vault::Id& installation,
            const crypto::Clock* clock)
      : file_(std::move(file)),
        installation_(installation),
        clock_(clock != nullptr ? clock : &system_) {}
  crypto::Status save(const std::vector<OperatorRecord>& list) const;
  crypto::WallTime now_locked() const;

  std::filesystem::path file_;  // empty: in memory
  crypto::vault::Id installation_{};
  bool names_nobody_ = false;  // in the file
  crypto::SystemClock system_;
  const crypto::Clock* clock_;
  mutable std::mutex mutex_;
  mutable crypto::WallTime latest_{};
  std::vector<OperatorRecord> list_;
  mutable Sessions sessions_;
  std::unique_ptr<Cases> cases_;                         // never null
  std::unique_ptr<OidcRevocations> oidc_revocations_;    // never null
  std::unique_ptr<FailedAttempts> failed_attempts_;      // never null
  std::unique_ptr<WrongCredentials> wrong_credentials_;  // never null
};

}  // namespace paravent::proxy::admin
