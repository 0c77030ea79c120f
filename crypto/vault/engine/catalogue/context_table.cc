#include "crypto/vault/engine/catalogue/context_table.h"

#include <algorithm>
#include <utility>

#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/catalogue/names.h"
#include "crypto/vault/engine/keys/file_key_store.h"
#include "crypto/vault/engine/keys/key_record.h"

namespace paravent::crypto::vault {
namespace {

std::string name_of(const NameRegistry& names, std::string_view raw_id) {
  const NameRecord* record = names.by_id(id_from(raw_id));
  return record == nullptr ? std::string() : record->name;
}

}  // namespace

NamedContext named_context(const NameRegistry& names, ContextRecord record) {
  NamedContext out;
  out.tenant = name_of(names, record.row.tenant_id);
  out.domain = name_of(names, record.row.domain_id);
  out.purpose = name_of(names, record.row.purpose_id);
  out.space = name_of(names, record.row.space_id);
  if (is_sealed(record.row.algorithm)) out.recipient = record.parent;
  out.row = std::move(record.row);
  return out;
}

Result<ContextTable> read_context_table(const std::filesystem::path& data, const RootKey& root) {
  const auto store = FileKeyStore::open(data / "keys" / kKeyStoreFile, root);
  if (!store) return store.error();
  NameRegistry names;
  std::vector<ContextRecord> records;
  bool good = true;
  (*store)->for_each([&](const RecordRef& ref, ByteView payload) {
    if (ref.type == RecordType::name) {
      auto record = decode_name_record(ref.id, payload);
      good = good && record && names.add(std::move(*record));
    } else if (ref.type == RecordType::context) {
      auto record = decode_context_record(ref.id, payload);
      good = good && record;
      if (good) records.push_back(std::move(*record));
    }
  });
  if (!good) {
    return Error(ErrorKind::data,
                 "The key store contradicts itself or was written by a newer version of paravent; "
                 "restore it from a key backup.");
  }
  ContextTable table;
  table.installation = (*store)->installation();
  for (ContextRecord& record : records)
    table.contexts.push_back(named_context(names, std::move(record)));
  std::sort(table.contexts.begin(), table.contexts.end(),
            [](const auto& a, const auto& b) { return a.row.key_id < b.row.key_id; });
  return table;
}

}  // namespace paravent::crypto::vault
