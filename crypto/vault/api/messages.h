// What the data path and the vault say to each other: plain data, no keys of other slots, no
// inverse.
//
// The data path names what it will need (ContextSpec) when a policy is loaded and receives
// bindings; per request it sends at most one ResolveBatch. The vault may live in this process or
// another.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/epoch.h"
#include "crypto/keys/protection_key.h"
#include "crypto/keys/scope.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/shape.h"
#include "crypto/tokens/subject_layer.h"

namespace paravent::crypto::vault {

// One protection context that a policy's rules need, by names. Rules with equal specs share it.
// scope: only vault tokens and pseudonyms have another one than person, because a stateless
// reversible value must open from its row. overlap_seconds: how long a pseudonym's epoch goes on
// being answered beside the next one. public_key: of sealed values, the recipient's raw X25519 key.
// subject_bound: of vault tokens, that each value is one data subject's (of encrypted values the
// algorithm says so). Of a subject_reference only purpose and kind count.
struct ContextSpec {
  std::string domain;
  std::string purpose;
  std::string space;
  Kind kind = Kind::text;
  Algorithm algorithm = Algorithm::encrypted;  // vault_token, derived, pseudonym or encrypted
  EpochLength epoch = EpochLength::none;
  Scope scope = Scope::person;
  std::uint32_t overlap_seconds = 0;
  Bytes public_key{};
  bool subject_bound = false;
  bool operator==(const ContextSpec&) const = default;
};

// What the vault answers for one ContextSpec: the key to protect with, until the epoch ends (or,
// with `previous`, the overlap does: then bind again). For vault tokens `key.key_id` goes into the
// token text (`key.key` is empty), and `seal_key_id` names the context row under which new rows are
// sealed.
struct Binding {
  ProtectionKey key;
  std::uint32_t seal_key_id = 0;
  WallTime valid_until;
  std::optional<ProtectionKey> previous{};  // of the epoch before, while the two overlap
  // False: the key is disabled, compromised, or its tenant is destroyed. Then there is no key here,
  // and what needs it is refused as sealed, never let through.
  bool available = true;
};

// The longest text that a vault token takes in a shape of its own (a UUID).
inline constexpr std::size_t kMaxShapedSize = 36;

struct MintJob {
  std::uint32_t key_id = 0;       // of the binding
  std::uint32_t seal_key_id = 0;  // of the binding
  Kind kind = Kind::text;
  std::uint32_t begin = 0;  // the normalised value, as a range of ResolveBatch::values
  std::uint32_t end = 0;
  Scope scope = Scope::person;  // of the binding's spec
  ScopeId scope_id{};           // which relationship or request; all zero only for person
  Shape shape = Shape::none;    // phone to alphanumeric are texts of their own, see shaped_text
  std::uint8_t length = 0;      // of digits and alphanumeric; 0: the shape's default
  bool only_new = false;        // a row that is there is answered, and stays as it is

  // Answers: the vault token's id; and for a shape that is a text of its own, that text, which is
  // the same whenever this value is asked for in this shape, and in its domain nobody else's.
  std::array<std::uint8_t, 16> id{};
  std::array<char, kMaxShapedSize> shaped{};
  std::uint8_t shaped_size = 0;
  bool minted = false;  // the row was made for this job and for no other

  std::string_view shaped_text() const noexcept { return {shaped.data(), shaped_size}; }
};

// Whether a vault token that came back is one of this binding's: its context row is the binding's
// (tenant, domain, space and scope), and its row is there and still opens. Yes or no, and nothing
// about the value.
struct ConfirmJob {
  std::uint32_t key_id = 0;        // of the binding
  std::uint32_t token_key_id = 0;  // in the token's text
  std::array<std::uint8_t, 16> id{};

  bool known = false;  // the answer
};

// What tells a person may have so many bytes.
inline constexpr std::size_t kMaxSubjectValue = 4096;

// Whose request this is: the one question about a data subject that a batch may ask. Answered
// before its jobs, whose bound values all are this subject's.
struct SubjectQuestion {
  std::uint32_t key_id = 0;  // of the binding of the algorithm subject_reference
  // The normalised value that tells the person, as a range of ResolveBatch::values. Empty: nobody
  // knows who it is, and a fresh subject stands for this request alone.
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool needs_key = false;         // something will lie under the subject's key for this purpose
  bool stop_if_objected = false;  // then nothing is made and no job is answered

  // Answers. The seal is there when a key was needed; a subject that was not known is made then.
  bool restricted = false;
  bool objected = false;
  SubjectSeal seal;
};

enum class ResolveStatus : std::uint8_t { pending, ok, sealed, store_unavailable, overloaded };

// One request's questions: at least one job, one confirmation or a subject. Where a confirmation is
// answered no, nothing is made and no job is answered. Owned jointly by the asking transaction
// and the vault, so that either may give up first; clear values are wiped when the last of them
// lets go.
struct ResolveBatch {
  ResolveBatch() = default;
  ResolveBatch(const ResolveBatch&) = delete;
  ResolveBatch& operator=(const ResolveBatch&) = delete;
  ~ResolveBatch() { wipe(values); }

  std::string_view value(const MintJob& job) const noexcept {
    return std::string_view(values).substr(job.begin, job.end - job.begin);
  }

  std::vector<MintJob> jobs;
  std::vector<ConfirmJob> confirms;
  std::optional<SubjectQuestion> subject;
  std::string values;
  ResolveStatus status = ResolveStatus::pending;
  // Called exactly once, on a thread of the vault, after jobs and status are final.
  std::function<void()> done;
};

// The vault as the data path sees it: mint or find tokens, nothing else. Thread safe; never blocks.
class TokenVault {
 public:
  virtual ~TokenVault() = default;

  // Answers at once from memory, when every token that the batch asks for is known and its use says
  // nothing that would have to be stored: true, and the ids and status are final. False: nothing
  // has happened; resolve() it. `done` is not called either way.
  virtual bool answer_known(ResolveBatch& /*batch*/) { return false; }

  virtual void resolve(std::shared_ptr<ResolveBatch> batch) = 0;
};

}  // namespace paravent::crypto::vault
