#include "proxy/main/commands/way_options.h"

#include <charconv>
#include <filesystem>
#include <system_error>

namespace paravent::proxy::main {

using config::UnsealWay;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;

namespace {

// "3/5"
bool read_shares(const std::string& text, RootKeySettings& root) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, root.unseal.shares);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/') return false;
  const auto second = std::from_chars(first.ptr + 1, end, root.shares_made);
  return second.ec == std::errc() && second.ptr == end && root.unseal.shares >= 2 &&
         root.shares_made >= root.unseal.shares && root.shares_made <= 255;
}

int ways_of(const WayOptions& options) {
  return (options.passphrase ? 1 : 0) + (options.shares.empty() ? 0 : 1) +
         (options.pkcs11_module.empty() ? 0 : 1) + (options.root_key.empty() ? 0 : 1) +
         (options.systemd_credential.empty() ? 0 : 1);
}

}  // namespace

bool names_a_way(const WayOptions& options) { return ways_of(options) > 0; }

Status choose_way(const WayOptions& options, std::string_view prefix, RootKeySettings& root) {
  const std::string flag(prefix);
  const int ways = ways_of(options);
  if (ways > 1) {
    return Error(ErrorKind::usage, "Choose one of " + flag + "root-key, " + flag + "passphrase, " +
                                       flag + "pkcs11-module and " + flag + "shares.");
  }
  const bool token = !options.pkcs11_module.empty();
  if (token && (options.pkcs11_token.empty() || options.pkcs11_key.empty())) {
    return Error(ErrorKind::usage,
                 flag + "pkcs11-module needs " + flag + "pkcs11-token and " + flag + "pkcs11-key.");
  }
  if (ways > 0) root.unseal = {};
  if (!options.root_key.empty()) {
    root.key_file = std::filesystem::absolute(options.root_key).lexically_normal();
  }
  if (!options.systemd_credential.empty()) {
    root.unseal.way = UnsealWay::systemd_credential;
    root.unseal.credential = options.systemd_credential;
  }
  if (options.passphrase) root.unseal.way = UnsealWay::passphrase;
  if (token) {
    root.unseal.way = UnsealWay::pkcs11;
    root.unseal.module = options.pkcs11_module;
    root.unseal.token = options.pkcs11_token;
    root.unseal.key = options.pkcs11_key;
  }
  if (!options.shares.empty()) {
    root.unseal.way = UnsealWay::shares;
    if (!read_shares(options.shares, root)) {
      return Error(ErrorKind::usage,
                   flag + "shares takes K/N with 2 <= K <= N <= 255, such as 3/5.");
    }
  }
  return {};
}

Result<SecretBytes> ask_new_passphrase() {
  auto first = ask_secret("New pass-phrase");
  if (!first) return first.error();
  const auto second = ask_secret("The same again");
  if (!second) return second.error();
  if (!crypto::equal_constant_time(first->bytes(), second->bytes())) {
    return Error(ErrorKind::usage, "The two were not the same; nothing was made.");
  }
  return first;
}

std::string way_text(const RootKeySettings& root) {
  const config::UnsealSettings& unseal = root.unseal;
  switch (unseal.way) {
    case UnsealWay::key_file:
      return "{ key-file: " + root.key_file.string() + " }";
    case UnsealWay::systemd_credential:
      return "{ systemd-credential: " + unseal.credential + " }";
    case UnsealWay::passphrase:
      return "{ passphrase: ask }";
    case UnsealWay::pkcs11:
      return "{ pkcs11: { module: " + unseal.module + ", token: " + unseal.token +
             ", key: " + unseal.key + " } }";
    case UnsealWay::shares:
      return "{ shares: " + std::to_string(unseal.shares) + " }";
  }
  return {};
}

}  // namespace paravent::proxy::main
