// WhenSealed: what a gateway has to know of its vault so that `when-sealed` routes go on while the
// vault is sealed: under which key ids, for which contexts, values are sealed to which public key.
// Nothing of it is secret. Kept in DATA/when-sealed, written whenever an unsealed gateway publishes
// its keys; a route that the file does not know is refused as any other.
//
//   paravent when-sealed v1
//   FINGERPRINT KEY_ID CONTEXT         hex; one line a context, ascending
//   sha256 HEX                         over everything before
//
// FINGERPRINT = SHA-256 of tenant, domain, purpose, space, kind, algorithm and public key: whoever
// changes one of them in the policy has to unseal once. One spelling.

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policies/plan/policy_plan.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::main {

using SpecFingerprint = std::array<std::uint8_t, 32>;

struct SealedContext {
  std::uint32_t key_id = 0;
  std::string ctx;
  friend bool operator==(const SealedContext&, const SealedContext&) = default;
};

using SealedContexts = std::map<SpecFingerprint, SealedContext>;

// Whether a route of the plan goes on while the vault is sealed.
bool has_when_sealed(const policies::PolicyPlan& plan);

// Those of the plan's contexts that a sealed vault can use. REQUIRES: the snapshot is the plan's,
// with keys.
SealedContexts sealed_contexts_of(const Snapshot& snapshot);

std::string sealed_contexts_text(const SealedContexts& contexts);
// Strict; ErrorKind::malformed.
crypto::Result<SealedContexts> parse_sealed_contexts(std::string_view text);

// Writes the file where it says something else. Durable.
crypto::Status keep_sealed_contexts(const std::filesystem::path& data, const Snapshot& snapshot);
// None where there is no file. ErrorKind::data: it is altered.
crypto::Result<SealedContexts> read_sealed_contexts(const std::filesystem::path& data);

// The plan without a key of the vault: every route that needs one answers 503 `sealed`, but those
// that have another way and whose contexts are known.
std::shared_ptr<const Snapshot> sealed_snapshot(std::shared_ptr<const policies::PolicyPlan> plan,
                                                const Limits& limits,
                                                const SealedContexts& contexts,
                                                std::shared_ptr<telemetry::SealedList> list);

}  // namespace paravent::proxy::main
