// A key store file that parses has exactly one spelling, and so has every record in it.

#include <cstdint>
#include <cstdlib>

#include "crypto/vault/engine/catalogue/key_backups.h"
#include "crypto/vault/engine/catalogue/names.h"
#include "crypto/vault/engine/catalogue/retention.h"
#include "crypto/vault/engine/catalogue/row_jobs.h"
#include "crypto/vault/engine/keys/key_record.h"
#include "crypto/vault/engine/keys/key_store_image.h"

namespace crypto = paravent::crypto;
namespace vault = paravent::crypto::vault;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const vault::RecordRef& ref, const crypto::Bytes& payload) {
  switch (ref.type) {
    case vault::RecordType::key:
      if (const auto record = vault::decode_key_record(ref.id, payload)) {
        must(vault::encode_key_record(*record) == payload);
        must(vault::wrap_ad("wrap", *record) != vault::wrap_ad("shred", *record));
      }
      return;
    case vault::RecordType::name:
      if (const auto record = vault::decode_name_record(ref.id, payload)) {
        must(vault::encode_name_record(*record) == payload);
      }
      return;
    case vault::RecordType::context:
      if (const auto record = vault::decode_context_record(ref.id, payload)) {
        must(vault::encode_context_record(*record) == payload);
        must(vault::context_ref(record->row.key_id) == ref);
      }
      return;
    case vault::RecordType::retention:
      if (const auto record = vault::decode_retention(payload)) {
        must(vault::encode_retention(*record) == payload);
      }
      return;
    case vault::RecordType::hold:
      if (const auto record = vault::decode_hold(ref.id, payload)) {
        must(vault::encode_hold(*record) == payload);
      }
      return;
    case vault::RecordType::keeper:
      if (const auto record = vault::decode_keeper(payload)) {
        must(vault::encode_keeper(*record) == payload);
      }
      return;
    case vault::RecordType::rows:
      if (const auto record = vault::decode_row_wishes(payload)) {
        must(vault::encode_row_wishes(*record) == payload);
      }
      return;
    case vault::RecordType::backup:
      if (const auto record = vault::decode_key_backup(ref.id, payload)) {
        must(vault::encode_key_backup(*record) == payload);
      }
      return;
    case vault::RecordType::index:
      if (const auto record = vault::decode_index_versions(payload)) {
        must(vault::encode_index_versions(*record) == payload);
      }
      return;
    case vault::RecordType::subject_key:
      std::abort();  // reserved: the parser lets none through
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::ByteView bytes(data, size);
  const auto header = vault::parse_key_store_header(bytes);
  const auto image = vault::parse_key_store(bytes);
  if (!image) return 0;
  must(header && header->installation == image->installation);
  const crypto::Bytes again = vault::encode_key_store(*image);
  must(crypto::as_text(again) == crypto::as_text(bytes));
  for (const auto& [ref, payload] : image->records) check(ref, payload);
  return 0;
}
