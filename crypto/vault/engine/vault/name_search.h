// NameSearch: finds the shaped texts of rows, attempt by attempt, many at once, so that a round of
// batches costs one look-up however many texts it asks for (and one more per collision).

#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/vault/shape_key.h"

namespace paravent::crypto::vault {

enum class NameState : std::uint8_t {
  searching,
  ours,       // the store holds it for our row
  free,       // nobody has it: to be written with the row
  exhausted,  // every attempt is somebody else's
};

// One row in one shape.
struct ShapedName {
  const ShapeKey* key = nullptr;
  Shape shape = Shape::none;
  std::uint8_t length = 0;
  Id id{};

  NameState state = NameState::searching;
  std::uint8_t attempt = 0;
  std::string text;  // of this attempt
  AliasKey alias{};

  // Hands the text to the job that asked for it.
  void give(MintJob& job) const noexcept;
};

// Takes every name that is `searching` to its end. `claimed`: what the caller has already promised
// to others and not yet written; what is found free is added. Fails as TokenStore::find_aliases.
Status search_names(TokenStore& store, std::span<ShapedName> names, std::set<AliasKey>& claimed);

}  // namespace paravent::crypto::vault
