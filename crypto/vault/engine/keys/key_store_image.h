// KeyStoreImage: the whole key store in memory, and its file format. Both stores keep one.
//
// File, big endian, one spelling:
//   "PVTKEYS1" | u16 format 2 | installation 16 | root key check value 8 | u64 generation | u32
//   shred secret's number | u32 count | count x ( u8 type | id 16 | u32 size | payload ) in
//   strictly ascending order of type and id | HMAC-SHA-256(key from the root key, everything
//   before) 32
// The order of checks gives each fault its own sentence: format, then root key, then MAC, then
// records.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/keys/key_store.h"
#include "crypto/vault/engine/keys/root_key.h"

namespace paravent::crypto::vault {

inline constexpr std::size_t kKeyStoreHeaderSize = 8 + 2 + 16 + 8;
inline constexpr std::size_t kKeyStoreMacSize = 32;
inline constexpr std::size_t kMaxKeyStoreSize = std::size_t{256} << 20U;
inline constexpr std::size_t kMaxRecordSize = 4096;

struct KeyStoreImage {
  Id installation{};
  KeyCheckValue root_check{};
  std::uint64_t generation = 0;
  std::uint32_t shred_number = 1;
  std::map<RecordRef, Bytes> records;

  // The change of KeyStore, on memory; ErrorKind::busy when `expected` is not the generation.
  Status apply(std::uint64_t expected, const StoreChange& change);
};

inline constexpr std::uint16_t kKeyStoreFormat = 2;

struct KeyStoreHeader {
  std::uint16_t format = 0;
  Id installation{};
  KeyCheckValue root_check{};
};

// Everything but the MAC, which the caller appends.
Bytes encode_key_store(const KeyStoreImage& image);

// The header of a file of any format; ErrorKind::malformed when it is not a key store at all.
Result<KeyStoreHeader> parse_key_store_header(ByteView file);

// The file without its MAC, which the caller has checked. Strict; ErrorKind::malformed.
Result<KeyStoreImage> parse_key_store(ByteView without_mac);

}  // namespace paravent::crypto::vault
