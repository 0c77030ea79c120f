#include "crypto/tokens/field_protector.h"

#include <cstdlib>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/coarse_clock.h"
#include "crypto/base/secret_arena.h"
#include "crypto/tokens/address_slot.h"
#include "crypto/tokens/content_key.h"
#include "crypto/tokens/derived_slot.h"
#include "crypto/tokens/encrypted_slot.h"
#include "crypto/tokens/preserved_slot.h"
#include "crypto/tokens/protector_tools.h"
#include "crypto/tokens/pseudonym_slot.h"
#include "crypto/tokens/sealed_slot.h"
#include "crypto/tokens/subject_slot.h"

namespace paravent::crypto {
namespace {

// monostate: vault tokens in `slots`, no key in `previous`.
using Slot = std::variant<std::monostate, DerivedSlot, PseudonymSlot, EncryptedSlot, AddressSlot,
                          PreservedSlot, SealedSlot, SealedSingleSlot, SubjectSlot>;

template <typename Made>
Result<Slot> as_slot(Result<Made> made) {
  if (!made) return made.error();
  return Slot(std::move(*made));
}

Status protect_with(Slot& slot, const ProtectForm& form, std::string_view value,
                    ProtectorTools& tools, std::string& out) {
  if (value.empty()) return Error(ErrorKind::malformed);
  return std::visit(
      [&](auto& held) -> Status {
        if constexpr (std::is_same_v<decltype(held), std::monostate&>) {
          std::abort();
        } else {
          return held.protect(form, value, tools, out);
        }
      },
      slot);
}

}  // namespace

struct FieldProtector::State {
  Result<Slot> make_slot(const ProtectionKey& key);
  Result<SealedSlot> make_sealed(const ProtectionKey& key);

  ProtectorTools tools;
  // Slots hold states that keys were absorbed into: they lie where keys lie.
  std::vector<Slot, SecretAllocator<Slot>> slots;
  std::vector<Slot, SecretAllocator<Slot>> previous;  // empty, or as long as `slots`
  // One per recipient; slots point at them.
  std::deque<ContentKey, SecretAllocator<ContentKey>> content_keys;
};

Result<SealedSlot> FieldProtector::State::make_sealed(const ProtectionKey& key) {
  for (ContentKey& held : content_keys) {
    if (equal_constant_time(held.public_key(), key.public_key)) {
      return SealedSlot::create(key, held);
    }
  }
  auto made = ContentKey::create(key.public_key);
  if (!made) return made.error();
  content_keys.push_back(std::move(*made));
  return SealedSlot::create(key, content_keys.back());
}

Result<Slot> FieldProtector::State::make_slot(const ProtectionKey& key) {
  constexpr std::size_t kMaxContext = 65535;  // LP; real ones are around 120 bytes
  if (key.algorithm == Algorithm::vault_token || key.algorithm == Algorithm::subject_reference) {
    return Slot();
  }
  if (key.ctx.empty() || key.ctx.size() > kMaxContext) return Error(ErrorKind::usage);
  switch (key.algorithm) {
    case Algorithm::derived:
      return as_slot(DerivedSlot::create(key));
    case Algorithm::pseudonym:
      return as_slot(PseudonymSlot::create(key));
    case Algorithm::encrypted:
      return as_slot(EncryptedSlot::create(key));
    case Algorithm::encrypted_subject:
      return as_slot(SubjectSlot::create(key));
    case Algorithm::address:
    case Algorithm::address_prefix:
    case Algorithm::address_random:
      return as_slot(AddressSlot::create(key));
    case Algorithm::format_preserving:
      return as_slot(PreservedSlot::create(key));
    case Algorithm::sealed:
      return as_slot(make_sealed(key));
    case Algorithm::sealed_single:
      return as_slot(SealedSingleSlot::create(key));
    case Algorithm::vault_token:
    case Algorithm::vault_row:
    case Algorithm::audit_detail:
    case Algorithm::map_cookie:
    case Algorithm::subject_reference:
    case Algorithm::vault_row_subject:
      break;
  }
  return Error(ErrorKind::usage);
}

Result<std::unique_ptr<FieldProtector>> FieldProtector::create(
    std::span<const ProtectionKey> slots, std::span<const std::optional<ProtectionKey>> previous,
    ProtectorSources sources) {
  if (!previous.empty() && previous.size() != slots.size()) return Error(ErrorKind::usage);
  auto state = std::make_unique<State>();
  state->tools.random =
      sources.random ? std::move(sources.random) : std::make_unique<RandomBuffer>();
  state->tools.clock = sources.clock ? std::move(sources.clock) : std::make_unique<CoarseClock>();
  state->tools.buffer.resize(ProtectorTools::kKeptBuffer);
  state->slots.reserve(slots.size());
  for (const ProtectionKey& key : slots) {
    auto slot = state->make_slot(key);
    if (!slot) return slot.error();
    state->slots.push_back(std::move(*slot));
  }
  state->previous.resize(previous.size());
  for (std::size_t i = 0; i < previous.size(); ++i) {
    if (!previous[i]) continue;
    if (previous[i]->algorithm != slots[i].algorithm) return Error(ErrorKind::usage);
    auto slot = state->make_slot(*previous[i]);
    if (!slot) return slot.error();
    state->previous[i] = std::move(*slot);
  }
  return std::unique_ptr<FieldProtector>(new FieldProtector(std::move(state)));
}

FieldProtector::FieldProtector(std::unique_ptr<State> state) : state_(std::move(state)) {}
FieldProtector::~FieldProtector() = default;

Status FieldProtector::protect(std::uint32_t slot, const ProtectForm& form, std::string_view value,
                               std::string& out) {
  if (slot >= state_->slots.size()) std::abort();
  return protect_with(state_->slots[slot], form, value, state_->tools, out);
}

bool FieldProtector::has_previous(std::uint32_t slot) const noexcept {
  return slot < state_->previous.size() &&
         !std::holds_alternative<std::monostate>(state_->previous[slot]);
}

Status FieldProtector::protect_previous(std::uint32_t slot, const ProtectForm& form,
                                        std::string_view value, std::string& out) {
  if (!has_previous(slot)) std::abort();
  return protect_with(state_->previous[slot], form, value, state_->tools, out);
}

Result<std::uint64_t> FieldProtector::keyed_number(std::uint32_t slot, std::string_view value) {
  if (slot >= state_->slots.size()) std::abort();
  const auto* pseudonyms = std::get_if<PseudonymSlot>(&state_->slots[slot]);
  if (pseudonyms == nullptr) std::abort();
  return pseudonyms->number(value);
}

void FieldProtector::erase_old_keys() noexcept {
  if (state_->content_keys.empty()) return;
  const MonotonicTime now = state_->tools.clock->now();
  for (ContentKey& key : state_->content_keys) key.erase_if_old(now);
}

}  // namespace paravent::crypto
