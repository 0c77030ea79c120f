#include "proxy/telemetry/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::telemetry {
namespace {

// What may wait for the disk. Beyond it lines are dropped: traffic never waits for a log.
constexpr std::size_t kMaxPendingBytes = 4 * 1024 * 1024;

void append_time(std::string& out) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 40> text{};
  const std::size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  out.append(text.data(), n);
  const std::string millis = std::to_string(1000 + now.tv_nsec / 1'000'000);
  out.append(".").append(millis, 1, 3).append("Z");
}

void append_line(const AccessLine& line, std::string& out) {
  append_time(out);
  out.append(" id=").append(line.request_id);
  out.append(" route=").append(line.route);
  out.append(" method=").append(line.method);
  out.append(" outcome=").append(line.outcome);
  out.append(" status=").append(std::to_string(line.status));
  out.append(" reason=").append(line.reason);
  out.append(" in=").append(std::to_string(line.request_bytes));
  out.append(" out=").append(std::to_string(line.response_bytes));
  out.append(" us=").append(std::to_string(line.duration_us)).append("\n");
}

crypto::Result<int> open_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file >= 0) return file;
  return crypto::Error(crypto::ErrorKind::configuration,
                       "The access log " + path + " cannot be opened: " + std::strerror(errno) +
                           ". Check the folder and its permissions, or leave access-log out.");
}

}  // namespace

crypto::Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& path) {
  const auto file = open_file(path);
  if (!file) return file.error();
  return std::unique_ptr<AccessLog>(new AccessLog(path, *file));
}

AccessLog::AccessLog(std::string path, int file)
    : path_(std::move(path)), file_(file), writer_([this] { write_loop(); }) {}

crypto::Status AccessLog::reopen() {
  const auto file = open_file(path_);
  if (!file) return file.error();
  const std::lock_guard lock(mutex_);
  if (next_ >= 0) ::close(next_);
  next_ = *file;
  return {};
}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  writer_.join();
  ::close(file_);
  if (next_ >= 0) ::close(next_);
}

void AccessLog::append(const AccessLine& line) {
  const std::lock_guard lock(mutex_);
  if (pending_.size() > kMaxPendingBytes) {
    ++dropped_;
    return;
  }
  const std::size_t before = pending_.size();
  if (!crypto::with_memory([&] { append_line(line, pending_); })) {
    pending_.resize(before);
    ++dropped_;
    return;
  }
  if (before == 0) wake_.notify_one();
}

std::uint64_t AccessLog::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void AccessLog::write_loop() {
  std::string writing;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    if (pending_.empty()) return;
    std::swap(writing, pending_);
    const int next = std::exchange(next_, -1);
    lock.unlock();
    if (next >= 0) {
      ::close(file_);
      file_ = next;
    }
    std::size_t at = 0;
    while (at < writing.size()) {
      const ssize_t n = ::write(file_, writing.data() + at, writing.size() - at);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;  // a full disk costs log lines, never requests
      at += static_cast<std::size_t>(n);
    }
    writing.clear();
    lock.lock();
  }
}

}  // namespace paravent::proxy::telemetry
