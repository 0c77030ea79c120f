#include "proxy/admin/operators.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/primitives/random.h"
#include "crypto/vault/engine/durable_file.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;
using crypto::vault::Id;

constexpr std::string_view kFirstLine = "paravent-operators-v1\n";
constexpr std::size_t kMaxFileBytes = 1024 * 1024;

bool is_operator_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_role(std::string_view role) {
  return !role.empty() && role.size() <= 64 && role.find_first_of(" \n\r\t") == role.npos;
}

// The next piece of `text` up to `end`, which is consumed; nullopt when `end` is missing.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view piece = text.substr(0, at);
  text.remove_prefix(at + 1);
  return piece;
}

std::optional<Operator> parse_line(std::string_view line) {
  const auto name = take_until(line, ' ');
  const auto tenant = take_until(line, ' ');
  const auto role = take_until(line, ' ');
  if (!name || !tenant || !role || !is_operator_name(*name) || !is_role(*role)) return {};
  Operator made;
  made.name = *name;
  made.role = *role;
  if (*tenant != "-") {
    const auto id = crypto::from_hex(*tenant);
    if (!id || id->size() != made.tenant.size()) return {};
    std::copy(id->begin(), id->end(), made.tenant.begin());
    if (made.tenant == crypto::vault::kNoId) return {};  // that is spelled "-"
  }
  const auto hash = crypto::from_hex(line);
  if (!hash || hash->size() != made.credential_hash.size()) return {};
  std::copy(hash->begin(), hash->end(), made.credential_hash.begin());
  return made;
}

std::string line_of(const Operator& one) {
  const bool no_tenant = one.tenant == crypto::vault::kNoId;
  return one.name + " " + (no_tenant ? "-" : crypto::vault::id_hex(one.tenant)) + " " + one.role +
         " " + crypto::to_hex(one.credential_hash) + "\n";
}

bool has_name(const std::vector<Operator>& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(),
                     [name](const Operator& one) { return one.name == name; });
}

Error name_taken() { return {ErrorKind::usage, "There is an operator of that name already."}; }

Error altered(const std::filesystem::path& file) {
  return {ErrorKind::data, "The list of operators " + file.string() +
                               " is altered or truncated; restore it from a backup."};
}

}  // namespace

Result<std::unique_ptr<Operators>> Operators::open(const std::filesystem::path& folder) {
  auto made = std::unique_ptr<Operators>(new Operators(folder / "operators"));
  if (!std::filesystem::exists(made->file_)) return made;
  if (auto status = crypto::vault::check_private(made->file_); !status) return status.error();
  auto bytes = crypto::vault::read_file(made->file_, kMaxFileBytes);
  if (!bytes) return bytes.error();
  std::string_view text = crypto::as_text(bytes->bytes());
  if (!text.starts_with(kFirstLine)) return altered(made->file_);
  text.remove_prefix(kFirstLine.size());
  while (!text.empty()) {
    const auto line = take_until(text, '\n');
    if (!line) return altered(made->file_);
    auto one = parse_line(*line);
    if (!one || has_name(made->list_, one->name)) return altered(made->file_);
    made->list_.push_back(std::move(*one));
  }
  return made;
}

std::unique_ptr<Operators> Operators::in_memory() {
  return std::unique_ptr<Operators>(new Operators(std::filesystem::path()));
}

Result<Operators::Made> Operators::make(std::string_view name, std::string_view role,
                                        const Id& tenant) const {
  if (!is_operator_name(name) || !is_role(role)) {
    return Error(ErrorKind::usage,
                 "An operator's name is 1 to 32 lower-case letters, digits and hyphens.");
  }
  {
    const std::lock_guard lock(mutex_);
    if (has_name(list_, name)) return name_taken();
  }
  std::array<std::uint8_t, 32> random{};
  crypto::random_bytes(random);
  // The prefix says what it is when it turns up where it should not be.
  std::string text = "pvcred_";
  text.reserve(64);
  crypto::append_base64url(text, random);
  crypto::wipe(random);

  Made made;
  made.kept.name = name;
  made.kept.role = role;
  made.kept.tenant = tenant;
  made.kept.credential_hash = crypto::sha256(crypto::as_bytes(text));
  made.credential = SecretBytes::copy_of(text);
  crypto::wipe(text);
  return made;
}

Status Operators::keep(const std::vector<Operator>& made) {
  const std::lock_guard lock(mutex_);
  std::vector<Operator> next = list_;
  for (const Operator& one : made) {
    if (has_name(next, one.name)) return name_taken();
    next.push_back(one);
  }
  if (auto status = save(next); !status) return status;
  list_ = std::move(next);
  return {};
}

Result<SecretBytes> Operators::add(std::string_view name, std::string_view role, const Id& tenant) {
  auto made = make(name, role, tenant);
  if (!made) return made.error();
  if (auto status = keep({made->kept}); !status) return status.error();
  return std::move(made->credential);
}

Status Operators::join_tenant(const Id& tenant) {
  const std::lock_guard lock(mutex_);
  std::vector<Operator> next = list_;
  bool changed = false;
  for (Operator& one : next) {
    if (one.tenant != crypto::vault::kNoId) continue;
    one.tenant = tenant;
    changed = true;
  }
  if (!changed) return {};
  if (auto status = save(next); !status) return status;
  list_ = std::move(next);
  return {};
}

std::optional<Operator> Operators::authenticate(std::string_view credential) const {
  const crypto::Sha256Digest hash = crypto::sha256(crypto::as_bytes(credential));
  const std::lock_guard lock(mutex_);
  std::optional<Operator> found;
  for (const Operator& one : list_) {
    // No early exit: the time tells neither whether nor which.
    if (crypto::equal_constant_time(one.credential_hash, hash)) found = one;
  }
  return found;
}

std::optional<Operator> Operators::named(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const Operator& one : list_) {
    if (one.name == name) return one;
  }
  return std::nullopt;
}

std::size_t Operators::size() const {
  const std::lock_guard lock(mutex_);
  return list_.size();
}

Status Operators::save(const std::vector<Operator>& list) const {
  if (file_.empty()) return {};
  std::string text(kFirstLine);
  for (const Operator& one : list) text += line_of(one);
  return crypto::vault::write_file_durably(file_, crypto::as_bytes(text));
}

}  // namespace paravent::proxy::admin
