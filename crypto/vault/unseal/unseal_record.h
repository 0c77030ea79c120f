// UnsealRecord: what a provider keeps beside the key store so that it can make the root key again.
// Plain data and one strict format; nothing in it opens anything without the pass-phrase, the token
// or the shares.
//
// File DATA/keys/unseal (0600), big endian, one spelling:
//   "PVTUNSL1" | u8 version 2 | u8 method | set id 16 | root check 8 | body |
//   SHA-256(everything before) cut to 8
//   method 1, pass-phrase   body = u32 passes | u32 memory in KiB | salt 16 | check 8 | nonce 24 |
//                                  XChaCha20-Poly1305(root key) 48
//   method 2, PKCS#11       body = u8 mechanism | check 8 | u16 size | wrapped key
//   method 3, shares        body = u8 threshold | u8 shares | check 8
// root check = RootKey::check_value of the key that the record makes: the one that stands in the
// head of the key store too, so that a record is told from another one's without any secret.
// Key file and systemd credential need no record. The digest tells damage, not forgery: whoever can
// write there can only keep the key from opening, and the key store's own check value notices a
// foreign key.
//
// A change of root key or method goes in three steps, each durable: the new record is written as
// `unseal.next`; the key store is re-wrapped, which decides; settle_unseal_records() renames
// (root_change.h). A crash in between leaves two records, and the one in force is the one that fits
// the key store.

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <variant>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/root_check.h"

namespace paravent::crypto::vault {

enum class UnsealMethod : std::uint8_t { key_file, systemd_credential, passphrase, pkcs11, shares };

// "key-file", "systemd-credential", "passphrase", "pkcs11", "shares".
std::string_view unseal_method_name(UnsealMethod method) noexcept;

enum class RecordPlace : std::uint8_t { current, next };

using UnsealCheck = std::array<std::uint8_t, 8>;

struct PassphraseRecord {
  std::uint32_t passes = 0;      // 3 to 16
  std::uint32_t memory_kib = 0;  // 65536 (64 MiB) to 4 GiB
  std::array<std::uint8_t, 16> salt{};
  UnsealCheck check{};
  std::array<std::uint8_t, 24> nonce{};
  std::array<std::uint8_t, 48> wrapped{};
};

// CKM_AES_KEY_WRAP_KWP, or what older modules have: CKM_AES_KEY_WRAP_PAD. Both are RFC 5649.
enum class WrapMechanism : std::uint8_t { kwp = 1, pad = 2 };

struct Pkcs11Record {
  WrapMechanism mechanism = WrapMechanism::kwp;
  UnsealCheck check{};
  Bytes wrapped;  // 16 to 1024 bytes
};

struct ShareRecord {
  std::uint8_t threshold = 0;  // 2 to `shares`
  std::uint8_t shares = 0;
  UnsealCheck check{};
};

struct UnsealRecord {
  Id set{};
  KeyCheckValue root_check{};
  std::variant<PassphraseRecord, Pkcs11Record, ShareRecord> body;

  UnsealMethod method() const noexcept;
};

Bytes encode_unseal_record(const UnsealRecord& record);
// ErrorKind::malformed for anything that encode_unseal_record does not write; usage: of a newer
// version; refused: of one before the first release.
Result<UnsealRecord> parse_unseal_record(ByteView file);

// nullopt: there is none. ErrorKind::data, one sentence each: readable by others, altered, of a
// newer version.
Result<std::optional<UnsealRecord>> read_unseal_record(const std::filesystem::path& keys_folder,
                                                       RecordPlace place);
// Replaces what is there: a record without a key store belongs to an initialisation that was
// interrupted, and one beside a key store is replaced only through `next`.
Status write_unseal_record(const std::filesystem::path& keys_folder, RecordPlace place,
                           const UnsealRecord& record);

// The record that makes the root key of this key store, be it the current or the next one. nullopt:
// there is no record. ErrorKind::data: there is one, which belongs to another root key; or as
// read_unseal_record.
Result<std::optional<UnsealRecord>> record_in_force(const std::filesystem::path& keys_folder,
                                                    const RootCheck& check);
// Whether the record in force, if there is one, is of this method. ErrorKind::data with what to
// correct; a record of another root key is no matter of this one.
Status check_unseal_method(const std::filesystem::path& keys_folder, const RootCheck& check,
                           UnsealMethod method);
// After the key store was opened with the root key of `check`: the record that makes this key is
// the current one afterwards, and every other one goes: a next one that was never in force, and the
// current one of a key that is in force no more. What cannot be read stays, unless the current one
// is in force.
Status settle_unseal_records(const std::filesystem::path& keys_folder, const RootCheck& check);
// Of a change that is decided. REQUIRES: there is a next record, and it makes the root key in
// force.
Status adopt_next_record(const std::filesystem::path& keys_folder);
// When the new method needs no record.
Status remove_unseal_records(const std::filesystem::path& keys_folder);
Status remove_next_record(const std::filesystem::path& keys_folder);

}  // namespace paravent::crypto::vault
