#include "proxy/telemetry/sealed_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::telemetry {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

constexpr std::size_t kMaxPendingBytes = std::size_t{16} << 20U;

void append_time(std::string& out) {
  const std::time_t now = std::time(nullptr);
  tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 40> text{};
  out.append(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc));
}

Error cannot_read(const std::string& path) {
  return {ErrorKind::data, "The list of sealed values " + path +
                               " cannot be opened; check the folder and its permissions."};
}

// Names of policies may have blanks; a line is told apart by them.
void append_name(std::string_view name, std::string& out) {
  for (const char c : name) out.push_back(static_cast<unsigned char>(c) <= 0x20 ? '_' : c);
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Result<std::string> contents(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return cannot_read(path);
  std::string text;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    // At once: to grow by doubling would take three times as much.
    text.reserve(std::min(most, static_cast<std::size_t>(status.st_size)) + 65536);
  }
  std::array<char, 65536> piece{};
  while (text.size() < most && in.read(piece.data(), piece.size()).gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return cannot_read(path);
  return text;
}

// The name of a file is as durable as its folder.
void sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || ::fsync(fd) != 0) std::abort();
  ::close(fd);
}

int open_file(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace

Result<std::unique_ptr<SealedList>> SealedList::open(const std::string& path) {
  const int file = open_file(path);
  if (file < 0) return cannot_read(path);
  const auto text = contents(path, static_cast<std::size_t>(-1));
  if (!text) {
    ::close(file);
    return text.error();
  }
  // A line that a crash cut short is ended, so that the next one is whole.
  if (!text->empty() && text->back() != '\n' && !write_all(file, "\n")) {
    ::close(file);
    return cannot_read(path);
  }
  if (::fsync(file) != 0) std::abort();
  sync_folder_of(path);
  auto lines = static_cast<std::uint64_t>(std::count(text->begin(), text->end(), '\n'));
  if (!text->empty() && text->back() != '\n') ++lines;
  return std::unique_ptr<SealedList>(new SealedList(path, file, lines));
}

SealedList::SealedList(std::string path, int file, std::uint64_t count)
    : path_(std::move(path)), file_(file), count_(count), writer_([this] { write_loop(); }) {}

SealedList::~SealedList() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  writer_.join();
  ::close(file_);
}

void SealedNote::add(std::string_view request_id, std::string_view route, std::string_view field,
                     std::string_view value) {
  append_time(lines);
  lines.append(" ").append(request_id).append(" ");
  append_name(route, lines);
  lines.append(" ");
  append_name(field, lines);
  lines.append(" ").append(value).append("\n");
  ++count;
}

bool SealedList::keep(std::shared_ptr<SealedNote> note) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || pending_bytes_ + note->lines.size() > kMaxPendingBytes) return false;
  crypto::reserve_one_more(pending_);
  pending_bytes_ += note->lines.size();
  pending_.push_back(std::move(note));
  wake_.notify_all();
  return true;
}

std::uint64_t SealedList::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void SealedList::write_loop() {
  for (;;) {
    std::vector<std::shared_ptr<SealedNote>> notes;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
      if (pending_.empty()) return;
      notes.swap(pending_);
      pending_bytes_ = 0;
    }
    write(std::move(notes));
  }
}

void SealedList::write(std::vector<std::shared_ptr<SealedNote>> notes) {
  std::string lines;
  std::uint64_t count = 0;
  bool good = crypto::with_memory([&] {
    for (const auto& note : notes) {
      lines += note->lines;
      count += note->count;
    }
  });
  if (good) {
    const std::lock_guard lock(file_mutex_);
    struct stat before {};
    good = ::fstat(file_, &before) == 0 && write_all(file_, lines);
    // Half a batch is taken back: its requests do not go on.
    if (!good && ::ftruncate(file_, before.st_size) != 0) std::abort();
    if (good && ::fdatasync(file_) != 0) std::abort();
    const std::lock_guard counting(mutex_);
    if (good) count_ += count;
  }
  for (const auto& note : notes) {
    // Afterwards the note is its request's again, which may go away with it.
    const std::function<void()> done = std::move(note->done);
    note->status = good ? SealedNote::Status::kept : SealedNote::Status::refused;
    // Who cannot be told waits until the request's own deadline.
    if (done) crypto::with_memory(done);
  }
}

Result<std::string> SealedList::read() const {
  const std::lock_guard lock(file_mutex_);
  auto text = contents(path_, kMostBytes);
  if (!text) return text.error();
  if (text->size() > kMostBytes) text->resize(kMostBytes);
  text->resize(text->rfind('\n') == std::string::npos ? 0 : text->rfind('\n') + 1);
  return text;
}

Status SealedList::drop_first(std::uint64_t lines) {
  const std::lock_guard lock(file_mutex_);
  const auto text = contents(path_, static_cast<std::size_t>(-1));
  if (!text) return text.error();
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < lines; ++i) {
    const std::size_t end = text->find('\n', at);
    if (end == std::string::npos) {
      return Error(ErrorKind::usage, "The list has not so many lines; ask for it again.");
    }
    at = end + 1;
  }
  const Error failed(ErrorKind::disk_full, "The list cannot be written; nothing was changed.");
  const std::string next = path_ + ".next";
  const int file =
      ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed;
  const bool written = write_all(file, std::string_view(*text).substr(at)) && ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(next.c_str(), path_.c_str()) != 0) {
    ::unlink(next.c_str());
    return failed;
  }
  sync_folder_of(path_);
  const int renewed = open_file(path_);
  if (renewed < 0) std::abort();  // it was there a moment ago, and lines would go nowhere
  ::close(std::exchange(file_, renewed));
  const std::lock_guard count(mutex_);
  count_ -= lines;
  return {};
}

}  // namespace paravent::proxy::telemetry
