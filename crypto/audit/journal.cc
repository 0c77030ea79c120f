#include "crypto/audit/journal.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "crypto/audit/signed_note.h"
#include "crypto/audit/tile_layout.h"
#include "crypto/tokens/crc32c.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::string_view kMagic = "PVJ1";
constexpr std::size_t kHeadSize = 4 + 8 + 4 + 8 + 8;
constexpr std::size_t kFrameSize = kHeadSize + 4 + 4 + 4;

std::size_t aligned(std::size_t size) noexcept {
  return (size + kJournalAlignment - 1) / kJournalAlignment * kJournalAlignment;
}

std::size_t record_size(const JournalStep& step) noexcept {
  return kFrameSize + step.checkpoint.size() + step.entries.size();
}

void append_record(std::string& out, std::uint64_t generation, std::uint32_t number,
                   const JournalStep& step) {
  const std::size_t begin = out.size();
  out.append(kMagic);
  append_u64be(out, generation);
  append_u32be(out, number);
  append_u64be(out, step.old_size);
  append_u64be(out, step.new_size);
  append_u32be(out, static_cast<std::uint32_t>(step.checkpoint.size()));
  out.append(step.checkpoint);
  append_u32be(out, static_cast<std::uint32_t>(step.entries.size()));
  out.append(step.entries);
  append_u32be(out, crc32c(as_bytes(std::string_view(out).substr(begin))));
}

std::uint64_t load_u64be(const std::uint8_t* p) noexcept {
  return (std::uint64_t{load_u32be(p)} << 32U) | load_u32be(p + 4);
}

struct Record {
  std::uint64_t generation = 0;
  std::uint32_t number = 0;
  JournalStep step;
  std::size_t size = 0;
};

// nullopt: no whole record begins here.
std::optional<Record> read_record(ByteView bytes) {
  if (bytes.size() < kFrameSize || !as_text(bytes).starts_with(kMagic)) return std::nullopt;
  Record record;
  record.generation = load_u64be(bytes.data() + 4);
  record.number = load_u32be(bytes.data() + 12);
  record.step.old_size = load_u64be(bytes.data() + 16);
  record.step.new_size = load_u64be(bytes.data() + 24);
  const std::size_t checkpoint = load_u32be(bytes.data() + kHeadSize);
  if (checkpoint > kMaxNoteSize || kFrameSize + checkpoint > bytes.size()) return std::nullopt;
  const std::size_t entries = load_u32be(bytes.data() + kHeadSize + 4 + checkpoint);
  if (entries > bytes.size() - kFrameSize - checkpoint) return std::nullopt;
  record.size = kFrameSize + checkpoint + entries;
  const ByteView covered = bytes.first(record.size - 4);
  if (crc32c(covered) != load_u32be(bytes.data() + covered.size())) return std::nullopt;
  record.step.checkpoint = as_text(bytes).substr(kHeadSize + 4, checkpoint);
  record.step.entries = as_text(bytes).substr(kHeadSize + 8 + checkpoint, entries);
  return record;
}

struct Half {
  std::uint64_t generation = 0;
  std::uint64_t base_size = 0;
  JournalContent content;
};

std::optional<Half> read_half(ByteView bytes) {
  const auto base = read_record(bytes);
  if (!base || base->number != 0 || base->step.old_size % kTileWidth != 0) return std::nullopt;
  Half half{base->generation, base->step.new_size, {}};
  half.content = {base->step.old_size, base->step.new_size, std::string(base->step.checkpoint),
                  std::string(base->step.entries)};
  std::uint32_t number = 1;
  for (std::size_t at = aligned(base->size); at < bytes.size(); ++number) {
    const auto next = read_record(bytes.subspan(at));
    if (!next || next->generation != half.generation || next->number != number ||
        next->step.old_size != half.content.size) {
      break;
    }
    half.content.size = next->step.new_size;
    half.content.checkpoint = next->step.checkpoint;
    half.content.entries.append(next->step.entries);
    at += aligned(next->size);
  }
  return half;
}

// The two halves together, where the older one ends where the newer one begins; then the newer
// one's base repeats the end of it. Otherwise the newer one alone.
JournalContent joined(Half older, Half newer) {
  if (older.generation + 1 != newer.generation || older.content.size != newer.base_size ||
      newer.content.from < older.content.from) {
    return std::move(newer.content);
  }
  std::size_t keep = 0;
  const std::string& entries = older.content.entries;
  for (std::uint64_t i = older.content.from; i < newer.content.from; ++i) {
    if (entries.size() - keep < 2) return std::move(newer.content);
    const auto* p = as_bytes(entries).data() + keep;
    keep += std::size_t{2} + ((std::size_t{p[0]} << 8U) | p[1]);
    if (keep > entries.size()) return std::move(newer.content);
  }
  JournalContent all = std::move(newer.content);
  all.from = older.content.from;
  all.entries.insert(0, entries, 0, keep);
  return all;
}

}  // namespace

Result<Journal> Journal::create(Disk& disk, const std::string& path, std::size_t half_bytes,
                                const JournalStep& base) {
  Journal journal(disk, path, half_bytes);
  const std::string folder = journal.folder();
  if (Status made = disk.make_folder(folder); !made) return made.error();
  std::string bytes;
  append_record(bytes, 0, 0, base);
  if (aligned(bytes.size()) > half_bytes) {
    return Error(ErrorKind::usage, "The base of a journal does not fit into it.");
  }
  journal.number_ = 1;
  journal.used_ = aligned(bytes.size());
  bytes.resize(2 * half_bytes);
  Result<OpenFile> made = disk.create(path, as_bytes(bytes));
  if (!made) return made.error();
  journal.file_ = std::move(*made);
  const Result<OpenFile> opened = open_folder(folder);
  const auto above = open_folder(folder + "/..");
  if (!opened || !above) {
    disk.remove_file(path);
    return opened ? above.error() : opened.error();
  }
  if (!disk.sync(journal.file_, path) || !disk.sync(*opened, folder) ||
      !disk.sync(*above, folder + "/..")) {
    std::abort();
  }
  return journal;
}

Journal::Room Journal::room(const JournalStep& step, const JournalStep& base) const noexcept {
  if (used_ + record_size(step) <= half_bytes_) return Room::here;
  const bool fits = aligned(record_size(base)) + record_size(step) <= half_bytes_;
  return fits ? Room::next_half : Room::none;
}

Status Journal::append(const JournalStep& step) {
  std::string bytes;
  bytes.reserve(record_size(step));
  append_record(bytes, generation_, number_, step);
  const std::uint64_t at = half_start(generation_) + used_;
  if (Status done = disk_->write_at(file_, path_, at, as_bytes(bytes)); !done) return done;
  if (!disk_->sync_data(file_, path_)) std::abort();
  ++number_;
  used_ += aligned(bytes.size());
  return {};
}

Status Journal::append_in_next_half(const JournalStep& base, const JournalStep& step) {
  std::string bytes;
  bytes.reserve(aligned(record_size(base)) + record_size(step));
  append_record(bytes, generation_ + 1, 0, base);
  bytes.resize(aligned(bytes.size()));
  append_record(bytes, generation_ + 1, 1, step);
  return write_next_half(std::move(bytes), 2);
}

bool Journal::restart(const JournalStep& base) {
  std::string bytes;
  append_record(bytes, generation_ + 1, 0, base);
  return aligned(bytes.size()) <= half_bytes_ && write_next_half(std::move(bytes), 1).has_value();
}

Status Journal::write_next_half(std::string bytes, std::uint32_t records) {
  const std::uint64_t at = half_start(generation_ + 1);
  if (Status done = disk_->write_at(file_, path_, at, as_bytes(bytes)); !done) {
    // The base may stand there now: nothing more may come behind what it continues.
    used_ = half_bytes_;
    return done;
  }
  if (!disk_->sync_data(file_, path_)) std::abort();
  ++generation_;
  number_ = records;
  used_ = aligned(bytes.size());
  return {};
}

void Journal::remove() {
  disk_->remove_file(path_);
  const Result<OpenFile> opened = open_folder(folder());
  // Gone with its folder, or a removal that a power failure may undo: replayed once more, it says
  // what the files say.
  if (!opened) return;
  if (!disk_->sync(*opened, folder())) std::abort();
  disk_->remove_folder(folder());  // where it was the last one
}

std::string journal_beside(const std::string& log_folder) {
  // "." and links to a folder stand for it; a copy under another name is no log that goes on.
  std::error_code error;
  std::filesystem::path folder = std::filesystem::weakly_canonical(log_folder, error);
  if (error) folder = std::filesystem::absolute(log_folder).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (folder.parent_path().filename() != "audit") return {};
  return (folder.parent_path().parent_path() / "audit-journal" / folder.filename()).string();
}

std::optional<JournalContent> parse_journal(ByteView bytes) {
  auto first = read_half(bytes.first(bytes.size() / 2));
  auto second = read_half(bytes.subspan(bytes.size() / 2));
  if (!first && !second) return std::nullopt;
  if (!first || !second) return std::move((first ? first : second)->content);
  if (first->generation > second->generation) std::swap(first, second);
  return joined(std::move(*first), std::move(*second));
}

Result<std::optional<JournalContent>> read_journal(const std::string& path) {
  struct stat status {};
  const auto is_gone = [&] { return ::lstat(path.c_str(), &status) != 0 && errno == ENOENT; };
  if (is_gone()) return std::nullopt;
  const Result<Bytes> bytes = read_whole(path, kMaxJournalSize);
  if (!bytes) {
    if (is_gone()) return std::nullopt;  // by an orderly end, meanwhile
    return bytes.error();
  }
  return parse_journal(*bytes);
}

}  // namespace paravent::crypto::audit
