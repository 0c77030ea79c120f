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

// A normaliser's id is kind * 256 + version of its rules.
std::optional<Kind> kind_of(const ContextRow& row);

void describe_context(const NameRegistry& names, const ContextRow& row, TokenDescription& out);

}  // namespace paravent::crypto::vault
