// The numbers of the token formats, shared by writers, parser and detector. Normative text with the
// reasons: docs/token-format.md. Nothing here changes once released: texts that carry these numbers
// lie in other people's databases. A new layout gets a new format byte.
//
// clang-format off
//   short  = hrp "1" base32(header | payload) check6              Bech32m, BIP-350
//   long   = prefix base64url(header | payload | u32be crc32c)    RFC 4648 5 without padding
//   header = u8 format | u8 algorithm | u32be key_id              6 bytes, authenticated
// clang-format on

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace paravent::crypto {

inline constexpr std::uint8_t kTokenFormat = 1;
inline constexpr std::size_t kTokenHeaderSize = 6;

inline constexpr std::string_view kVaultHrp = "pvv";
inline constexpr std::string_view kDerivedHrp = "pvd";
inline constexpr std::string_view kPseudonymHrp = "pvh";
inline constexpr std::string_view kAddressHrp = "pvi";
inline constexpr std::string_view kEncryptedPrefix = "pve_";
inline constexpr std::string_view kSealedPrefix = "pvs_";
inline constexpr std::size_t kTokenPrefixSize = 4;  // with the "1" or the "_"

// Payload bytes after the header.
inline constexpr std::size_t kVaultIdSize = 16;
inline constexpr std::size_t kPseudonymSize = 20;
inline constexpr std::size_t kAddressSize = 16;        // address, address_prefix
inline constexpr std::size_t kAddressRandomSize = 32;  // address_random: tweak | block
inline constexpr std::size_t kSivSize = 16;
inline constexpr std::size_t kNonceSize = 24;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kEncapsulationSize = 80;        // sealed: one content key, enveloped
inline constexpr std::size_t kSingleEncapsulationSize = 32;  // sealed_single: one ephemeral key
inline constexpr std::size_t kCrcSize = 4;
inline constexpr std::size_t kSubjectHandleSize = 16;  // which subject key lies under the value's
// What binding a value to its subject adds to a frame: handle | frame | tag.
inline constexpr std::size_t kSubjectOverhead = kSubjectHandleSize + kTagSize;

// Characters of a Bech32m text with a three-letter HRP.
constexpr std::size_t short_token_length(std::size_t payload_size) noexcept {
  return kTokenPrefixSize + ((kTokenHeaderSize + payload_size) * 8 + 4) / 5 + 6;
}

// Characters of a long text.
constexpr std::size_t long_token_length(std::size_t payload_size) noexcept {
  return kTokenPrefixSize + ((kTokenHeaderSize + payload_size + kCrcSize) * 8 + 5) / 6;
}

constexpr std::size_t derived_token_length(std::size_t bucket) noexcept {
  return short_token_length(kSivSize + bucket);
}

constexpr std::size_t encrypted_token_length(std::size_t bucket) noexcept {
  return long_token_length(kNonceSize + bucket + kTagSize);
}

constexpr std::size_t encrypted_subject_token_length(std::size_t bucket) noexcept {
  return long_token_length(kNonceSize + kSubjectOverhead + bucket + kTagSize);
}

inline constexpr std::size_t kVaultTokenLength = short_token_length(kVaultIdSize);
inline constexpr std::size_t kPseudonymLength = short_token_length(kPseudonymSize);
inline constexpr std::size_t kAddressLength = short_token_length(kAddressSize);
inline constexpr std::size_t kAddressRandomLength = short_token_length(kAddressRandomSize);
static_assert(kVaultTokenLength == 46 && kPseudonymLength == 52);
static_assert(kAddressLength == 46 && kAddressRandomLength == 71);

// Frame: u8 version | u8 type | u32be length | value | zero padding up to a bucket.
inline constexpr std::uint8_t kFrameVersion = 1;
inline constexpr std::size_t kFrameHeaderSize = 6;
inline constexpr std::array<std::size_t, 12> kBuckets = {16,  32,  48,  64,  96,  128,
                                                         192, 256, 384, 512, 768, 1024};
inline constexpr std::size_t kBucketStep = 1024;  // above the last bucket: multiples of it
inline constexpr std::size_t kMaxDerivedBucket = 512;
inline constexpr std::size_t kMaxDerivedValue = kMaxDerivedBucket - kFrameHeaderSize;
inline constexpr std::size_t kMaxEncryptedValue = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxEncryptedBucket = kMaxEncryptedValue + kBucketStep;
inline constexpr std::size_t kMaxPseudonymValue = 65535;  // LP

inline constexpr std::size_t kMaxShortTokenLength = derived_token_length(kMaxDerivedBucket);
inline constexpr std::size_t kMaxLongTokenLength =
    long_token_length(kEncapsulationSize + kNonceSize + kMaxEncryptedBucket + kTagSize);
static_assert(derived_token_length(32) == 97 && derived_token_length(64) == 148);

}  // namespace paravent::crypto
