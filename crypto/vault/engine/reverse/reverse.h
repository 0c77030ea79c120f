// The way back: what a surrogate is, and what is behind it. Only crypto/reveal (and main, which
// hands the vault to it) may include this header; tests/hygiene reads the includes.
//
// describe() opens no value. open_value() asks for an OpeningPermit, which only the Reidentifier
// can make, after authentication, decision and a durable audit entry (DESIGN 4). Thread safe, as
// the vault.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/epoch.h"
#include "crypto/keys/protection_key.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/rows/bound_sealer.h"
#include "crypto/vault/engine/subjects/key_memo.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::reveal {
class Reidentifier;
}

namespace paravent::crypto::vault {

// A surrogate whose text names no key: an FF1 value, or an address literal. Which row it belongs to
// is what find_bare() made of the policy's word; nothing in the text can confirm it.
struct BareValue {
  std::uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::format_preserving;
  std::string text;
};

// The right to open one value, made by nobody else.
class OpeningPermit {
 public:
  OpeningPermit(OpeningPermit&&) noexcept = default;
  OpeningPermit& operator=(OpeningPermit&&) noexcept = default;
  OpeningPermit(const OpeningPermit&) = delete;
  OpeningPermit& operator=(const OpeningPermit&) = delete;

 private:
  friend class paravent::crypto::reveal::Reidentifier;
  OpeningPermit() noexcept {}  // not defaulted: that would let anybody write OpeningPermit{}
};

// One legal purpose that a value was collected for, and its clock: days, UTC, as WallTime of
// midnight.
// of_person: of values bound to a subject. event: of those, when the contract ended or the case was
// closed. identified: false for a subject that nobody can find again, whose values count from
// collection.
struct PurposeClock {
  Id id{};
  std::string name;
  WallTime created;
  WallTime last_contact;
  std::optional<WallTime> event{};
  bool of_person = false;
  bool identified = true;
};

struct TokenDescription {
  std::uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::vault_token;
  Kind kind = Kind::text;
  Id tenant_id{};
  std::string tenant;
  std::string domain;
  std::string space;
  // A vault token has one or more. Everything else has exactly one, whose clock is the beginning of
  // the key's epoch (or the making of the key, when the epoch is none): never later than the
  // collection. A sealed value without an epoch has no such time, and stands at today.
  std::vector<PurposeClock> purposes;
  Epoch epoch;  // of the key that opens the value
  std::optional<SubjectReference> subject;
  bool restricted = false;  // by the subject's request: kept, and not revealed (GDPR 18)
  bool reversible = false;  // false: pseudonym, and sealed, which only the recipient opens
  bool verified = true;     // false: no integrity, so an altered text opens to some other value
};

class ReverseVault {
 public:
  // The vault must outlive it.
  explicit ReverseVault(Vault& vault) noexcept : vault_(vault) {}

  // The vault tokens that a shaped text may stand for: of this tenant, at most one per domain, in
  // no order. ErrorKind::malformed: no shape has such a text; refused without a sentence: nobody
  // has it; unreachable: the store cannot be read. Opens nothing, and says nothing about the value.
  Result<std::vector<ParsedToken>> find_shaped(const Id& tenant, std::string_view text) const;

  // The same where nothing may be said of somebody who is only not found now: no tokens where
  // nobody has the text. `may_be_hidden`: a domain's key is out of use, and its texts were not
  // looked for.
  struct ShapedTokens {
    std::vector<ParsedToken> tokens;
    bool may_be_hidden = false;
  };
  // ErrorKind::malformed, unreachable.
  Result<ShapedTokens> look_for_shaped(const Id& tenant, std::string_view text) const;

  // The subject that a value belongs to, whether or not the key of the subject is disabled.
  // ErrorKind::refused without a sentence: unknown, foreign, gone, or nobody's; sealed: a key that
  // would tell is out of use, and not destroyed; unreachable: the store cannot be read.
  Result<Id> owner_of(const Id& tenant, const ParsedToken& token) const;

  // The row that a surrogate without a key id belongs to, by what the policy says of its field and
  // when it was made. Makes no row. ErrorKind::refused without a sentence: there is none;
  // malformed: not an algorithm whose texts name no key.
  Result<BareValue> find_bare(const Id& tenant, const ContextSpec& spec, std::string_view text,
                              WallTime as_of) const;

  // ErrorKind::refused without a sentence: unknown, foreign, erased or expired, in one manner;
  // unreachable: the store cannot be read.
  // The same for whoever asks: a key id of another tenant than `asker` is one that nobody has
  // (tenant_contexts.h), and a token under it takes, step by step, the way of one under a key id of
  // `asker` that nobody has. `memo`: keys that the same request has opened already, and will.
  Result<TokenDescription> describe(const ParsedToken& token, const Id& asker, KeyMemo& memo) const;
  Result<TokenDescription> describe(const ParsedToken& token) const;
  Result<TokenDescription> describe(const BareValue& value) const;

  // The clear value as it was normalised. ErrorKind::refused without a sentence: all of the above,
  // a pseudonym, a sealed value, any altered bit of token or row, and a text that the algorithm
  // could not have written; unreachable: the store cannot be read. `purpose`: for which the opening
  // was decided; a vault token that belongs to a subject holds its value once for each.
  Result<SecretBytes> open_value(const ParsedToken& token, std::string_view purpose, KeyMemo& memo,
                                 OpeningPermit permit) const;
  Result<SecretBytes> open_value(const ParsedToken& token, std::string_view purpose,
                                 OpeningPermit permit) const;
  Result<SecretBytes> open_value(const BareValue& value, OpeningPermit permit) const;

 private:
  // A key, borrowed from a memo, with the kind of the values under it.
  struct KindKey {
    const ProtectionKey* key = nullptr;
    std::optional<Kind> kind;
  };
  Result<SecretBytes> open_stored(const ParsedToken& token, std::string_view purpose,
                                  KeyMemo& memo) const;
  // Of values that belong to a data subject (reverse_subject.cc).
  Status describe_bound(const BoundRow& row, const Id& id, KeyMemo& memo,
                        TokenDescription& out) const;
  Result<TokenDescription> describe_encrypted_subject(const ParsedToken& token,
                                                      KeyMemo& memo) const;
  Result<Id> owner_of_stored(const Id& tenant, const ParsedToken& token, bool own) const;
  Result<SecretBytes> open_bound(const BoundRow& row, const Id& id, std::string_view purpose,
                                 KeyMemo& memo) const;
  Result<SecretBytes> open_encrypted_subject(const ParsedToken& token, KeyMemo& memo) const;
  Result<SecretBytes> open_layer(const SubjectLayer& layer, const std::string& ctx,
                                 KeyMemo& memo) const;
  // `key_id`: of the context row that is looked at; the token's own, or a stand-in of a token that
  // is not the asker's.
  Result<TokenDescription> describe_stored(const ParsedToken& token, const Id& id,
                                           std::uint32_t key_id, KeyMemo& memo) const;
  Result<KindKey> key_of(std::uint32_t key_id, Algorithm algorithm, KeyMemo& memo) const;

  Vault& vault_;
};

}  // namespace paravent::crypto::vault
