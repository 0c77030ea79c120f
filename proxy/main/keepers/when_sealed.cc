#include "proxy/main/keepers/when_sealed.h"

#include <algorithm>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/main/installation/snapshot_builder.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

constexpr std::string_view kTitle = "paravent when-sealed v1\n";
constexpr std::string_view kDigest = "sha256 ";
constexpr const char* kFile = "when-sealed";
constexpr std::size_t kMostBytes = std::size_t{16} << 20U;
constexpr std::size_t kMostContext = 4096;

bool is_sealed_spec(const crypto::vault::ContextSpec& spec) { return !spec.public_key.empty(); }

SpecFingerprint fingerprint(const std::string& tenant, const crypto::vault::ContextSpec& spec) {
  std::string text;
  crypto::append_lp(text, tenant);
  crypto::append_lp(text, spec.domain);
  crypto::append_lp(text, spec.purpose);
  crypto::append_lp(text, spec.space);
  crypto::append_u8(text, static_cast<std::uint8_t>(spec.kind));
  crypto::append_u8(text, static_cast<std::uint8_t>(spec.algorithm));
  crypto::append_u8(text, static_cast<std::uint8_t>(spec.epoch));
  crypto::append_bytes(text, spec.public_key);
  return crypto::sha256(crypto::as_bytes(text));
}

// Calls visit(slot, fingerprint, spec) for every context of the plan that is sealed to somebody.
template <typename Visit>
void for_each_sealed(const policies::PolicyPlan& plan, Visit visit) {
  for (const policies::TenantPlan& tenant : plan.tenants()) {
    for (std::uint32_t i = tenant.first_slot; i < tenant.first_slot + tenant.slots; ++i) {
      const auto& spec = plan.context_specs()[i];
      if (is_sealed_spec(spec)) visit(i, fingerprint(tenant.name, spec), spec);
    }
  }
}

// "a b" into "a" and "b".
std::pair<std::string_view, std::string_view> cut(std::string_view text, char at) {
  const std::size_t place = text.find(at);
  if (place == std::string_view::npos) return {text, {}};
  return {text.substr(0, place), text.substr(place + 1)};
}

std::optional<std::pair<SpecFingerprint, SealedContext>> parse_line(std::string_view line) {
  const auto [name, rest] = cut(line, ' ');
  const auto [id, ctx] = cut(rest, ' ');
  const auto fingerprint_bytes = crypto::from_hex(name);
  const auto id_bytes = crypto::from_hex(id);
  const auto ctx_bytes = crypto::from_hex(ctx);
  SpecFingerprint print{};
  if (!fingerprint_bytes || fingerprint_bytes->size() != print.size() || !id_bytes ||
      id_bytes->size() != 4 || !ctx_bytes || ctx_bytes->empty() ||
      ctx_bytes->size() > kMostContext) {
    return std::nullopt;
  }
  std::copy(fingerprint_bytes->begin(), fingerprint_bytes->end(), print.begin());
  SealedContext context{crypto::load_u32be(id_bytes->data()),
                        std::string(crypto::as_text(*ctx_bytes))};
  if (context.key_id == 0) return std::nullopt;
  return std::pair(print, std::move(context));
}

}  // namespace

bool has_when_sealed(const policies::PolicyPlan& plan) {
  return std::any_of(plan.routes().begin(), plan.routes().end(),
                     [](const auto& route) { return route->when_sealed != nullptr; });
}

SealedContexts sealed_contexts_of(const Snapshot& snapshot) {
  SealedContexts contexts;
  for_each_sealed(*snapshot.plan,
                  [&](std::uint32_t slot, const SpecFingerprint& print, const auto&) {
                    const crypto::ProtectionKey& key = snapshot.protection_keys[slot];
                    if (key.key_id != 0) contexts[print] = {key.key_id, key.ctx};
                  });
  return contexts;
}

std::string sealed_contexts_text(const SealedContexts& contexts) {
  std::string text(kTitle);
  for (const auto& [print, context] : contexts) {
    std::string id;
    crypto::append_u32be(id, context.key_id);
    text.append(crypto::to_hex(print)).append(" ").append(crypto::to_hex(crypto::as_bytes(id)));
    text.append(" ").append(crypto::to_hex(crypto::as_bytes(context.ctx))).append("\n");
  }
  const auto digest = crypto::sha256(crypto::as_bytes(text));
  return text.append(kDigest).append(crypto::to_hex(digest)).append("\n");
}

Result<SealedContexts> parse_sealed_contexts(std::string_view text) {
  const Error malformed(ErrorKind::malformed);
  if (text.size() > kMostBytes || !text.starts_with(kTitle)) return malformed;
  SealedContexts contexts;
  std::string_view rest = text.substr(kTitle.size());
  while (!rest.empty() && !rest.starts_with(kDigest)) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return malformed;
    auto line = parse_line(rest.substr(0, end));
    if (!line || !contexts.insert(std::move(*line)).second) return malformed;
    rest.remove_prefix(end + 1);
  }
  // One spelling: order, case, digest and ending.
  if (sealed_contexts_text(contexts) != text) return malformed;
  return contexts;
}

Status keep_sealed_contexts(const std::filesystem::path& data, const Snapshot& snapshot) {
  if (!has_when_sealed(*snapshot.plan)) return {};
  const std::string text = sealed_contexts_text(sealed_contexts_of(snapshot));
  const auto there = crypto::vault::read_file(data / kFile, kMostBytes);
  if (there && crypto::as_text(there->bytes()) == text) return {};
  return crypto::vault::write_file_durably(data / kFile, crypto::as_bytes(text),
                                           crypto::vault::Existing::replace);
}

Result<SealedContexts> read_sealed_contexts(const std::filesystem::path& data) {
  std::error_code ignored;
  if (!std::filesystem::exists(data / kFile, ignored)) return SealedContexts{};
  const auto text = crypto::vault::read_file(data / kFile, kMostBytes);
  if (!text) return text.error();
  auto contexts = parse_sealed_contexts(crypto::as_text(text->bytes()));
  if (contexts) return contexts;
  return Error(ErrorKind::data, "The file " + (data / kFile).string() +
                                    " is altered; remove it: it is made anew when the vault is "
                                    "unsealed.");
}

std::shared_ptr<const Snapshot> sealed_snapshot(std::shared_ptr<const policies::PolicyPlan> plan,
                                                const Limits& limits,
                                                const SealedContexts& contexts,
                                                std::shared_ptr<telemetry::SealedList> list) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->limits = limits;
  snapshot->keys_available = false;
  const std::size_t slots = plan->context_specs().size();
  // Nothing protects with these: their routes are refused before.
  for (std::size_t i = 0; i < slots; ++i) {
    snapshot->protection_keys.emplace_back();
    snapshot->protection_keys.back().algorithm = crypto::Algorithm::vault_token;
  }
  snapshot->seal_key_ids.resize(slots);
  std::vector<bool> missing(slots, true);
  if (list != nullptr) {
    for_each_sealed(*plan, [&](std::uint32_t slot, const SpecFingerprint& print, const auto& spec) {
      const auto known = contexts.find(print);
      if (known == contexts.end()) return;
      crypto::ProtectionKey& key = snapshot->protection_keys[slot];
      key.key_id = known->second.key_id;
      key.algorithm = spec.algorithm;
      key.ctx = known->second.ctx;
      key.public_key.assign(spec.public_key.begin(), spec.public_key.end());
      missing[slot] = false;
    });
  }
  snapshot->routes_without_keys = routes_needing(*plan, missing);
  snapshot->sealed_list = std::move(list);
  snapshot->plan = std::move(plan);
  return snapshot;
}

}  // namespace paravent::proxy::main
