// FieldProtector: turns normalised clear values into everything that is made without the vault:
// derived tokens, pseudonyms, encrypted and sealed values, addresses and values of preserved form.
// It protects and never does the inverse: no function here, and no key that it keeps behind one,
// opens anything.
//
// Built from the protection keys of one snapshot, one slot per key, in the plan's order. Owned by
// one worker thread: the kept cipher contexts are not thread safe. No heap allocation per call once
// `out` has its capacity. Constructions: docs/token-format.md; one file per algorithm: *_slot.h.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/random.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/protect_form.h"

namespace paravent::crypto {

// Where nonces and the age of content keys come from; a null pointer stands for the real thing.
struct ProtectorSources {
  std::unique_ptr<RandomSource> random;
  std::unique_ptr<MonotonicClock> clock;
};

class FieldProtector {
 public:
  // Slots of the algorithms vault_token and subject_reference are accepted and stay unused here:
  // their answers come from the vault. `previous` is empty or has one entry per slot: the key of
  // the epoch before, while that one still overlaps. ErrorKind::usage: a key that does not fit its
  // algorithm, or a previous key of another algorithm than its slot's.
  static Result<std::unique_ptr<FieldProtector>> create(
      std::span<const ProtectionKey> slots,
      std::span<const std::optional<ProtectionKey>> previous = {}, ProtectorSources sources = {});
  ~FieldProtector();
  FieldProtector(const FieldProtector&) = delete;
  FieldProtector& operator=(const FieldProtector&) = delete;

  // Appends what stands for `value` under the slot's key and algorithm, in the given form. `value`
  // is what normalise() gave (or the trimmed bytes under protect-raw). `out` is as it was after a
  // failure: malformed when the value is empty, longer than the construction allows (derived: 506
  // bytes, which fill bucket 512; pseudonym: 65 535; preserved: 512; encrypted and sealed: 1 MiB),
  // or not what the algorithm works on (an address, enough digits); usage when the algorithm has no
  // such form. REQUIRES: slot < number of slots, and its algorithm is neither vault_token nor
  // subject_reference; the form names a subject exactly where it is encrypted_subject.
  Status protect(std::uint32_t slot, const ProtectForm& form, std::string_view value,
                 std::string& out);
  // The plain form of a kind.
  Status protect(std::uint32_t slot, Kind kind, std::string_view value, std::string& out) {
    return protect(slot, ProtectForm{.kind = kind}, value, out);
  }

  // Whether the key of the epoch before is still there for this slot.
  bool has_previous(std::uint32_t slot) const noexcept;
  // As protect, under that key. REQUIRES: has_previous(slot).
  Status protect_previous(std::uint32_t slot, const ProtectForm& form, std::string_view value,
                          std::string& out);

  // 64 bits that are uniform to whoever has no key, the same for equal values, and joined to no
  // pseudonym: by how much a person's dates are shifted. ErrorKind::malformed as above.
  // REQUIRES: the slot's algorithm is pseudonym.
  Result<std::uint64_t> keyed_number(std::uint32_t slot, std::string_view value);

  // Erases what may be kept only for a while and whose while is over: content keys of sealed
  // values. For the worker's timer, every second or so; cheap.
  void erase_old_keys() noexcept;

 private:
  struct State;
  explicit FieldProtector(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace paravent::crypto
