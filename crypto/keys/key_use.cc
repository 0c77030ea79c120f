#include "crypto/keys/key_use.h"

#include <array>
#include <cstdlib>
#include <string>

#include "crypto/primitives/hkdf.h"

namespace paravent::crypto {
namespace {

constexpr std::string_view kLabel = "paravent/v1/";

constexpr std::array<KeyUseInfo, 16> kUses = {{
    {KeyUse::enc_rand, "enc.rand", 32},
    {KeyUse::enc_nonce, "enc.nonce", 32},
    {KeyUse::enc_det, "enc.det", 64},
    {KeyUse::prf_pseudonym, "prf.pseudonym", 32},
    {KeyUse::prf_index, "prf.index", 32},
    {KeyUse::prf_subject, "prf.subject", 32},
    {KeyUse::fpe_ff1, "fpe.ff1", 32},
    {KeyUse::ip_det, "ip.det", 16},
    {KeyUse::ip_pfx, "ip.pfx", 32},
    {KeyUse::ip_ndx, "ip.ndx", 32},
    {KeyUse::vault_row, "vault.row", 32},
    {KeyUse::audit_detail, "audit.detail", 32},
    {KeyUse::map_cookie, "map.cookie", 32},
    {KeyUse::kcv, "kcv", 32},
    {KeyUse::prf_shape, "prf.shape", 32},
    {KeyUse::enc_subject, "enc.subject", 32},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kUses.size(); ++i) {
    if (static_cast<std::size_t>(kUses[i].use) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const KeyUseInfo> key_uses() noexcept { return kUses; }

const KeyUseInfo& key_use_info(KeyUse use) noexcept {
  const auto index = static_cast<std::size_t>(use);
  if (index >= kUses.size()) std::abort();
  return kUses[index];
}

SecretBytes derive_use_key(ByteView parent, KeyUse use, std::string_view ctx) {
  SecretBytes key(key_use_info(use).length);
  derive_use_key(parent, use, ctx, key.mutable_bytes());
  return key;
}

void derive_use_key(ByteView parent, KeyUse use, std::string_view ctx, MutableBytes out) {
  const KeyUseInfo& info = key_use_info(use);
  if (parent.size() != kParentKeySize || out.size() != info.length) std::abort();
  std::string label;
  label.reserve(kLabel.size() + info.name.size() + 1 + ctx.size());
  label.append(kLabel).append(info.name);
  append_u8(label, 0);
  label.append(ctx);
  if (!hkdf_expand_sha256(parent, as_bytes(label), out)) std::abort();
}

}  // namespace paravent::crypto
