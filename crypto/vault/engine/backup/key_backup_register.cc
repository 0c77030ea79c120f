#include "crypto/vault/engine/backup/key_backup_register.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr const char* kFile = "key-backups";
constexpr std::string_view kFirstLine = "paravent-key-backups-v1\n";
constexpr std::size_t kMaxSize = std::size_t{4} << 20U;

std::string line_of(const KeyBackupEntry& entry) {
  return id_hex(entry.id) + " " + std::to_string(entry.made.time_since_epoch().count()) + " " +
         std::to_string(entry.expires.time_since_epoch().count()) + "\n";
}

// Takes a decimal number and the character behind it off the front.
bool take_time(std::string_view& line, char end, WallTime& time) {
  std::int64_t millis = 0;
  const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), millis);
  const auto size = static_cast<std::size_t>(rest - line.data());
  if (error != std::errc() || millis < 0 || size == line.size() || line[size] != end) return false;
  time = WallTime(std::chrono::milliseconds(millis));
  line.remove_prefix(size + 1);
  return true;
}

}  // namespace

Result<std::vector<KeyBackupEntry>> read_key_backups(const std::filesystem::path& keys_folder) {
  const std::filesystem::path path = keys_folder / kFile;
  std::vector<KeyBackupEntry> entries;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return entries;
  const auto file = read_file(path, kMaxSize);
  if (!file) return file.error();
  const Error altered(ErrorKind::data, "The list of key backups " + path.string() +
                                           " is altered; restore it from a key backup.");
  std::string_view rest = as_text(file->bytes());
  if (!rest.starts_with(kFirstLine)) return altered;
  rest.remove_prefix(kFirstLine.size());
  while (!rest.empty()) {
    const std::string_view begin = rest;
    KeyBackupEntry entry;
    const auto id = from_hex(rest.substr(0, 32));
    if (!id || rest.size() < 34 || rest[32] != ' ') return altered;
    entry.id = id_from(as_text(*id));
    rest.remove_prefix(33);
    if (!take_time(rest, ' ', entry.made) || !take_time(rest, '\n', entry.expires)) return altered;
    if (!begin.starts_with(line_of(entry))) return altered;
    entries.push_back(entry);
  }
  return entries;
}

Status note_key_backup(const std::filesystem::path& keys_folder, const KeyBackupEntry& entry) {
  auto entries = read_key_backups(keys_folder);
  if (!entries) return entries.error();
  entries->push_back(entry);
  std::string text(kFirstLine);
  for (const KeyBackupEntry& one : *entries) text += line_of(one);
  return write_file_durably(keys_folder / kFile, as_bytes(text));
}

WallTime no_key_backup_after(const std::vector<KeyBackupEntry>& entries, WallTime time) {
  WallTime last = time;
  for (const KeyBackupEntry& entry : entries) {
    if (entry.made <= time) last = std::max(last, entry.expires);
  }
  return last;
}

}  // namespace paravent::crypto::vault
