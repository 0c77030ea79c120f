#include "crypto/vault/engine/vault/row_opener.h"

#include <algorithm>
#include <utility>

#include "crypto/tokens/frame.h"
#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/rows/bound_sealer.h"
#include "crypto/vault/engine/rows/row_sealer.h"
#include "crypto/vault/engine/subjects/subject_keys.h"
#include "crypto/vault/engine/vault/live_token.h"

namespace paravent::crypto::vault {

const ContextRecord* RowOpener::context_of(const FoundRow& found, Fault& fault) const {
  const auto key_id = token_key_id(as_bytes(found.row));
  fault = Fault::unreadable;
  if (!key_id) return nullptr;
  const ContextRecord* context = catalogue_.context(*key_id);
  fault = context == nullptr ? Fault::unknown : Fault::none;
  if (context == nullptr || row_schema(as_bytes(found.row)) == kBoundRowSchema) return context;
  const auto view = decode_token_row(as_bytes(found.row));
  if (view && catalogue_.context(view->row.seal_key_id) != nullptr) return context;
  fault = view ? Fault::unknown : Fault::unreadable;
  return nullptr;
}

RowOpener::Missing RowOpener::missing(const FoundRow& found) {
  Fault fault{};
  if (context_of(found, fault) == nullptr) {
    return fault == Fault::unknown ? Missing::context : Missing::nothing;
  }
  if (row_schema(as_bytes(found.row)) != kBoundRowSchema) return Missing::nothing;
  const auto row = decode_bound_row(as_bytes(found.row));
  if (!row) return Missing::nothing;
  if (std::any_of(row->copies.begin(), row->copies.end(), [this](const BoundCopy& copy) {
        return catalogue_.context(copy.seal_key_id) == nullptr;
      })) {
    return Missing::context;
  }
  return lacks_person(*row, found.id) ? Missing::person : Missing::nothing;
}

bool RowOpener::lacks_person(const BoundRow& row, const Id& id) {
  bool lacks = false;
  for (const BoundCopy& copy : row.copies) {
    const ProtectionKey* key = key_of(copy.seal_key_id);
    // Destroyed or out of use: that closes the row, whatever became of its person's other keys.
    if (key == nullptr) return false;
    const auto layer = open_outer_layer(*key, copy_ad(key->ctx, id, row, copy), copy.sealed);
    lacks = lacks || (layer && subjects_.read([&](const SubjectTable& table) {
              return table.by_handle(layer->handle()) == nullptr;
            }));
  }
  return lacks;
}

bool RowOpener::is_destroyed_seal(std::uint32_t seal_key_id) const {
  const ContextRecord* seal = catalogue_.context(seal_key_id);
  const KeyRecord* key = seal == nullptr ? nullptr : catalogue_.keys().record(seal->parent);
  return key != nullptr && is_destroyed(key->condition.state);
}

bool RowOpener::is_dead(const FoundRow& found) const {
  if (row_schema(as_bytes(found.row)) == kBoundRowSchema) {
    const auto row = decode_bound_row(as_bytes(found.row));
    return row && std::all_of(row->copies.begin(), row->copies.end(), [&](const BoundCopy& copy) {
             return is_destroyed_seal(copy.seal_key_id);
           });
  }
  const auto view = decode_token_row(as_bytes(found.row));
  return view && is_destroyed_seal(view->row.seal_key_id);
}

const LiveToken* RowOpener::token_of(std::uint32_t key_id) {
  const auto it = tokens_.find(key_id);
  if (it != tokens_.end()) return it->second.get();
  std::shared_ptr<const LiveToken> made;
  const ContextRecord* context = catalogue_.context(key_id);
  const auto scope = context == nullptr ? std::nullopt : scope_of_row(context->row.scope_id);
  if (scope && *scope != Scope::request) {
    if (auto token = live_token(catalogue_, key_id, *scope)) made = std::move(*token);
  }
  return tokens_.emplace(key_id, std::move(made)).first->second.get();
}

const ProtectionKey* RowOpener::key_of(std::uint32_t seal_key_id) {
  const auto it = keys_.find(seal_key_id);
  if (it != keys_.end()) return it->second.get();
  std::unique_ptr<const ProtectionKey> made;
  const ContextRecord* seal = catalogue_.context(seal_key_id);
  if (seal != nullptr) {
    if (const auto parent = catalogue_.keys().open(seal->parent)) {
      if (auto key = make_protection_key(seal->row, parent->bytes())) {
        made = std::make_unique<const ProtectionKey>(std::move(*key));
      }
    }
  }
  return keys_.emplace(seal_key_id, std::move(made)).first->second.get();
}

std::optional<RowOpener::Opened> RowOpener::open(const TokenRowView& view, const Id& id) {
  const ProtectionKey* key = key_of(view.row.seal_key_id);
  if (key == nullptr) return std::nullopt;
  auto content = open_row_content(view, id, *key);
  if (!content) return std::nullopt;
  Opened opened;
  opened.value = std::move(content->value);
  opened.relationship = content->relationship;
  return opened;
}

std::optional<RowOpener::Opened> RowOpener::open(const BoundRow& row, const BoundCopy& copy,
                                                 const Id& id) {
  const ProtectionKey* key = key_of(copy.seal_key_id);
  if (key == nullptr) return std::nullopt;
  const auto layer = open_outer_layer(*key, copy_ad(key->ctx, id, row, copy), copy.sealed);
  if (!layer || handle_mark(layer->handle(), id, copy.purpose) != copy.mark) return std::nullopt;
  const auto made = subjects_.read([&](const SubjectTable& table) {
    const SubjectKey* found = table.by_handle(layer->handle());
    return found == nullptr ? std::nullopt : std::optional(found->made);
  });
  if (!made) return std::nullopt;
  const Id tenant = id_from(catalogue_.context(copy.seal_key_id)->row.tenant_id);
  const auto wrap = tenant_wrap(catalogue_, tenant, made->parent);
  Opened opened;
  opened.subject = made->subject;
  opened.owner = {layer->handle(), SecretBytes(kTreeKeySize)};
  if (!wrap || !subjects_.open_key(*made, *wrap, opened.owner.key.mutable_bytes())) {
    return std::nullopt;
  }
  const auto frame = layer->open(opened.owner.key.bytes(), key->ctx);
  const auto parsed = frame ? parse_frame(frame->bytes()) : Result<FrameView>(frame.error());
  if (!parsed) return std::nullopt;
  std::string_view value = parsed->value;
  if (row.in_relationship) {
    if (value.size() <= opened.relationship.size()) return std::nullopt;
    std::copy_n(as_bytes(value).begin(), opened.relationship.size(), opened.relationship.begin());
    value.remove_prefix(opened.relationship.size());
  }
  opened.value = SecretBytes::copy_of(value);
  return opened;
}

std::optional<RowOpener::Opened> RowOpener::open(const FoundRow& found) {
  if (row_schema(as_bytes(found.row)) != kBoundRowSchema) {
    const auto view = decode_token_row(as_bytes(found.row));
    return view ? open(*view, found.id) : std::nullopt;
  }
  const auto row = decode_bound_row(as_bytes(found.row));
  if (!row) return std::nullopt;
  for (const BoundCopy& copy : row->copies) {
    if (auto opened = open(*row, copy, found.id)) return opened;
  }
  return std::nullopt;
}

}  // namespace paravent::crypto::vault
