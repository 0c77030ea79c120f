#include "crypto/vault/engine/subjects/subject_store.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "crypto/primitives/random.h"

namespace paravent::crypto::vault {
namespace {

// A store is written anew when it is opened and more than half of it is history.
constexpr std::uint64_t kWorthCompacting = std::uint64_t{256} * 1024;
constexpr std::size_t kGroupSize = std::size_t{512} * 1024;
// So many changes at a time, so that a large store is not in memory a third time.
constexpr std::size_t kPiece = 4096;

// Cuts changes into groups, each of them whole.
std::vector<std::string> groups_of(std::span<const SubjectChange> changes) {
  std::vector<std::string> groups(1);
  for (const SubjectChange& change : changes) {
    if (groups.back().size() + kMaxSubjectChangeSize > kGroupSize) groups.emplace_back();
    append_subject_change(groups.back(), change);
  }
  return groups;
}

Status append_pieces(SubjectFile& file, std::span<const SubjectChange> changes) {
  for (std::size_t at = 0; at < changes.size(); at += kPiece) {
    const auto piece = changes.subspan(at, std::min(kPiece, changes.size() - at));
    if (auto s = file.append(groups_of(piece), false); !s) return s;
  }
  return {};
}

// Whether a key ends that an older copy of the file still has.
bool ends_a_key(const SubjectChange& change, const SubjectTable& table) {
  const auto* erased = std::get_if<SubjectErased>(&change);
  if (erased == nullptr) return std::holds_alternative<SubjectKeyDestroyed>(change);
  const Subject* subject = table.by_id(erased->subject);
  return subject != nullptr && !table.keys_of(*subject).empty();
}

bool destroys(const SubjectChange& change) {
  return std::holds_alternative<SubjectErased>(change) ||
         std::holds_alternative<SubjectKeyDestroyed>(change);
}

}  // namespace

// What a destroy batch makes of a list of changes: keys whose parent goes are left out, subjects
// that so lose every key with them, and every other key gets its new inner wrap.
class SubjectStore::Rewrapper {
 public:
  Rewrapper(const SubjectStore& store, Prepared& out, const std::set<Id>& gone,
            const std::map<Id, Id>& moved, const WrapOf& wrap_of)
      : store_(store), out_(out), gone_(gone), moved_(moved), wrap_of_(wrap_of) {}

  Status run(std::vector<SubjectChange>& changes) {
    if (!gone_.empty()) leave_out(changes);
    for (SubjectChange& change : changes) {
      auto* made = std::get_if<SubjectKeyMade>(&change);
      if (made == nullptr) continue;
      if (auto s = rewrap(*made); !s) return s;
    }
    return {};
  }

 private:
  void leave_out(std::vector<SubjectChange>& changes) {
    std::set<Id> losing;
    std::set<Id> keeping;
    for (const SubjectChange& change : changes) {
      const auto* made = std::get_if<SubjectKeyMade>(&change);
      if (made == nullptr) continue;
      if (gone_.contains(made->parent) || losing_.contains(made->subject)) {
        left_out_.insert(made->handle);
        out_.drops.emplace_back(SubjectKeyDestroyed{made->handle});
        losing.insert(made->subject);
      } else {
        keeping.insert(made->subject);
      }
    }
    for (const Id& subject : losing) {
      if (keeping.contains(subject) || !losing_.insert(subject).second) continue;
      out_.drops.emplace_back(SubjectErased{subject});
    }
    std::erase_if(changes, [this](const SubjectChange& change) { return is_left_out(change); });
  }

  bool is_left_out(const SubjectChange& change) const {
    return std::visit(
        [this](const auto& held) {
          if constexpr (requires { held.handle; }) {
            return left_out_.contains(held.handle);  // also of every key of a subject that goes
          } else if constexpr (requires { held.subject; }) {
            return losing_.contains(held.subject);
          } else {
            return losing_.contains(held.id);
          }
        },
        change);
  }

  // Null, with the error in `status`: it does not open.
  const TenantWrap* wrap_under(const Id& parent, Status& status) {
    auto it = wraps_.find(parent);
    if (it == wraps_.end()) {
      auto wrap = wrap_of_(parent);
      if (!wrap) {
        status = wrap.error();
        return nullptr;
      }
      it = wraps_.emplace(parent, std::move(*wrap)).first;
    }
    return &it->second;
  }

  Status rewrap(SubjectKeyMade& made) {
    const auto moved = moved_.find(made.parent);
    Status status;
    const TenantWrap* from = wrap_under(made.parent, status);
    const TenantWrap* to = moved == moved_.end() ? from : wrap_under(moved->second, status);
    if (from == nullptr || to == nullptr) return status;
    SecretBytes key(kTreeKeySize);
    status = store_.open_key(made, *from, key.mutable_bytes());
    if (status) {
      made.shred_number = out_.shred.number;
      made.parent = to->parent;
      wrap_subject_key(made, to->tenant, key.bytes(), out_.shred.key.bytes(), to->outer.bytes());
      out_.keys.push_back(made);
    } else {
      status = Error(ErrorKind::data,
                     "A subject key does not open; restore the keys folder from a key backup.");
    }
    return status;
  }

  const SubjectStore& store_;
  Prepared& out_;
  const std::set<Id>& gone_;
  const std::map<Id, Id>& moved_;
  const WrapOf& wrap_of_;
  std::map<Id, TenantWrap> wraps_;
  std::set<Id> left_out_;  // keys
  std::set<Id> losing_;    // subjects that keep no key
};

SubjectStore::SubjectStore(const ShredSecret& shred)
    : shred_{shred.number(), shred.wrapping_key()} {}

std::unique_ptr<SubjectStore> SubjectStore::in_memory(const ShredSecret& shred) {
  return std::unique_ptr<SubjectStore>(new SubjectStore(shred));
}

Result<std::unique_ptr<SubjectStore>> SubjectStore::create(const std::filesystem::path& keys_folder,
                                                           const Id& installation, const Id& store,
                                                           const SecretBytes& mac_key,
                                                           const ShredSecret& shred) {
  std::unique_ptr<SubjectStore> made(new SubjectStore(shred));
  auto file = SubjectFile::create(
      keys_folder / kSubjectFile,
      {.installation = installation, .store = store, .shred_number = shred.number()}, mac_key);
  if (!file) return file.error();
  made->file_ = std::move(*file);
  return made;
}

Result<std::unique_ptr<SubjectStore>> SubjectStore::open(const std::filesystem::path& keys_folder,
                                                         const Id& installation, const Id& store,
                                                         const SecretBytes& mac_key,
                                                         const ShredSecret& shred) {
  std::unique_ptr<SubjectStore> opened(new SubjectStore(shred));
  const std::filesystem::path path = keys_folder / kSubjectFile;
  if (auto s = SubjectFile::settle(path, shred.number(), mac_key); !s) return s.error();
  auto file = SubjectFile::open(path, installation, store, mac_key, [&](ByteView bytes) {
    const auto changes = decode_subject_changes(bytes);
    if (!changes) return false;
    return std::all_of(changes->begin(), changes->end(), [&](const SubjectChange& change) {
      opened->owes_renewal_ = opened->owes_renewal_ || ends_a_key(change, opened->table_);
      opened->note_erased(change);
      return opened->table_.apply(change).has_value();
    });
  });
  if (!file) return file.error();
  if ((*file)->head().shred_number != shred.number()) {
    return Error(ErrorKind::data, "The subject keys " + path.string() +
                                      " lie under another shred secret than the one beside them, "
                                      "as an older copy would; restore the keys folder as a whole "
                                      "from a key backup.");
  }
  opened->file_ = std::move(*file);
  if (auto s = opened->compact(); !s) return s.error();
  return opened;
}

// History alone goes: the secret stays, and what was erased is still owed to it; or to the token
// store, whose rows nothing else would name.
Status SubjectStore::compact() {
  const std::uint64_t live = table_.subjects() * 70 + table_.keys() * kMaxSubjectChangeSize;
  if (owes_renewal_ || !erased_.empty() || file_->size() < kWorthCompacting ||
      file_->size() < 2 * live)
    return {};
  auto next = file_->begin_rewrite(shred_.number);
  if (!next) return next.error();
  std::vector<SubjectChange> piece;
  Status status;
  table_.for_each_change([&](const SubjectChange& change) {
    piece.push_back(change);
    if (piece.size() < kPiece || !status) return;
    status = append_pieces(**next, piece);
    piece.clear();
  });
  if (status) status = append_pieces(**next, piece);
  if (status) status = (*next)->finish_rewrite();
  if (status) file_ = std::move(*next);
  return status;
}

SubjectKeyMade SubjectStore::make_key(const Id& subject, const Id& purpose, const TenantWrap& wrap,
                                      WallTime now, std::uint32_t today) const {
  SubjectKeyMade made;
  made.handle = random_id();
  made.subject = subject;
  made.purpose = purpose;
  made.parent = wrap.parent;
  made.made = now;
  made.created_day = today;
  made.shred_number = shred_.number;
  SecretBytes key(kTreeKeySize);
  random_bytes(key.mutable_bytes());
  wrap_subject_key(made, wrap.tenant, key.bytes(), shred_.key.bytes(), wrap.outer.bytes());
  return made;
}

Status SubjectStore::commit(std::span<const SubjectChange> changes) {
  if (changes.empty()) return {};
  // Asked first: what contradicts the table must not reach the file.
  if (!read([&](const SubjectTable& table) { return table.fits(changes); })) {
    return Error(ErrorKind::data, "The subject keys do not take a change that contradicts them.");
  }
  return write(changes, file_ ? groups_of(changes) : std::vector<std::string>());
}

// Memory that runs out here ends the process: the table would miss what the file has.
Status SubjectStore::write(std::span<const SubjectChange> changes,
                           std::span<const std::string> groups) noexcept {
  // Readers wait for no disk, and see nothing that is not on it.
  if (file_) {
    if (auto s = file_->append(groups); !s) return s;
  }
  const std::unique_lock lock(table_mutex_);
  for (const SubjectChange& change : changes) {
    owes_renewal_ = owes_renewal_ || ends_a_key(change, table_);
    note_erased(change);
    if (!table_.apply(change)) std::abort();
  }
  if (preparing_) since_.insert(since_.end(), changes.begin(), changes.end());
  return {};
}

Status SubjectStore::open_key(const SubjectKeyMade& made, const TenantWrap& wrap,
                              MutableBytes key) const {
  const std::shared_lock lock(table_mutex_);
  if (made.shred_number == shred_.number && made.parent == wrap.parent) {
    return unwrap_subject_key(made, wrap.tenant, shred_.key.bytes(), wrap.outer.bytes(), key);
  }
  wipe(key);
  return Error(ErrorKind::data);
}

// Before the table forgets who it was.
void SubjectStore::note_erased(const SubjectChange& change) {
  const auto* erased = std::get_if<SubjectErased>(&change);
  const Subject* subject = erased != nullptr ? table_.by_id(erased->subject) : nullptr;
  if (subject != nullptr) erased_.emplace(erased->subject, subject->made.tenant);
}

std::vector<Id> SubjectStore::erased() const {
  const std::shared_lock lock(table_mutex_);
  std::vector<Id> out;
  for (const auto& [subject, tenant] : erased_) out.push_back(subject);
  return out;
}

void SubjectStore::rows_are_gone(std::span<const Id> subjects) {
  const std::unique_lock lock(table_mutex_);
  for (const Id& subject : subjects) erased_.erase(subject);
}

// What a file says of somebody of whom only the id is left to be known: made, and erased. REQUIRES:
// the table's lock is held.
std::vector<SubjectChange> SubjectStore::names_of_erased() const {
  std::vector<SubjectChange> out;
  for (const auto& [subject, tenant] : erased_) {
    SubjectMade nobody{subject, tenant, {}, false, 0};
    random_bytes(nobody.reference);
    out.emplace_back(nobody);
    out.emplace_back(SubjectErased{subject});
  }
  return out;
}

bool SubjectStore::owes_renewal() const {
  const std::shared_lock lock(table_mutex_);
  return owes_renewal_;
}

Status SubjectStore::prepare(const ShredSecret& to, const std::set<Id>& gone,
                             const std::map<Id, Id>& moved, const WrapOf& wrap_of) {
  if (prepared_) std::abort();
  prepared_ = std::make_unique<Prepared>();
  prepared_->shred = {to.number(), to.wrapping_key()};
  std::vector<SubjectChange> all;
  std::vector<SubjectChange> names;
  {
    const WriterLock writers(writer_mutex_);
    const std::unique_lock lock(table_mutex_);
    all.reserve(table_.subjects() + table_.keys());
    table_.for_each_change([&](const SubjectChange& one) { all.push_back(one); });
    names = names_of_erased();  // who follows is in `all`, and erased in `since_`
    since_.clear();
    preparing_ = true;
  }
  Rewrapper rewrapper(*this, *prepared_, gone, moved, wrap_of);
  Status status = prepare_changes(all, rewrapper);
  if (status) status = prepare_changes(names, rewrapper);
  // From here on nobody changes anything; what was changed meanwhile follows.
  prepared_->writers = WriterLock(writer_mutex_);
  preparing_ = false;
  // What was erased meanwhile lies in the new file under the new secret, and so is owed again.
  prepared_->owes_renewal = std::any_of(since_.begin(), since_.end(), destroys);
  if (status) status = prepare_changes(since_, rewrapper);
  since_.clear();
  if (!status) {
    cancel();
    return status;
  }
  if (prepared_->file) prepared_->file->sync_rewrite();
  return {};
}

Status SubjectStore::prepare_changes(std::vector<SubjectChange>& changes, Rewrapper& rewrapper) {
  if (auto s = rewrapper.run(changes); !s) return s;
  if (!file_) return {};
  if (!prepared_->file) {
    auto begun = file_->begin_rewrite(prepared_->shred.number);
    if (!begun) return begun.error();
    prepared_->file = std::move(*begun);
  }
  return append_pieces(*prepared_->file, changes);
}

void SubjectStore::finish() {
  if (!prepared_) std::abort();
  if (prepared_->file) {
    if (!prepared_->file->finish_rewrite()) std::abort();  // the batch has happened
    file_ = std::move(prepared_->file);
  }
  {
    const std::unique_lock lock(table_mutex_);
    shred_ = std::move(prepared_->shred);
    for (const SubjectKeyMade& made : prepared_->keys) {
      if (table_.by_handle(made.handle) != nullptr) table_.rewrap(made);
    }
    for (const SubjectChange& drop : prepared_->drops) {
      // Erased by somebody else meanwhile: gone all the same.
      if (table_.fits(std::span(&drop, 1)) && !table_.apply(drop)) std::abort();
    }
    owes_renewal_ = prepared_->owes_renewal;
  }
  prepared_.reset();
}

void SubjectStore::cancel() {
  prepared_.reset();  // the file beside goes with it
}

}  // namespace paravent::crypto::vault
