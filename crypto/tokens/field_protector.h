// FieldProtector: turns normalised clear values into derived tokens, pseudonyms and encrypted
// values. It protects and never does the inverse: no function here, and no key that it keeps behind
// one, opens anything.
//
// Built from the protection keys of one snapshot, one slot per key, in the plan's order. Owned by
// one worker thread: the kept cipher contexts are not thread safe. No heap allocation per call once
// `out` has its capacity. Constructions: docs/token-format.md.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/random.h"
#include "crypto/tokens/kind.h"

namespace paravent::crypto {

class FieldProtector {
 public:
  // Slots of algorithm vault_token are accepted and stay unused here: their tokens come from the
  // vault.
  static Result<std::unique_ptr<FieldProtector>> create(std::span<const ProtectionKey> slots);
  // The same with another source of nonces: for known answers in tests.
  static Result<std::unique_ptr<FieldProtector>> create(std::span<const ProtectionKey> slots,
                                                        std::unique_ptr<RandomSource> random);
  ~FieldProtector();
  FieldProtector(const FieldProtector&) = delete;
  FieldProtector& operator=(const FieldProtector&) = delete;

  // Appends the token text of `value` under the slot's key and algorithm. `value` is what
  // normalise() gave (or the trimmed bytes under protect-raw). Fails with malformed when the value
  // is empty or longer than the construction allows (derived: 506 bytes, which fill bucket 512;
  // pseudonym: 65 535; encrypted: 1 MiB). REQUIRES: slot < number of slots, and its algorithm is
  // not vault_token.
  Status protect(std::uint32_t slot, Kind kind, std::string_view value, std::string& out);

 private:
  struct Slot;
  struct State;
  explicit FieldProtector(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace paravent::crypto
