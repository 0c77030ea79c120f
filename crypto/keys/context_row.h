// ContextRow: what a key id stands for (constructions 4.0): whose value it is, for which recipient
// and purpose, in which space and epoch, and which key opens it. Durable before its first use.
//
// A plain value without secrets. Identifiers are raw bytes, random and immutable (16 bytes when
// made by the vault); names never enter a row. Empty where a row does not have one: the scope of
// person scope, the purpose of vault tokens and index keys.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/epoch.h"

namespace paravent::crypto {

inline constexpr std::size_t kContextIdSize = 16;
inline constexpr std::size_t kContextIdMaxSize = 64;

struct ContextRow {
  std::uint32_t key_id = 0;
  std::string tenant_id;
  std::string domain_id;
  std::string purpose_id;
  std::string space_id;
  std::string scope_id;
  Epoch epoch;
  Algorithm algorithm = Algorithm::vault_token;
  std::uint32_t key_version = 1;
  std::uint16_t normaliser_id = 0;

  friend bool operator==(const ContextRow&, const ContextRow&) = default;
};

// "PVT1" | u8 alg | LP(tenant) | LP(domain) | LP(purpose) | LP(space) | LP(scope) | u32be
// key_version | u16be normaliser_id. The key id and the epoch are not part of it. Never empty. An
// identifier above kContextIdMaxSize is a broken invariant and ends the process.
std::string context_string(const ContextRow& row);

// The stored form of a row: version 1, big endian, one spelling. decode is strict: known version
// and algorithm, valid epoch, identifiers within limits, a tenant, nothing after the end; else
// ErrorKind::malformed.
std::string encode_context_row(const ContextRow& row);
Result<ContextRow> decode_context_row(ByteView bytes);

}  // namespace paravent::crypto
