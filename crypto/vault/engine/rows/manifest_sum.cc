#include "crypto/vault/engine/rows/manifest_sum.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/rows/store_openings.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kMaxManifest = std::size_t{1} << 30U;
constexpr std::size_t kMaxNames = 4096;
constexpr std::string_view kManifest = "MANIFEST-";

Error damaged(const std::filesystem::path& store) {
  return Error(ErrorKind::data, "The token store " + store.string() +
                                    " is damaged or cannot be read; check the disk, or restore it "
                                    "from a data backup.");
}

// The name that CURRENT, or what is about to become it, holds; empty: none.
std::string name_in(const std::filesystem::path& current) {
  const auto text = read_file(current, kMaxNames);
  if (!text || text->size() == 0 || text->bytes().back() != '\n') return {};
  std::string name(as_text(text->bytes()));
  name.pop_back();
  return name.starts_with(kManifest) && name.find('/') == std::string::npos ? name : std::string();
}

// Empty: there is no such manifest, or it cannot be read.
std::string line_of(const std::filesystem::path& store, const std::string& name) {
  if (name.empty()) return {};
  const auto bytes = read_file(store / name, kMaxManifest);
  return bytes ? name + " " + to_hex(sha256(bytes->bytes())) + "\n" : std::string();
}

// The whole line about this manifest among what was noted; empty: there is none.
std::string_view line_about(std::string_view lines, const std::string& name) {
  while (!name.empty() && !lines.empty()) {
    const std::size_t size = std::min(lines.find('\n'), lines.size() - 1) + 1;
    const std::string_view line = lines.substr(0, size);
    if (line.starts_with(name + " ")) return line;
    lines.remove_prefix(size);
  }
  return {};
}

// Of "MANIFEST-000012", and what follows it; 0: it is none.
std::uint64_t number_of(std::string_view name) {
  name.remove_prefix(std::min(name.size(), kManifest.size()));
  std::uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

// The highest in these lines; nullopt: there is none.
std::optional<std::uint64_t> last_number(std::string_view lines) {
  std::optional<std::uint64_t> last;
  while (lines.starts_with(kManifest)) {
    last = std::max(last.value_or(0), number_of(lines));
    lines.remove_prefix(std::min(lines.find('\n'), lines.size() - 1) + 1);
  }
  return last;
}

}  // namespace

Status ManifestSum::check(bool required) const {
  std::error_code error;
  if (!std::filesystem::exists(store_ / kManifestSumFile, error)) {
    return required ? incomplete_store(store_) : Status();
  }
  const std::string name = name_in(store_ / "CURRENT");
  const std::string line = line_of(store_, name);
  if (line.empty()) return damaged(store_);
  const auto sums = read_file(store_ / kManifestSumFile, kMaxNames);
  if (!sums) return sums.error();
  const std::string_view lines = as_text(sums->bytes());
  const std::string_view noted = line_about(lines, name);
  if (noted == line) return {};
  if (!noted.empty()) return damaged(store_);
  // Manifests are numbered upwards: a later one is of a version that notes no hash.
  const auto last = last_number(lines);
  return last && number_of(name) > *last ? Status() : incomplete_store(store_);
}

Status ManifestSum::prepare(const std::filesystem::path& next) {
  line_ = line_of(store_, name_in(next));
  if (line_.empty()) return damaged(store_);
  // What was noted of the one in force, right or not: hashed again, it would be right whatever has
  // become of it meanwhile. Hashed only where nothing is noted.
  const std::string current = name_in(store_ / "CURRENT");
  std::string now;
  std::error_code error;
  if (std::filesystem::exists(store_ / kManifestSumFile, error)) {
    const auto sums = read_file(store_ / kManifestSumFile, kMaxNames);
    if (!sums) return sums.error();
    now = line_about(as_text(sums->bytes()), current);
  }
  if (now.empty()) now = line_of(store_, current);
  return write_file_durably(store_ / kManifestSumFile, as_bytes(now + line_));
}

void ManifestSum::settle() const {
  if (!sync_folder(store_)) return;
  (void)write_file_durably(store_ / kManifestSumFile, as_bytes(line_));
}

}  // namespace paravent::crypto::vault
