#include "crypto/audit/entry_sealer.h"

#include <array>

#include "crypto/primitives/random.h"

namespace paravent::crypto::audit {

Result<ByteView> MonthKey::at(WallTime time) {
  const Epoch month = epoch_at(EpochLength::month, time);
  if (key_.empty() || month != month_) {
    Result<SecretBytes> key = keys_->detail_key(time);
    if (!key) return key.error();
    key_ = std::move(*key);
    month_ = month;
  }
  return key_.bytes();
}

ByteView public_detail_key() noexcept {
  static constexpr std::array<std::uint8_t, 32> kKey{};
  return kKey;
}

bool has_public_detail(EventKind event) noexcept { return event == EventKind::log_checkpoint; }

Result<AuditDetail> open_public_detail(std::string_view origin, const DecodedEntry& entry) {
  const Result<std::string> plaintext = open_detail(
      public_detail_key(), origin, entry.leaf_bytes.first(kPublicPartSize), entry.encrypted_detail);
  if (!plaintext) return plaintext.error();
  if (sha256(as_bytes(*plaintext)) != entry.leaf.detail_commitment) return ErrorKind::malformed;
  return decode_detail(as_bytes(*plaintext));
}

Result<SealedEntry> EntrySealer::seal(const PublicPart& open, const AuditDetail& detail) {
  const Epoch month = epoch_at(EpochLength::month, open.time);
  if (open.time < epoch_start(month) || open.time >= epoch_end(month)) {
    return Error(ErrorKind::data, "The clock stands outside the years 1970 to 9999.");
  }
  const Result<ByteView> key =
      has_public_detail(open.event) ? Result<ByteView>(public_detail_key()) : key_.at(open.time);
  if (!key) return key.error();
  std::array<std::uint8_t, 32> salt;
  random_bytes(salt);
  std::string plaintext = encode_detail(detail, salt);
  std::string public_part;
  append_public_part(public_part, open);
  std::string sealed;
  const Status done =
      seal_detail(*key, origin_, as_bytes(public_part), as_bytes(plaintext), sealed);
  Leaf leaf;
  leaf.open = open;
  leaf.detail_commitment = sha256(as_bytes(plaintext));
  leaf.ciphertext_hash = sha256(as_bytes(sealed));
  wipe(plaintext);
  if (!done) return done.error();
  SealedEntry entry;
  append_leaf(entry.bytes, leaf);
  entry.leaf_hash = hash_leaf(as_bytes(entry.bytes));
  entry.bytes.append(sealed);
  return entry;
}

Result<AuditRecord> EntryOpener::open(std::uint64_t index, ByteView entry) {
  const Error damaged(ErrorKind::data,
                      "Entry " + std::to_string(index) + " of the audit log is damaged.");
  const Result<DecodedEntry> decoded = decode_entry(entry);
  if (!decoded || decoded->leaf.open.sequence != index) return damaged;
  AuditRecord record;
  record.open = decoded->leaf.open;
  record.leaf = as_text(decoded->leaf_bytes);
  const Result<ByteView> key = has_public_detail(record.open.event)
                                   ? Result<ByteView>(public_detail_key())
                                   : key_.at(record.open.time);
  if (!key) return record;
  Result<std::string> plaintext = open_detail(
      *key, origin_, decoded->leaf_bytes.first(kPublicPartSize), decoded->encrypted_detail);
  // The ciphertext is the one of the leaf: if it does not open, the key is not the one it had.
  if (!plaintext) return record;
  const bool committed = sha256(as_bytes(*plaintext)) == decoded->leaf.detail_commitment;
  Result<AuditDetail> detail = decode_detail(as_bytes(*plaintext));
  wipe(*plaintext);
  if (!committed || !detail) return damaged;
  record.detail = std::move(*detail);
  return record;
}

}  // namespace paravent::crypto::audit
