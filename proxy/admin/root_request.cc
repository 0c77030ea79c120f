#include "proxy/admin/root_request.h"

#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "crypto/base/bytes.h"

namespace paravent::proxy::admin {
namespace {

namespace json = boost::json;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;

constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMostPresent = 255;

Error malformed() {
  return Error(ErrorKind::malformed,
               "The body is reason and confirm, or reason, present (a list of texts) and exactly "
               "one of root_key_file, systemd_credential, passphrase, pkcs11 (module, token, key, "
               "pin) and shares (K/N).");
}

// The text of a member; nullopt: it is none, or too long.
std::optional<std::string_view> text_of(const json::value& value) {
  if (!value.is_string() || value.get_string().size() > kMaxText) return std::nullopt;
  return std::string_view(value.get_string().data(), value.get_string().size());
}

bool read_text(const json::value& value, std::string& out) {
  const auto text = text_of(value);
  if (text) out = *text;
  return text && !text->empty();
}

bool read_secret(const json::value& value, SecretBytes& out) {
  const auto text = text_of(value);
  if (text) out = SecretBytes::copy_of(*text);
  return text && !text->empty();
}

// "3/5"
bool read_shares(const json::value& value, RootWish& wish) {
  const auto text = text_of(value);
  if (!text) return false;
  const char* const end = text->data() + text->size();
  const auto first = std::from_chars(text->data(), end, wish.threshold);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/') return false;
  const auto second = std::from_chars(first.ptr + 1, end, wish.shares);
  return second.ec == std::errc() && second.ptr == end && wish.threshold >= 2 &&
         wish.shares >= wish.threshold && wish.shares <= 255;
}

bool read_token(const json::value& value, RootWish& wish) {
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 4) return false;
  bool good = true;
  for (const auto& [name, member] : *object) {
    if (name == "module") {
      good = good && read_text(member, wish.module) && wish.module.starts_with('/');
    } else if (name == "token") {
      good = good && read_text(member, wish.token);
    } else if (name == "key") {
      good = good && read_text(member, wish.key);
    } else {
      good = good && name == "pin" && read_secret(member, wish.secret);
    }
  }
  return good;
}

bool read_present(const json::value& value, RootWish& wish) {
  const auto* list = value.if_array();
  if (list == nullptr || list->size() > kMostPresent) return false;
  for (const json::value& one : *list) {
    SecretBytes secret;
    if (!read_secret(one, secret)) return false;
    wish.present.push_back(std::move(secret));
  }
  return true;
}

// nullopt: `name` is none of the ways.
std::optional<bool> read_way(std::string_view name, const json::value& value, RootWish& wish) {
  using Way = RootWish::Way;
  const auto chosen = [&](Way way, bool good) {
    wish.way = way;
    return good;
  };
  if (name == "root_key_file") {
    return chosen(Way::key_file, read_text(value, wish.name) && wish.name.starts_with('/'));
  }
  if (name == "systemd_credential") {
    return chosen(Way::systemd_credential, read_text(value, wish.name));
  }
  if (name == "passphrase") return chosen(Way::passphrase, read_secret(value, wish.secret));
  if (name == "pkcs11") return chosen(Way::pkcs11, read_token(value, wish));
  if (name == "shares") return chosen(Way::shares, read_shares(value, wish));
  return std::nullopt;
}

}  // namespace

std::string_view way_name(RootWish::Way way) noexcept {
  switch (way) {
    case RootWish::Way::key_file:
      return "key-file";
    case RootWish::Way::systemd_credential:
      return "systemd-credential";
    case RootWish::Way::passphrase:
      return "passphrase";
    case RootWish::Way::pkcs11:
      return "pkcs11";
    case RootWish::Way::shares:
      return "shares";
  }
  return {};
}

Result<RootRequest> parse_root_request(std::string_view body) {
  if (body.size() > kMaxRootRequest) return malformed();
  SecretBytes room(8 * kMaxRootRequest);
  json::monotonic_resource memory(room.mutable_bytes().data(), room.size());
  RootRequest request;
  RootWish wish;
  int ways = 0;
  bool good = true;
  boost::system::error_code wrong;
  const json::value document =
      json::parse(json::string_view(body.data(), body.size()), wrong, &memory);
  const auto* object = wrong ? nullptr : document.if_object();
  if (object == nullptr) return malformed();
  for (const auto& [key, value] : *object) {
    const std::string_view name(key.data(), key.size());
    if (name == "reason") {
      good = good && read_text(value, request.reason) && request.reason.size() <= kMaxReason;
    } else if (name == "confirm") {
      good = good && read_text(value, request.confirm);
    } else if (name == "present") {
      good = good && read_present(value, wish);
    } else {
      good = good && read_way(name, value, wish).value_or(false);
      ++ways;
    }
  }
  if (!good || request.reason.empty()) return malformed();
  const bool confirms = !request.confirm.empty();
  if (ways != (confirms ? 0 : 1) || (confirms && !wish.present.empty())) return malformed();
  if (!confirms) request.wish = std::move(wish);
  return request;
}

}  // namespace paravent::proxy::admin
