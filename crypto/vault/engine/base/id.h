// Id: the 16 random bytes that name an installation, a tenant, a domain, a purpose, a space, a key
// or a token row. Immutable once made; a name may change, its id never does. All zero means "none".

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"

namespace paravent::crypto {
class RandomBuffer;
}

namespace paravent::crypto::vault {

using Id = std::array<std::uint8_t, 16>;

inline constexpr Id kNoId{};

// Our keyed reference to a data subject, HMAC-SHA-256 under prf.subject (constructions 4.0).
using SubjectReference = std::array<std::uint8_t, 32>;

// From the kernel's generator; never all zero. The second without a system call for each.
Id random_id();
Id random_id(RandomBuffer& random);

inline std::string_view id_text(const Id& id) noexcept { return as_text(id); }

// kNoId for bytes of any other size.
inline Id id_from(std::string_view raw) noexcept {
  Id id{};
  if (raw.size() == id.size()) {
    std::transform(raw.begin(), raw.end(), id.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
  }
  return id;
}

// 32 lower-case hexadecimal digits: how an id appears in folder names, listings and log entries.
std::string id_hex(const Id& id);

}  // namespace paravent::crypto::vault
