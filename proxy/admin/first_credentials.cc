#include "proxy/admin/first_credentials.h"

#include <array>

#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::proxy::admin {

using crypto::SecretBytes;
using crypto::Status;

namespace {

constexpr std::size_t kMaxFileBytes = 4096;

// The credential's text in `json` under `key`, which is written by us and holds no escapes.
std::string_view value_of(std::string_view json, std::string_view key) {
  const std::string marker = "\"" + std::string(key) + "\":\"";
  const std::size_t at = json.find(marker);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + marker.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

SecretBytes join(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  SecretBytes joined(size);
  auto at = joined.mutable_bytes().begin();
  for (const auto part : parts) at = std::copy(part.begin(), part.end(), at);
  return joined;
}

}  // namespace

SecretBytes first_credentials_json(const SecretBytes& dpo, const SecretBytes& admin) {
  return join({R"({"operator":"dpo","credential":")", crypto::as_text(dpo.bytes()),
               R"(","admin_operator":"admin","admin_credential":")", crypto::as_text(admin.bytes()),
               "\"}\n"});
}

Status FirstCredentials::write(const SecretBytes& json) {
  const std::lock_guard lock(mutex_);
  return crypto::vault::write_file_durably(file_, json.bytes());
}

Status FirstCredentials::used(std::string_view credential) {
  const std::lock_guard lock(mutex_);
  if (gone_) return {};
  if (!std::filesystem::exists(file_)) {
    gone_ = true;
    return {};
  }
  auto read = crypto::vault::read_file(file_, kMaxFileBytes);
  if (!read) return read.error();
  const std::string_view json = crypto::as_text(read->bytes());
  const std::string_view dpo = value_of(json, "credential");
  const std::string_view admin = value_of(json, "admin_credential");
  const bool is_dpo = !dpo.empty() && dpo == credential;
  const bool is_admin = !admin.empty() && admin == credential;
  if (!is_dpo && !is_admin) return {};
  const std::string_view rest_dpo = is_dpo ? std::string_view() : dpo;
  const std::string_view rest_admin = is_admin ? std::string_view() : admin;
  if (rest_dpo.empty() && rest_admin.empty()) {
    Status removed = crypto::vault::remove_file_durably(file_);
    gone_ = removed.has_value();
    return removed;
  }
  const SecretBytes rest =
      rest_admin.empty()
          ? join({R"({"operator":"dpo","credential":")", rest_dpo, "\"}\n"})
          : join({R"({"admin_operator":"admin","admin_credential":")", rest_admin, "\"}\n"});
  return crypto::vault::write_file_durably(file_, rest.bytes());
}

}  // namespace paravent::proxy::admin
