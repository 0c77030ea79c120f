// What the files of the way back share: context rows by key id, copied out with their key. Private
// to reverse*.cc; the include rules of reverse.h apply. REQUIRES everywhere: the catalogue's lock
// is held.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/context_row.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/reverse/reverse.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

// The one answer to whatever is unknown, foreign, gone or altered.
inline Error unavailable() noexcept { return Error(ErrorKind::refused); }

// The name behind an id, as it is now; empty when there is none.
std::string name_of(const NameRegistry& names, std::string_view raw_id);

// The context row of a key id, and when its parent key was made, if it has one. Borrowed from the
// catalogue.
struct Opened {
  const ContextRecord* record = nullptr;
  WallTime made;

  const ContextRow& row() const noexcept { return record->row; }
};

// unavailable(): unknown, of another algorithm, or its key is destroyed, disabled or compromised.
Result<Opened> context_of(const Catalogue& catalogue, std::uint32_t key_id, Algorithm algorithm);

// Whether this key would open again if it, or what is above it, were enabled or overridden. False
// for one in use, one that is destroyed and one that nobody has.
bool is_out_of_use(const KeyTree& keys, const Id& id);

// A stored row, with the id that it lies under.
struct Fetched {
  Id id{};
  std::string bytes;
};

// unavailable(): there is none; unreachable: the store cannot be read. Looks the row up whatever
// the key id is, so that an unknown key id and an unknown id take the same steps. REQUIRES no lock.
Result<Fetched> fetch(TokenStore& store, const Id& id);

// REQUIRES: a vault token.
Id id_of(const ParsedToken& token);
// Of a token that is not the asker's: an id under which there is no row, since ids are random.
Id id_to_ask_for(Id id, bool own);

// A normaliser's id is kind * 256 + version of its rules.
std::optional<Kind> kind_of(const ContextRow& row);

void describe_context(const NameRegistry& names, const ContextRow& row, TokenDescription& out);

}  // namespace paravent::crypto::vault
