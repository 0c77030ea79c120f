#include "crypto/vault/engine/subject_store.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "crypto/primitives/random.h"

namespace paravent::crypto::vault {
namespace {

// A store is written anew when it is opened and more than half of it is history.
constexpr std::uint64_t kWorthCompacting = 256 * 1024;
constexpr std::size_t kRewriteGroup = 512 * 1024;

// Cuts changes into groups, each of them whole.
std::vector<std::string> groups_of(std::span<const SubjectChange> changes) {
  std::vector<std::string> groups(1);
  for (const SubjectChange& change : changes) {
    if (groups.back().size() + kMaxSubjectChangeSize > kRewriteGroup) groups.emplace_back();
    append_subject_change(groups.back(), change);
  }
  return groups;
}

}  // namespace

SubjectStore::SubjectStore(const ShredSecret& shred) {
  shreds_.push_back({shred.number(), shred.wrapping_key()});
}

std::unique_ptr<SubjectStore> SubjectStore::in_memory(const ShredSecret& shred) {
  return std::unique_ptr<SubjectStore>(new SubjectStore(shred));
}

Result<std::unique_ptr<SubjectStore>> SubjectStore::create(const std::filesystem::path& keys_folder,
                                                           const Id& installation, const Id& store,
                                                           const RootKey& root,
                                                           const ShredSecret& shred) {
  std::unique_ptr<SubjectStore> made(new SubjectStore(shred));
  auto file = SubjectFile::create(keys_folder / kSubjectFile,
                                  {.installation = installation, .store = store},
                                  root.subject_store_mac_key());
  if (!file) return file.error();
  made->file_ = std::move(*file);
  return made;
}

Result<std::unique_ptr<SubjectStore>> SubjectStore::open(const std::filesystem::path& keys_folder,
                                                         const Id& installation, const Id& store,
                                                         const RootKey& root,
                                                         const ShredSecret& shred) {
  std::unique_ptr<SubjectStore> opened(new SubjectStore(shred));
  const std::filesystem::path path = keys_folder / kSubjectFile;
  auto file = SubjectFile::open(
      path, installation, store, root.subject_store_mac_key(), [&](ByteView bytes) {
        const auto changes = decode_subject_changes(bytes);
        return changes && std::all_of(changes->begin(), changes->end(), [&](const auto& change) {
                 return opened->table_.apply(change).has_value();
               });
      });
  if (!file) return file.error();
  opened->file_ = std::move(*file);
  if (auto s = opened->check_numbers(path); !s) return s.error();
  if (auto s = opened->compact(); !s) return s.error();
  return opened;
}

Status SubjectStore::check_numbers(const std::filesystem::path& path) const {
  bool known = true;
  table_.for_each([&](const Subject& subject) {
    for (const SubjectKey* key : table_.keys_of(subject)) {
      known = known && shred_of(key->made.shred_number) != nullptr;
    }
  });
  if (known) return {};
  return Error(ErrorKind::data, "The subject keys " + path.string() +
                                    " lie under another shred secret than the one beside them, as "
                                    "an older copy would; restore both from one key backup.");
}

const SubjectStore::Shred* SubjectStore::shred_of(std::uint32_t number) const {
  const auto it = std::find_if(shreds_.begin(), shreds_.end(),
                               [&](const Shred& shred) { return shred.number == number; });
  return it == shreds_.end() ? nullptr : &*it;
}

SubjectKeyMade SubjectStore::make_key(const Id& subject, const Id& purpose, const TenantWrap& wrap,
                                      WallTime now, std::uint32_t today) const {
  SubjectKeyMade made;
  made.handle = random_id();
  made.subject = subject;
  made.purpose = purpose;
  made.made = now;
  made.created_day = today;
  std::array<std::uint8_t, kTreeKeySize> key{};
  random_bytes(key);
  {
    const std::shared_lock lock(table_mutex_);
    made.shred_number = shreds_.back().number;
    wrap_subject_key(made, wrap.place, key, shreds_.back().key.bytes(), wrap.outer.bytes());
  }
  wipe(key);
  return made;
}

Status SubjectStore::commit(std::span<const SubjectChange> changes) {
  if (changes.empty()) return {};
  // Asked first: what contradicts the table must not reach the file.
  if (!read([&](const SubjectTable& table) { return table.fits(changes); })) {
    return Error(ErrorKind::data, "The subject keys do not take a change that contradicts them.");
  }
  // Readers wait for no disk, and see nothing that is not on it.
  if (file_) {
    if (auto s = file_->append(groups_of(changes)); !s) return s;
  }
  const std::unique_lock lock(table_mutex_);
  for (const SubjectChange& change : changes) {
    if (!table_.apply(change)) std::abort();
  }
  if (rewriting_) since_.insert(since_.end(), changes.begin(), changes.end());
  return {};
}

Status SubjectStore::open_key(const SubjectKeyMade& made, const TenantWrap& wrap,
                              MutableBytes key) const {
  const std::shared_lock lock(table_mutex_);
  const Shred* shred = shred_of(made.shred_number);
  if (shred == nullptr) {
    wipe(key);
    return Error(ErrorKind::data);
  }
  return unwrap_subject_key(made, wrap.place, shred->key.bytes(), wrap.outer.bytes(), key);
}

void SubjectStore::begin_shred(const ShredSecret& next) {
  const std::unique_lock lock(table_mutex_);
  if (shred_of(next.number()) != nullptr) return;
  shreds_.push_back({next.number(), next.wrapping_key()});
}

Status SubjectStore::rewrap(const WrapOf& wrap_of) {
  return write_anew([&](const Id& tenant, SubjectKeyMade& made) -> Status {
    if (made.shred_number == shreds_.back().number) return {};
    const auto wrap = wrap_of(tenant);
    if (!wrap) return wrap.error();
    std::array<std::uint8_t, kTreeKeySize> key{};
    Status status = open_key(made, **wrap, key);
    if (status) {
      made.shred_number = shreds_.back().number;
      wrap_subject_key(made, (*wrap)->place, key, shreds_.back().key.bytes(),
                       (*wrap)->outer.bytes());
    }
    wipe(key);
    return status;
  });
}

void SubjectStore::finish_shred() {
  const std::unique_lock lock(table_mutex_);
  shreds_.erase(shreds_.begin(), shreds_.end() - 1);
}

Status SubjectStore::write_anew(const KeyChange& change) {
  std::vector<SubjectChange> all;
  {
    const WriterLock writers(writer_mutex_);
    const std::unique_lock lock(table_mutex_);
    all.reserve(table_.subjects() + table_.keys());
    table_.for_each_change([&](const SubjectChange& one) { all.push_back(one); });
    since_.clear();
    rewriting_ = true;
  }
  Status status = change_keys(all, change);
  std::unique_ptr<SubjectFile> next;
  if (status && file_) {
    auto begun = file_->begin_rewrite();
    status = begun ? write_groups(**begun, all) : Status(begun.error());
    if (begun) next = std::move(*begun);
  }
  const WriterLock writers(writer_mutex_);
  if (status && next) {
    // Those of the meantime; keys among them lie under the current secret already.
    if (!since_.empty()) status = next->append(groups_of(since_), false);
    if (status) status = next->finish_rewrite();
  }
  const std::unique_lock lock(table_mutex_);
  rewriting_ = false;
  since_.clear();
  if (!status) return status;
  if (next) file_ = std::move(next);
  for (const SubjectChange& one : all) {
    const auto* made = std::get_if<SubjectKeyMade>(&one);
    if (made != nullptr && table_.by_handle(made->handle) != nullptr) table_.rewrap(*made);
  }
  return {};
}

Status SubjectStore::change_keys(std::vector<SubjectChange>& all, const KeyChange& change) {
  Id tenant{};
  for (SubjectChange& one : all) {
    if (const auto* subject = std::get_if<SubjectMade>(&one)) tenant = subject->tenant;
    if (auto* made = std::get_if<SubjectKeyMade>(&one)) {
      if (auto s = change(tenant, *made); !s) return s;
    }
  }
  return {};
}

Status SubjectStore::write_groups(SubjectFile& file, std::span<const SubjectChange> all) {
  // In pieces, so that a large store is not in memory a third time.
  constexpr std::size_t kPiece = 4096;
  for (std::size_t at = 0; at < all.size(); at += kPiece) {
    const auto piece = all.subspan(at, std::min(kPiece, all.size() - at));
    if (auto s = file.append(groups_of(piece), false); !s) return s;
  }
  return {};
}

Status SubjectStore::compact() {
  const std::uint64_t live = table_.subjects() * 70 + table_.keys() * kMaxSubjectChangeSize;
  if (file_->size() < kWorthCompacting || file_->size() < 2 * live) return {};
  return write_anew([](const Id&, SubjectKeyMade&) -> Status { return {}; });
}

std::uint64_t SubjectStore::file_size() const { return file_ ? file_->size() : 0; }

}  // namespace paravent::crypto::vault
