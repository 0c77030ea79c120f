// Keys, holds and freezes as the admin API shows them, in JSON. Pure functions; no key material
// goes in.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/vault/engine/upkeep/key_admin.h"

namespace paravent::proxy::admin {

std::string_view key_class_name(crypto::vault::KeyClass key_class) noexcept;
// Eight lower-case hexadecimal digits, as in `paravent contexts`.
std::string key_id_text(std::uint32_t key_id);
// nullopt for anything but 32 lower-case hexadecimal digits.
std::optional<crypto::vault::Id> id_from_hex(std::string_view text);

// "epoch 2026-03 of contact in crm, version 1": for the record.
std::string key_description(const crypto::vault::KeyInfo& key);

void append_key(const crypto::vault::KeyInfo& key, std::string& out);
void append_hold(const crypto::vault::HoldInfo& hold, std::string& out);
// {"frozen":true,"since":...,"because":["clock"],"pending":[{...}]}
void append_freeze(const crypto::vault::FreezeInfo& freeze, std::string& out);

}  // namespace paravent::proxy::admin
