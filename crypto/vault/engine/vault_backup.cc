// What backup and restore ask of the vault.

#include <map>
#include <utility>
#include <vector>

#include "crypto/vault/engine/binding_plan.h"
#include "crypto/vault/engine/live_token.h"
#include "crypto/vault/engine/row_sealer.h"
#include "crypto/vault/engine/vault_state.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kPage = 4096;  // rows per look at the store, and per durable write

// The index of many rows, context by context.
class IndexRebuild {
 public:
  IndexRebuild(const Catalogue& catalogue, IndexReport& report)
      : catalogue_(catalogue), report_(report) {}

  // nullopt: the row has no place in the index.
  std::optional<IndexEntry> entry_of(const FoundRow& found) {
    ++report_.rows;
    const auto view = decode_token_row(as_bytes(found.row));
    if (!view) {
      ++report_.unreadable;
      return std::nullopt;
    }
    const ContextRecord* context = catalogue_.context(view->row.key_id);
    const ContextRecord* seal = catalogue_.context(view->row.seal_key_id);
    if (context == nullptr || seal == nullptr) {
      ++report_.unknown;
      return std::nullopt;
    }
    const auto scope = scope_of_row(context->row.scope_id);
    if (scope == Scope::request) return std::nullopt;
    const LiveToken* token = scope ? token_of(view->row.key_id, *scope) : nullptr;
    const ProtectionKey* key = key_of(*seal);
    const auto content = token == nullptr || key == nullptr
                             ? Result<RowContent>(Error(ErrorKind::malformed))
                             : open_row_content(*view, found.id, *key);
    if (!content) {
      ++report_.unreadable;
      return std::nullopt;
    }
    ++report_.indexed;
    return IndexEntry{index_value(*token, content->relationship, as_text(content->value.bytes())),
                      found.id};
  }

 private:
  const LiveToken* token_of(std::uint32_t key_id, Scope scope) {
    const auto it = tokens_.find(key_id);
    if (it != tokens_.end()) return it->second.get();
    auto token = live_token(catalogue_, key_id, scope);
    return tokens_.emplace(key_id, token ? std::move(*token) : nullptr).first->second.get();
  }
  const ProtectionKey* key_of(const ContextRecord& seal) {
    const auto it = keys_.find(seal.row.key_id);
    if (it != keys_.end()) return it->second.get();
    std::unique_ptr<const ProtectionKey> made;
    if (const auto parent = catalogue_.keys().open(seal.parent)) {
      if (auto key = make_protection_key(seal.row, parent->bytes())) {
        made = std::make_unique<const ProtectionKey>(std::move(*key));
      }
    }
    return keys_.emplace(seal.row.key_id, std::move(made)).first->second.get();
  }

  const Catalogue& catalogue_;
  IndexReport& report_;
  std::map<std::uint32_t, std::shared_ptr<const LiveToken>> tokens_;
  std::map<std::uint32_t, std::unique_ptr<const ProtectionKey>> keys_;
};

}  // namespace

Result<std::unique_ptr<StoreSnapshot>> Vault::snapshot_store() {
  return state_->tokens->snapshot();
}

SecretBytes Vault::backup_key() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->keys().backup_key().clone();
}

Status Vault::while_keys_stand_still(
    const std::function<Status(std::uint64_t generation)>& copy) const {
  const std::scoped_lock lock(state_->mutex);
  return copy(state_->catalogue->generation());
}

std::uint64_t Vault::keys_generation() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->generation();
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

Result<IndexReport> Vault::rebuild_index() {
  const std::scoped_lock lock(state_->mutex);
  IndexReport report;
  IndexRebuild rebuild(*state_->catalogue, report);
  Id after = kNoId;
  for (;;) {
    const auto page = state_->tokens->scan(after, kPage);
    if (!page) return page.error();
    std::vector<IndexEntry> entries;
    for (const FoundRow& row : *page) {
      if (const auto entry = rebuild.entry_of(row)) entries.push_back(*entry);
    }
    if (auto s = state_->tokens->add_index(entries); !s) return s.error();
    if (page->size() < kPage) return report;
    after = page->back().id;
  }
}

}  // namespace paravent::crypto::vault
