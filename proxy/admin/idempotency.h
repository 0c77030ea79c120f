// Idempotency-Key: a change that is sent twice, because its answer was lost, happens once (the
// IETF HTTPAPI draft "The Idempotency-Key HTTP Header Field").
//
// Stands in front of the API. A caller is an operator who may ask now, whatever credential proves
// it this time; whoever may not is the API's to answer, and nothing of that is kept. The same key
// of the same caller with the same request gets the same answer again; with another request 422;
// while the first is under way 409. Answers are kept for an hour, in locked memory, at most 1000; a
// restart forgets them. Only changes: what gives out values is never kept; what makes a credential
// is, for the one who made it, since a lost answer is a lost credential. Thread safe.

#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "crypto/base/clock.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/sha256.h"
#include "proxy/admin/admin_message.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostKeptAnswers = 1000;
inline constexpr std::chrono::hours kAnswerLife{1};
inline constexpr std::size_t kMaxIdempotencyKey = 128;

class IdempotentHandler final : public AdminHandler {
 public:
  // Who asks, if they may now; nullopt: nobody who has answers here. Any thread.
  using CallerOf = std::function<std::optional<std::string>(const AdminRequest&)>;

  // The first two must outlive it.
  IdempotentHandler(AdminHandler& inner, const crypto::Clock& clock, CallerOf caller_of)
      : inner_(inner), clock_(clock), caller_of_(std::move(caller_of)) {}

  AdminResponse handle(const AdminRequest& request) override;

 private:
  struct Kept {
    crypto::Sha256Digest request{};
    bool done = false;
    crypto::WallTime at;
    std::uint16_t status = 0;
    std::string content_type;
    crypto::SecretBytes body;
  };

  AdminResponse replay(const Kept& kept, const crypto::Sha256Digest& request) const;
  // REQUIRES: mutex_ is held. False: there is no room.
  bool make_room(crypto::WallTime now);

  AdminHandler& inner_;
  const crypto::Clock& clock_;
  CallerOf caller_of_;
  std::mutex mutex_;  // guards what follows
  std::map<crypto::Sha256Digest, Kept> kept_;
  std::list<crypto::Sha256Digest> order_;  // oldest first
};

}  // namespace paravent::proxy::admin
