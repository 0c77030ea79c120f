#include "crypto/vault/engine/keys/shred_files.h"

#include <system_error>

#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

bool there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool has_number(const Result<ShredSecret>& secret, std::uint32_t number) {
  return secret && secret->number() == number;
}

}  // namespace

std::filesystem::path ShredFiles::staged() const {
  std::filesystem::path path = current();
  path += ".next";
  return path;
}

Result<ShredSecret> ShredFiles::settle(std::uint32_t number) const {
  const std::filesystem::path half_written = temporary_of(staged());
  if (there(half_written)) {
    if (auto s = erase_file_durably(half_written); !s) return s.error();
  }
  if (there(staged())) {
    // The one in force may be half overwritten already: then the staged one decides.
    auto next = ShredSecret::read(staged(), installation_);
    if (has_number(next, number)) {
      if (auto s = adopt_staged(); !s) return s.error();
      return next;
    }
  }
  auto secret = ShredSecret::read(current(), installation_);
  if (!secret) return secret.error();
  if (secret->number() != number) {
    return Error(ErrorKind::data,
                 "The shred secret and the key store in " + folder_.string() +
                     " are not of the same moment; restore both from one key backup.");
  }
  if (there(staged())) {
    if (auto s = drop_staged(); !s) return s.error();
  }
  return secret;
}

Status ShredFiles::stage(const ShredSecret& next) const {
  if (folder_.empty()) return {};
  return next.write(staged(), installation_, Existing::replace);
}

Status ShredFiles::drop_staged() const {
  if (folder_.empty()) return {};
  return erase_file_durably(staged());
}

Status ShredFiles::adopt_staged() const {
  if (folder_.empty()) return {};
  if (there(current())) {
    if (auto s = erase_file_durably(current()); !s) return s;
  }
  return rename_file_durably(staged(), current());
}

}  // namespace paravent::crypto::vault
