// What backup and restore ask of the vault.

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/tokens/frame.h"
#include "crypto/vault/engine/binding_plan.h"
#include "crypto/vault/engine/bound_row.h"
#include "crypto/vault/engine/bound_sealer.h"
#include "crypto/vault/engine/index_jobs.h"
#include "crypto/vault/engine/live_token.h"
#include "crypto/vault/engine/row_sealer.h"
#include "crypto/vault/engine/subject_keys.h"
#include "crypto/vault/engine/vault_state.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kPage = 4096;  // rows per look at the store, and per durable write

// The index of many rows, context by context.
class IndexRebuild {
 public:
  IndexRebuild(const Catalogue& catalogue, const SubjectStore& subjects, IndexReport& report)
      : catalogue_(catalogue), subjects_(subjects), report_(report) {}

  // nullopt: the row has no place in the index.
  std::optional<IndexEntry> entry_of(const FoundRow& found) {
    ++report_.rows;
    if (row_schema(as_bytes(found.row)) == kBoundRowSchema) return bound_entry_of(found);
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
    return IndexEntry{
        index_of(*token, content->relationship, kNoId, as_text(content->value.bytes())), found.id};
  }

 private:
  // Of a row that belongs to a data subject: any copy that still opens tells the value.
  std::optional<IndexEntry> bound_entry_of(const FoundRow& found) {
    const auto row = decode_bound_row(as_bytes(found.row));
    const ContextRecord* context = row ? catalogue_.context(row->key_id) : nullptr;
    if (context == nullptr) {
      ++(row ? report_.unknown : report_.unreadable);
      return std::nullopt;
    }
    const auto scope = scope_of_row(context->row.scope_id);
    if (scope == Scope::request) return std::nullopt;
    const LiveToken* token = scope ? token_of(row->key_id, *scope) : nullptr;
    for (const BoundCopy& copy : row->copies) {
      const auto index =
          token == nullptr ? std::nullopt : index_of_copy(*token, *row, copy, found.id);
      if (!index) continue;
      ++report_.indexed;
      return IndexEntry{*index, found.id};
    }
    ++report_.unreadable;
    return std::nullopt;
  }

  std::optional<IndexKey> index_of_copy(const LiveToken& token, const BoundRow& row,
                                        const BoundCopy& copy, const Id& id) {
    const ContextRecord* seal = catalogue_.context(copy.seal_key_id);
    const ProtectionKey* key = seal == nullptr ? nullptr : key_of(*seal);
    if (key == nullptr) return std::nullopt;
    const auto layer = open_outer_layer(*key, copy_ad(key->ctx, id, row, copy), copy.sealed);
    if (!layer || handle_mark(layer->handle(), id, copy.purpose) != copy.mark) return std::nullopt;
    const auto made = subjects_.read([&](const SubjectTable& table) {
      const SubjectKey* found = table.by_handle(layer->handle());
      return found == nullptr ? std::nullopt : std::optional(found->made);
    });
    if (!made) return std::nullopt;
    const auto wrap = tenant_wrap(catalogue_, id_from(seal->row.tenant_id), made->parent);
    SecretBytes subject_key(kTreeKeySize);
    if (!wrap || !subjects_.open_key(*made, *wrap, subject_key.mutable_bytes()))
      return std::nullopt;
    const auto frame = layer->open(subject_key.bytes(), key->ctx);
    const auto parsed = frame ? parse_frame(frame->bytes()) : Result<FrameView>(frame.error());
    if (!parsed) return std::nullopt;
    std::string_view value = parsed->value;
    ScopeId relationship{};
    if (row.in_relationship) {
      if (value.size() <= relationship.size()) return std::nullopt;
      std::copy_n(as_bytes(value).begin(), relationship.size(), relationship.begin());
      value.remove_prefix(relationship.size());
    }
    return index_of(token, relationship, made->subject, value);
  }

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
  const SubjectStore& subjects_;
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
  IndexRebuild rebuild(*state_->catalogue, *state_->subjects, report);
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
