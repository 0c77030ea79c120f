// What backup and restore ask of the vault.

#include <optional>
#include <utility>
#include <vector>

#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/vault/index_jobs.h"
#include "crypto/vault/engine/vault/row_opener.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kPage = 4096;  // rows per look at the store, and per durable write

// nullopt: the row has no place in the index.
std::optional<IndexEntry> entry_of(RowOpener& opener, const FoundRow& found, IndexReport& report) {
  ++report.rows;
  RowOpener::Fault fault{};
  const ContextRecord* context = opener.context_of(found, fault);
  if (context == nullptr) {
    ++(fault == RowOpener::Fault::unknown ? report.unknown : report.unreadable);
    report.lacking += fault == RowOpener::Fault::unknown ? 1U : 0U;
    return std::nullopt;
  }
  if (scope_of_row(context->row.scope_id) == Scope::request) return std::nullopt;
  const LiveToken* token = opener.token_of(context->row.key_id);
  const auto opened = token == nullptr ? std::nullopt : opener.open(found);
  if (!opened) {
    ++report.unreadable;
    const RowOpener::Missing missing = opener.missing(found);
    report.lacking += missing == RowOpener::Missing::context ? 1U : 0U;
    report.without_person += missing == RowOpener::Missing::person ? 1U : 0U;
    return std::nullopt;
  }
  ++report.indexed;
  return IndexEntry{
      index_of(*token, opened->relationship, opened->subject, as_text(opened->value.bytes())),
      found.id};
}

}  // namespace

Result<std::unique_ptr<StoreSnapshot>> Vault::snapshot_store() {
  return state_->tokens->snapshot();
}

SecretBytes Vault::backup_key() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->keys().backup_key().clone();
}

Status Vault::while_keys_stand_still(const std::function<Status(const KeysMoment&)>& copy) const {
  const std::scoped_lock lock(state_->mutex);
  return copy({state_->catalogue->generation(), state_->catalogue->shred().number()});
}

Status Vault::note_key_backup(const KeyBackupEntry& entry) {
  const std::scoped_lock lock(state_->mutex);
  state_->catalogue->put_key_backup(entry);
  return state_->catalogue->commit();
}

std::vector<KeyBackupEntry> Vault::key_backups() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->key_backups();
}

Status Vault::take_keys_as_they_are() {
  const std::scoped_lock lock(state_->mutex);
  return state_->tokens->note_renewals(state_->catalogue->shred().number());
}

ContextTable Vault::context_table() const {
  const std::scoped_lock lock(state_->mutex);
  const Catalogue& catalogue = *state_->catalogue;
  ContextTable table;
  table.installation = catalogue.installation();
  for (const auto& [key_id, record] : catalogue.contexts()) {
    table.contexts.push_back(named_context(catalogue.names(), record));
  }
  return table;
}

Result<IndexReport> Vault::rebuild_index(const std::function<void(std::uint64_t rows)>& progress) {
  const std::scoped_lock lock(state_->mutex);
  IndexReport report;
  RowOpener opener(*state_->catalogue, *state_->subjects);
  Id after = kNoId;
  for (;;) {
    const auto page = state_->tokens->scan(after, kPage);
    if (!page) return page.error();
    std::vector<IndexEntry> entries;
    for (const FoundRow& row : *page) {
      if (const auto entry = entry_of(opener, row, report)) entries.push_back(*entry);
    }
    if (auto s = state_->tokens->add_index(entries); !s) return s.error();
    if (progress) progress(report.rows);
    if (page->size() < kPage) return report;
    after = page->back().id;
  }
}

}  // namespace paravent::crypto::vault
