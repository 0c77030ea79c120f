#include "crypto/vault/engine/vault/vault.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "crypto/keys/key_use.h"
#include "crypto/vault/engine/keys/file_key_store.h"
#include "crypto/vault/engine/keys/memory_key_store.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "crypto/vault/engine/vault/erased_rows.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

// An entry dated just before midnight may be written just after it.
constexpr std::chrono::hours kMonthGrace{1};

// The tenant's key, made with the tenant.
Result<Id> tenant_key(Catalogue& catalogue, const Id& tenant, WallTime now) {
  return catalogue.ensure_key({.key_class = KeyClass::tenant, .tenant = tenant}, kNoId, now);
}

Status register_policy(Catalogue& catalogue, const PolicyNames& policy, WallTime now) {
  const Id tenant = catalogue.ensure_name(NameKind::tenant, kNoId, policy.tenant);
  const auto parent = tenant_key(catalogue, tenant, now);
  if (!parent) return parent.error();
  for (const std::string& name : policy.domains) {
    const Id domain = catalogue.ensure_name(NameKind::domain, tenant, name);
    const auto key = catalogue.ensure_key(
        {.key_class = KeyClass::domain, .tenant = tenant, .domain = domain}, *parent, now);
    if (!key) return key.error();
  }
  for (const std::string& name : policy.purposes) {
    catalogue.ensure_name(NameKind::purpose, tenant, name);
  }
  return {};
}

// Stages it.
Status rename_name(Catalogue& catalogue, NameKind kind, std::string_view tenant,
                   std::string_view old_name, std::string_view new_name) {
  const NameRegistry& names = catalogue.names();
  const std::string what(name_kind_text(kind));
  Id owner = kNoId;
  if (kind != NameKind::tenant) {
    const auto found = names.find(NameKind::tenant, kNoId, tenant);
    if (!found) {
      return Error(ErrorKind::configuration,
                   "The vault does not know the tenant \"" + std::string(tenant) + "\".");
    }
    owner = *found;
  }
  const auto id = names.find(kind, owner, old_name);
  if (!id) {
    return Error(ErrorKind::configuration,
                 "The vault does not know the " + what + " \"" + std::string(old_name) + "\".");
  }
  if (new_name.empty() || new_name.size() > kMaxNameSize || names.find(kind, owner, new_name)) {
    return Error(ErrorKind::configuration, "The " + what + " name \"" + std::string(new_name) +
                                               "\" is taken or is not 1 to 255 bytes long.");
  }
  catalogue.rename(*id, new_name);
  return {};
}

// NEW says which kind of name is meant: it is one of the policy that the store does not know yet.
Status rename_for(Catalogue& catalogue, const PolicyNames& policy, const Renaming& renaming,
                  std::string& described) {
  const auto unknown = catalogue.names().unknown(std::span(&policy, 1));
  const auto found = std::find_if(unknown.begin(), unknown.end(), [&](const UnknownName& one) {
    return one.name == renaming.new_name;
  });
  if (found == unknown.end()) {
    return Error(ErrorKind::configuration, "The policy has no name " + renaming.new_name +
                                               " that the store does not know already.");
  }
  if (auto s =
          rename_name(catalogue, found->kind, policy.tenant, renaming.old_name, renaming.new_name);
      !s) {
    return s;
  }
  described += std::string(name_kind_text(found->kind)) + " " + renaming.old_name + " is now " +
               renaming.new_name + "; ";
  return {};
}

Status check_known(const std::vector<UnknownName>& unknown) {
  if (unknown.empty()) return {};
  std::string list;
  for (const UnknownName& name : unknown) {
    list += list.empty() ? "" : ", ";
    list += std::string(name_kind_text(name.kind)) + " \"" + name.name + "\"";
    if (name.kind != NameKind::tenant) list += " of tenant \"" + name.tenant + "\"";
  }
  return Error(
      ErrorKind::configuration,
      "The vault does not know " + list +
          "; stop the gateway and run paravent policy apply POLICY --config GATEWAY_FILE, with "
          "--create when new, or with --rename OLD=NEW when renamed.");
}

// Stages everything; what changes, in words.
Result<std::string> stage_names(Catalogue& catalogue, const PolicyNames& policy,
                                std::span<const Renaming> renamings, bool create, WallTime now) {
  std::string described;
  for (const Renaming& renaming : renamings) {
    if (auto s = rename_for(catalogue, policy, renaming, described); !s) return s.error();
  }
  const auto unknown = catalogue.names().unknown(std::span(&policy, 1));
  if (!create && catalogue.names().has_tenants()) {
    if (auto s = check_known(unknown); !s) return s.error();
    return described;
  }
  if (auto s = register_policy(catalogue, policy, now); !s) return s.error();
  if (!unknown.empty()) described += "created ";
  for (const UnknownName& one : unknown) {
    described += std::string(name_kind_text(one.kind)) + " " + one.name + "; ";
  }
  return described;
}

Status check_sizes(std::span<const PolicyNames> policies) {
  const auto good = [](const std::string& name) {
    return !name.empty() && name.size() <= kMaxNameSize;
  };
  for (const PolicyNames& policy : policies) {
    bool all = good(policy.tenant);
    for (const std::string& name : policy.domains) all = all && good(name);
    for (const std::string& name : policy.purposes) all = all && good(name);
    if (!all) {
      return Error(ErrorKind::configuration,
                   "Names of tenants, domains and purposes have 1 to 255 bytes.");
    }
  }
  return {};
}

// The subject store beside a catalogue. What authenticates it is a key of the tree, so that a key
// store which knows that key and finds no file has lost one; a file that no such key belongs to was
// never relied upon.
Result<std::unique_ptr<SubjectStore>> open_subjects(Catalogue& catalogue, DataDirectory& data,
                                                    WallTime now) {
  const KeyPlace place{.key_class = KeyClass::subject_store};
  const auto known = catalogue.keys().find(place);
  if (!known) {
    std::error_code error;
    const auto stale = data.keys() / kSubjectFile;
    if (std::filesystem::exists(stale, error)) {
      if (auto s = remove_file_durably(stale); !s) return s.error();
    }
  }
  const auto key = catalogue.ensure_key(place, kNoId, now);
  if (!key) return key.error();
  const auto mac_key = catalogue.keys().open(*key);
  if (!mac_key) return mac_key.error();
  auto store = known ? SubjectStore::open(data.keys(), catalogue.installation(), *key, *mac_key,
                                          catalogue.shred())
                     : SubjectStore::create(data.keys(), catalogue.installation(), *key, *mac_key,
                                            catalogue.shred());
  if (!store) return store.error();
  if (auto s = catalogue.commit(); !s) return s.error();
  return store;
}

// Each renewal has made older copies of the keys worthless, but for whoever kept key store and
// shred secret together: such a pair beside a store that knows better is refused.
Status check_age(const Catalogue& catalogue, TokenStore& tokens, const DataDirectory& data,
                 OlderKeys older) {
  const auto noted = tokens.renewals_noted();
  if (!noted) return noted.error();
  const std::uint32_t number = catalogue.shred().number();
  if (*noted > number && older == OlderKeys::refused) {
    return Error(ErrorKind::data,
                 "The keys in " + data.keys().string() +
                     " are older than the token store and would "
                     "undo " +
                     std::to_string(*noted - number) +
                     " destructions, erasures or rotations; put the newest keys back, or accept "
                     "these with: paravent keys accept-older --data " +
                     data.path().string() + " --reason WHY");
  }
  // What cannot be noted now is noted at the next opening. The first secret has nothing before it.
  if (*noted < number && number > 1) std::ignore = tokens.note_renewals(number);
  return {};
}

Error known_refused() {
  return Error(ErrorKind::configuration,
               "The system does not give the memory that vault.memory.known-tokens asks for; ask "
               "for less.");
}

}  // namespace

Vault::Vault(std::unique_ptr<State> state) : state_(std::move(state)) {}

Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::initialise(DataDirectory& data, RootKey root,
                                                 const Clock& clock, const KeepRoot& keep_root,
                                                 VaultMemory memory) {
  if (auto s = data.begin_initialisation(); !s) return s.error();
  const Id installation = random_id();
  if (keep_root) {
    if (auto s = keep_root(root, installation); !s) return s.error();
  }
  auto shred = ShredSecret::create(data.keys() / kShredSecretFile, installation);
  if (!shred) return shred.error();
  auto tokens = RocksdbTokenStore::create(data.store(), installation, nullptr, memory.store);
  if (!tokens) return tokens.error();
  auto keys = FileKeyStore::create(data.keys() / kKeyStoreFile, installation, root);
  if (!keys) return keys.error();
  KeyTree tree(root, *shred);
  auto catalogue = Catalogue::load(std::move(*keys), std::move(tree), std::move(*shred),
                                   ShredFiles(data.keys(), installation));
  if (!catalogue) return catalogue.error();
  auto subjects = open_subjects(**catalogue, data, clock.now());
  if (!subjects) return subjects.error();
  if (auto s = data.finish_initialisation(); !s) return s.error();
  auto state = std::make_unique<State>(std::move(*catalogue), std::move(*subjects),
                                       std::move(*tokens), clock, memory);
  if (state->tokens->known().capacity() == 0) return known_refused();
  // Where an erasure was broken off. What fails here is for the keepers.
  std::ignore = remove_rows_of_erased(*state->subjects, *state->tokens);
  return std::unique_ptr<Vault>(new Vault(std::move(state)));
}

Result<std::unique_ptr<Vault>> Vault::open(DataDirectory& data, RootKey root, const Clock& clock,
                                           VaultMemory memory, OlderKeys older) {
  if (!data.is_initialised()) {
    return Error(ErrorKind::data, "The data directory " + data.path().string() +
                                      " holds no vault yet; make one with: paravent init --data " +
                                      data.path().string());
  }
  auto keys = FileKeyStore::open(data.keys() / kKeyStoreFile, root);
  if (!keys) return keys.error();
  const Id installation = (*keys)->installation();
  ShredFiles files(data.keys(), installation);
  auto shred = files.settle((*keys)->shred_number());
  if (!shred) return shred.error();
  KeyTree tree(root, *shred);
  auto catalogue =
      Catalogue::load(std::move(*keys), std::move(tree), std::move(*shred), std::move(files));
  if (!catalogue) return catalogue.error();
  auto subjects = open_subjects(**catalogue, data, clock.now());
  if (!subjects) return subjects.error();
  auto tokens = RocksdbTokenStore::open(data.store(), installation, nullptr, memory.store);
  if (!tokens) return tokens.error();
  if (auto s = check_age(**catalogue, **tokens, data, older); !s) return s.error();
  auto state = std::make_unique<State>(std::move(*catalogue), std::move(*subjects),
                                       std::move(*tokens), clock, memory);
  if (state->tokens->known().capacity() == 0) return known_refused();
  return std::unique_ptr<Vault>(new Vault(std::move(state)));
}

Result<std::unique_ptr<Vault>> Vault::in_memory(const Clock& clock,
                                                std::unique_ptr<TokenStore> rows) {
  auto catalogue =
      Catalogue::load(std::make_unique<MemoryKeyStore>(random_id()), RootKey::ephemeral());
  if (!catalogue) return catalogue.error();
  auto subjects = SubjectStore::in_memory((*catalogue)->shred());
  if (rows == nullptr) rows = std::make_unique<MemoryTokenStore>();
  return std::unique_ptr<Vault>(new Vault(
      std::make_unique<State>(std::move(*catalogue), std::move(subjects), std::move(rows), clock)));
}

const Id& Vault::installation_id() const noexcept { return state_->installation; }

bool Vault::has_tenants() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->names().has_tenants();
}

std::vector<std::pair<std::string, Id>> Vault::tenants() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->names().tenants();
}

std::optional<Id> Vault::tenant_id(std::string_view tenant) const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->names().find(NameKind::tenant, kNoId, tenant);
}

std::vector<UnknownName> Vault::unknown_names(std::span<const PolicyNames> policies) const {
  const std::scoped_lock lock(state_->mutex);
  return state_->catalogue->names().unknown(policies);
}

Status Vault::check_names(std::span<const PolicyNames> policies) const {
  return check_known(unknown_names(policies));
}

Status Vault::register_names(std::span<const PolicyNames> policies) {
  if (auto s = check_sizes(policies); !s) return s;
  const std::scoped_lock lock(state_->mutex);
  Catalogue& catalogue = *state_->catalogue;
  for (const PolicyNames& policy : policies) {
    if (auto s = register_policy(catalogue, policy, state_->clock.now()); !s) {
      catalogue.roll_back();
      return s;
    }
  }
  return catalogue.commit();
}

Status Vault::admit_names(std::span<const PolicyNames> policies) {
  return has_tenants() ? check_names(policies) : register_names(policies);
}

Status Vault::rename(NameKind kind, std::string_view tenant, std::string_view old_name,
                     std::string_view new_name) {
  const std::scoped_lock lock(state_->mutex);
  Catalogue& catalogue = *state_->catalogue;
  if (auto s = rename_name(catalogue, kind, tenant, old_name, new_name); !s) return s;
  return catalogue.commit();
}

Result<std::string> Vault::change_names(const PolicyNames& policy,
                                        std::span<const Renaming> renamings, bool create,
                                        NamesStep step) {
  if (auto s = check_sizes(std::span(&policy, 1)); !s) return s.error();
  const std::scoped_lock lock(state_->mutex);
  Catalogue& catalogue = *state_->catalogue;
  auto described = stage_names(catalogue, policy, renamings, create, state_->clock.now());
  if (!described || step == NamesStep::plan) {
    catalogue.roll_back();
    return described;
  }
  if (auto s = catalogue.commit(); !s) return s.error();
  return described;
}

bool Vault::answer_known(ResolveBatch& batch) { return state_->resolver.answer_known(batch); }

void Vault::resolve(std::shared_ptr<ResolveBatch> batch) {
  state_->resolver.submit(std::move(batch));
}

Result<SecretBytes> Vault::audit_signing_seed(std::optional<Id> tenant) {
  const std::scoped_lock lock(state_->mutex);
  Catalogue& catalogue = *state_->catalogue;
  const auto key =
      catalogue.ensure_key({.key_class = KeyClass::audit_seed, .tenant = tenant.value_or(kNoId)},
                           kNoId, state_->clock.now());
  if (!key) return key.error();
  if (auto s = catalogue.commit(); !s) return s.error();
  return catalogue.keys().open(*key);
}

bool Vault::has_audit_history(const Id& tenant) const {
  const std::scoped_lock lock(state_->mutex);
  const auto& records = state_->catalogue->keys().records();
  return std::any_of(records.begin(), records.end(), [&tenant](const auto& entry) {
    return entry.second.key_class == KeyClass::audit_detail && entry.second.tenant == tenant;
  });
}

Result<SecretBytes> Vault::audit_detail_key(std::optional<Id> tenant, WallTime month) {
  const std::scoped_lock lock(state_->mutex);
  Catalogue& catalogue = *state_->catalogue;
  const Id owner = tenant.value_or(kNoId);
  const KeyPlace place{.key_class = KeyClass::audit_detail,
                       .tenant = owner,
                       .epoch = epoch_at(EpochLength::month, month)};
  std::optional<Id> key = catalogue.keys().find(place);
  const WallTime now = state_->clock.now();
  const bool is_now = now >= epoch_start(place.epoch) && now < epoch_end(place.epoch) + kMonthGrace;
  if (!key) {
    // A key of a past month that is not there was destroyed on purpose; a new one would hide that.
    if (!is_now) return Error(ErrorKind::refused);
    const auto made = catalogue.ensure_key(place, kNoId, now);
    if (!made) return made.error();
    if (auto s = catalogue.commit(); !s) return s.error();
    key = *made;
  } else if (is_now && catalogue.keys().record(*key)->condition.state == KeyState::suspended) {
    // Only the keeper disables these, and none in its own month but by a clock that ran ahead. With
    // the key out of use nothing could be put on record: no start, no freeze, no confirmation.
    if (auto s = catalogue.apply(*key, KeyOperation::enable, now); !s) return s.error();
    if (auto s = catalogue.commit(); !s) return s.error();
  }
  const auto parent = catalogue.keys().open(*key);
  if (!parent) return parent.error();
  return derive_use_key(parent->bytes(), KeyUse::audit_detail, id_text(owner));
}

VaultCounters Vault::counters() const { return state_->resolver.counters(); }

StoreStatistics Vault::store_statistics() const { return state_->tokens->statistics(); }

}  // namespace paravent::crypto::vault
