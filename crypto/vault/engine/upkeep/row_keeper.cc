#include "crypto/vault/engine/upkeep/row_keeper.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/rows/bound_sealer.h"
#include "crypto/vault/engine/rows/row_sealer.h"
#include "crypto/vault/engine/vault/index_jobs.h"
#include "crypto/vault/engine/vault/row_opener.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

// Rows per look at the store, and per durable write: opening them keeps the catalogue for some
// milliseconds, and a look at the store sorts its write buffers.
constexpr std::size_t kPage = 2048;
// Removing walks the whole index once: for many rows together, but not for more than memory likes.
constexpr std::size_t kMostGone = std::size_t{1} << 20U;

WallTime destroyed_at(const KeyRecord& key) {
  return std::max(key.since[static_cast<std::size_t>(KeyState::destroyed) - 1],
                  key.since[static_cast<std::size_t>(KeyState::destroyed_compromised) - 1]);
}

// The latest destruction of a key that rows lie under.
WallTime last_destruction(const Catalogue& catalogue) {
  WallTime last{};
  for (const auto& [id, key] : catalogue.keys().records()) {
    if (key.key_class == KeyClass::epoch && is_destroyed(key.condition.state)) {
      last = std::max(last, destroyed_at(key));
    }
  }
  return last;
}

bool is_moving(const Catalogue& catalogue) {
  return std::any_of(catalogue.index_versions().begin(), catalogue.index_versions().end(),
                     [](const auto& entry) { return entry.second.before != 0; });
}

}  // namespace

struct RowKeeper::Walk {
  RowWork work;
  WallTime destroyed_until{};
  std::map<Id, std::uint32_t> domains;  // whose index moves, and to which version
  Id after = kNoId;
  std::map<Id, std::uint64_t> moved;    // by domain
  std::map<Id, std::uint64_t> waiting;  // by domain, of those whose index moves
  std::vector<Id> gone;
  RowReport report;
  RowSealer sealer;
  BoundSealer bound_sealer;
};

namespace {

// One page's changes, found under the catalogue's lock and written without it.
struct PageChanges {
  std::vector<ReplacedRow> rows;
  std::vector<IndexKey> old_index;
  std::vector<IndexEntry> new_index;
  std::vector<Id> domains;  // of new_index
};

// One page, row by row. REQUIRES: the catalogue's lock is held.
class PageWork {
 public:
  PageWork(const Catalogue& catalogue, const SubjectStore& subjects, const LiveContexts& live,
           RowSealer& sealer, BoundSealer& bound_sealer)
      : catalogue_(catalogue),
        live_(live),
        opener_(catalogue, subjects),
        sealer_(sealer),
        bound_sealer_(bound_sealer) {}

  RowOpener& opener() { return opener_; }

  // False: the row has to wait.
  bool move_index(const FoundRow& found, const ContextRecord& context, PageChanges& changes) {
    const LiveToken* token = opener_.token_of(context.row.key_id);
    if (token == nullptr) return opener_is_request(context);
    if (!token->before) return true;
    const auto opened = opener_.open(found);
    if (!opened) return false;
    const auto value = as_text(opened->value.bytes());
    changes.old_index.push_back(index_before(*token, opened->relationship, opened->subject, value));
    changes.new_index.push_back(
        {index_of(*token, opened->relationship, opened->subject, value), found.id});
    return true;
  }

  bool reseal(const FoundRow& found, PageChanges& changes) {
    if (row_schema(as_bytes(found.row)) == kBoundRowSchema) return reseal_bound(found, changes);
    const auto view = decode_token_row(as_bytes(found.row));
    if (!view) return false;
    const std::uint32_t next = current(view->row.seal_key_id);
    if (next == view->row.seal_key_id) return true;
    const auto opened = opener_.open(*view, found.id);
    if (!opened) return false;
    TokenRow row = view->row;
    row.seal_key_id = next;
    auto sealed = sealer_.seal(row, found.id, *live_.seals.at(next).key,
                               as_text(opened->value.bytes()), opened->relationship);
    if (!sealed) return false;
    changes.rows.push_back({found.id, found.row, std::move(*sealed)});
    return true;
  }

  // Whether a row that does not open may do so later: a key above it is out of use, and not
  // destroyed. Else it is damaged, or its person is gone, and nobody waits for it.
  bool waits(const FoundRow& found) const {
    if (row_schema(as_bytes(found.row)) == kBoundRowSchema) {
      const auto row = decode_bound_row(as_bytes(found.row));
      return row && std::any_of(row->copies.begin(), row->copies.end(),
                                [&](const auto& copy) { return is_out_of_use(copy.seal_key_id); });
    }
    const auto view = decode_token_row(as_bytes(found.row));
    return view && is_out_of_use(view->row.seal_key_id);
  }

 private:
  bool is_out_of_use(std::uint32_t seal_key_id) const {
    const ContextRecord* seal = catalogue_.context(seal_key_id);
    const KeyRecord* key = seal == nullptr ? nullptr : catalogue_.keys().record(seal->parent);
    return key != nullptr && !is_destroyed(key->condition.state) &&
           !catalogue_.keys().usable(key->id, KeyOperation::open);
  }

  // Rows of request scope have no index.
  static bool opener_is_request(const ContextRecord& context) {
    return scope_of_row(context.row.scope_id) == Scope::request;
  }

  // The same where there is no newer one, or no policy uses its purpose any more.
  std::uint32_t current(std::uint32_t seal_key_id) const {
    const auto it = live_.current_seal.find(seal_key_id);
    return it == live_.current_seal.end() ? seal_key_id : it->second;
  }

  bool reseal_bound(const FoundRow& found, PageChanges& changes) {
    auto row = decode_bound_row(as_bytes(found.row));
    if (!row) return false;
    bool changed = false;
    for (BoundCopy& copy : row->copies) {
      const std::uint32_t next = current(copy.seal_key_id);
      if (next == copy.seal_key_id) continue;
      const auto opened = opener_.open(*row, copy, found.id);
      if (!opened) return false;
      copy.seal_key_id = next;
      if (!bound_sealer_.seal(*row, found.id, copy, *live_.seals.at(next).key, opened->owner,
                              as_text(opened->value.bytes()), opened->relationship)) {
        return false;
      }
      changed = true;
    }
    if (changed) changes.rows.push_back({found.id, found.row, encode_bound_row(*row)});
    return true;
  }

  const Catalogue& catalogue_;
  const LiveContexts& live_;
  RowOpener opener_;
  RowSealer& sealer_;
  BoundSealer& bound_sealer_;
};

}  // namespace

RowWork RowKeeper::wanted(Vault& vault) {
  const std::scoped_lock lock(vault.state_->mutex);
  const Catalogue& catalogue = *vault.state_->catalogue;
  RowWork work;
  work.purge = last_destruction(catalogue) > catalogue.row_wishes().purged_until;
  work.reseal = catalogue.row_wishes().reseal;
  work.reindex = is_moving(catalogue);
  return work;
}

Status RowKeeper::want_reseal(Vault& vault) {
  Vault::State& state = *vault.state_;
  const std::scoped_lock lock(state.mutex);
  RowWishes wishes = state.catalogue->row_wishes();
  if (wishes.reseal) return {};
  wishes.reseal = true;
  state.catalogue->put_row_wishes(wishes);
  return state.catalogue->commit();
}

Status RowKeeper::want_purge(Vault& vault) {
  Vault::State& state = *vault.state_;
  const std::scoped_lock lock(state.mutex);
  RowWishes wishes = state.catalogue->row_wishes();
  if (wishes.purged_until == WallTime{}) return {};
  wishes.purged_until = {};
  state.catalogue->put_row_wishes(wishes);
  return state.catalogue->commit();
}

Status RowKeeper::want_reindex(Vault& vault, std::string_view tenant, std::string_view domain) {
  Vault::State& state = *vault.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  const auto owner = catalogue.names().find(NameKind::tenant, kNoId, tenant);
  const auto id = owner ? catalogue.names().find(NameKind::domain, *owner, domain) : std::nullopt;
  if (!id) {
    return Error(ErrorKind::configuration, "The vault does not know the domain \"" +
                                               std::string(domain) + "\" of the tenant \"" +
                                               std::string(tenant) + "\".");
  }
  const auto key =
      catalogue.keys().find({.key_class = KeyClass::domain, .tenant = *owner, .domain = *id});
  if (!key || !catalogue.keys().usable(*key, KeyOperation::open)) {
    return Error(ErrorKind::sealed, "The key of the domain is disabled or destroyed.");
  }
  IndexVersions versions = catalogue.index_version(*id);
  if (versions.before != 0) {
    return Error(ErrorKind::busy, "The index of this domain is being moved already.");
  }
  versions = {versions.current + 1, versions.current, *key, versions.key};
  catalogue.put_index_versions(*id, versions);
  if (auto s = catalogue.commit(); !s) return s;
  state.renew_index();
  return {};
}

Result<bool> RowKeeper::page(Walk& walk) {
  Vault::State& state = *vault_.state_;
  const auto rows = state.tokens->scan(walk.after, kPage);
  if (!rows) return rows.error();
  PageChanges changes;
  std::uint64_t waiting = 0;
  {
    const std::scoped_lock lock(state.mutex);
    const std::shared_ptr<const LiveContexts> live = state.live.load();
    PageWork work(*state.catalogue, *state.subjects, *live, walk.sealer, walk.bound_sealer);
    for (const FoundRow& row : *rows) {
      RowOpener::Fault fault{};
      const ContextRecord* context = work.opener().context_of(row, fault);
      if (context == nullptr) continue;  // damaged, or newer than the key store: left alone
      if (work.opener().is_dead(row)) {
        if (walk.work.purge) walk.gone.push_back(row.id);
        continue;
      }
      bool done = true;
      if (walk.work.reseal) done = work.reseal(row, changes);
      const Id domain = id_from(context->row.domain_id);
      const bool moves = walk.domains.contains(domain);
      if (moves) {
        done = work.move_index(row, *context, changes) && done;
        changes.domains.resize(changes.new_index.size(), domain);
      }
      if (done || !work.waits(row)) continue;
      ++waiting;
      if (moves) ++walk.waiting[domain];
    }
  }
  walk.report.rows += rows->size();
  walk.report.waiting += waiting;
  if (!changes.rows.empty()) {
    if (auto s = state.tokens->replace(changes.rows); !s) return s.error();
    walk.report.resealed += static_cast<std::uint64_t>(std::count_if(
        changes.rows.begin(), changes.rows.end(), [](const auto& row) { return row.done; }));
  }
  if (!changes.new_index.empty()) {
    // Only what the old index leads to: it says whose value it is.
    std::vector<std::optional<FoundFacts>> held(changes.old_index.size());
    if (auto s = state.tokens->find(changes.old_index, held); !s) return s.error();
    std::vector<IndexKey> old_index;
    std::vector<IndexEntry> new_index;
    for (std::size_t i = 0; i < held.size(); ++i) {
      if (!held[i] || held[i]->id != changes.new_index[i].id) continue;
      ++walk.moved[changes.domains[i]];
      old_index.push_back(changes.old_index[i]);
      new_index.push_back(changes.new_index[i]);
    }
    if (!new_index.empty()) {
      // The new one first: a value is found under one of them at any moment.
      if (auto s = state.tokens->add_index(new_index); !s) return s.error();
      if (auto s = state.tokens->drop_index(old_index); !s) return s.error();
    }
    walk.report.moved += new_index.size();
  }
  if (walk.gone.size() >= kMostGone) {
    if (auto s = expire_dead(walk); !s) return s.error();
  }
  if (!rows->empty()) walk.after = rows->back().id;
  return rows->size() == kPage;
}

// A request that had the keys of before may have moved a row to a living key since it was looked
// at; after its round nobody does any more.
Status RowKeeper::expire_dead(Walk& walk) {
  if (walk.gone.empty()) return {};
  Vault::State& state = *vault_.state_;
  state.resolver.pass_round();
  std::vector<Id> dead;
  for (std::size_t at = 0; at < walk.gone.size(); at += kPage) {
    const auto ids = std::span(walk.gone).subspan(at, std::min(kPage, walk.gone.size() - at));
    std::vector<std::optional<std::string>> rows(ids.size());
    if (auto s = state.tokens->resolve(ids, rows); !s) return s;
    const std::scoped_lock lock(state.mutex);
    RowOpener opener(*state.catalogue, *state.subjects);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (rows[i] && opener.is_dead({ids[i], std::move(*rows[i])})) dead.push_back(ids[i]);
    }
  }
  walk.gone.clear();
  walk.report.removed += dead.size();
  return dead.empty() ? Status() : state.tokens->expire(dead);
}

Status RowKeeper::finish(const Walk& walk) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  RowWishes wishes = catalogue.row_wishes();
  if (walk.work.purge) wishes.purged_until = std::max(wishes.purged_until, walk.destroyed_until);
  if (walk.work.reseal) wishes.reseal = false;
  if (wishes != catalogue.row_wishes()) catalogue.put_row_wishes(wishes);
  // Nothing is left under the old index that could be moved: then it is searched no more. A row
  // that waits for its key keeps it.
  bool moved = false;
  for (const auto& [domain, current] : walk.domains) {
    if (walk.moved.contains(domain) || walk.waiting.contains(domain)) continue;
    IndexVersions versions = catalogue.index_version(domain);
    if (versions.before == 0 || versions.current != current) continue;  // destroyed meanwhile
    versions.before = 0;
    versions.key_before = kNoId;
    catalogue.put_index_versions(domain, versions);
    moved = true;
  }
  if (!catalogue.staged()) return {};
  if (auto s = catalogue.commit(); !s) return s;
  if (moved) state.renew_index();
  return {};
}

Result<std::optional<RowReport>> RowKeeper::run(
    const std::function<bool()>& stopped, const std::function<Status(const RowReport&)>& ending) {
  RowReport total;
  for (;;) {
    Walk walk;
    walk.work = wanted(vault_);
    if (!walk.work.any()) return std::optional(total);
    {
      const std::scoped_lock lock(vault_.state_->mutex);
      const Catalogue& catalogue = *vault_.state_->catalogue;
      walk.destroyed_until = last_destruction(catalogue);
      for (const auto& [domain, versions] : catalogue.index_versions()) {
        if (versions.before != 0) walk.domains.emplace(domain, versions.current);
      }
    }
    // Whatever still goes under an index that has begun to move, or under a key that was rotated or
    // destroyed, is there before the walk looks.
    vault_.state_->resolver.pass_round();
    for (bool more = true; more;) {
      if (stopped()) return std::optional<RowReport>();
      const auto went = page(walk);
      if (!went) return went.error();
      more = *went;
    }
    if (auto s = expire_dead(walk); !s) return s.error();
    // The index has to be seen whole once without anything to move; what waits is not waited for.
    const bool last = walk.domains.empty() || walk.report.moved == 0;
    total.rows += walk.report.rows;
    total.resealed += walk.report.resealed;
    total.moved += walk.report.moved;
    total.removed += walk.report.removed;
    total.waiting = walk.report.waiting;
    if (!last) continue;
    // Before anything counts as done, the entries that went are in no file any more, and whoever
    // is to know of it does.
    if (auto s = vault_.state_->tokens->forget_dropped(); !s) return s.error();
    if (ending) {
      if (auto s = ending(total); !s) return s.error();
    }
    if (auto s = finish(walk); !s) return s.error();
    return std::optional(total);
  }
}

}  // namespace paravent::crypto::vault
