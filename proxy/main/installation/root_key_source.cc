#include "proxy/main/installation/root_key_source.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/unseal/file_provider.h"
#include "crypto/vault/unseal/pkcs11_provider.h"
#include "crypto/vault/unseal/share_provider.h"

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::vault::SecretSource;
using crypto::vault::UnsealProvider;

namespace {

constexpr std::size_t kMaxSecret = 4096;

// What the settings name comes before what the caller knows.
SecretSource source_of(const std::string& file, const SecretSource& otherwise) {
  if (file.empty()) return otherwise;
  return [file] { return read_secret_file(file); };
}

// Switches the terminal's echo off for as long as it lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    active_ = ::tcgetattr(terminal_, &before_) == 0;
    if (!active_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= static_cast<tcflag_t>(ECHONL);
    ::tcsetattr(terminal_, TCSAFLUSH, &silent);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (active_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

 private:
  int terminal_;
  termios before_{};
  bool active_ = false;
};

}  // namespace

Result<std::unique_ptr<UnsealProvider>> make_provider(const RootKeySettings& settings,
                                                      const std::filesystem::path& keys_folder) {
  const config::UnsealSettings& unseal = settings.unseal;
  using Made = std::unique_ptr<UnsealProvider>;
  switch (unseal.way) {
    case config::UnsealWay::key_file:
      return Made(std::make_unique<crypto::vault::FileProvider>(settings.key_file));
    case config::UnsealWay::systemd_credential: {
      auto made = crypto::vault::FileProvider::systemd_credential(unseal.credential);
      if (!made) return made.error();
      return Made(std::move(*made));
    }
    case config::UnsealWay::passphrase:
      return Made(std::make_unique<crypto::vault::PassphraseProvider>(
          keys_folder, source_of(unseal.passphrase_file, settings.secret)));
    case config::UnsealWay::pkcs11:
      return Made(std::make_unique<crypto::vault::Pkcs11Provider>(
          keys_folder, crypto::vault::Pkcs11Location{unseal.module, unseal.token, unseal.key},
          source_of(unseal.pin_file, settings.secret)));
    case config::UnsealWay::shares:
      return Made(std::make_unique<crypto::vault::ShareProvider>(keys_folder, unseal.shares,
                                                                 settings.shares_made));
  }
  return Error(ErrorKind::internal);
}

Result<crypto::vault::RootKey> open_root(UnsealProvider& provider,
                                         const crypto::vault::RootCheck& check,
                                         const SecretSource& ask, const Error& nobody) {
  auto root = provider.open(check);
  while (root && !*root) {
    if (!ask) return nobody;
    const auto secret = ask();
    if (!secret) return secret.error();
    if (secret->empty()) return nobody;
    root = provider.give(*secret, check);
  }
  if (root) return std::move(**root);
  // There is nobody to come back with another one: the command is over.
  return root.error().kind() == ErrorKind::refused ? Error(ErrorKind::data, root.error().sentence())
                                                   : root.error();
}

Result<SecretBytes> read_secret_from(int descriptor) {
  SecretBytes buffer(kMaxSecret);
  std::size_t size = 0;
  while (size < kMaxSecret) {
    // Byte by byte, so that nothing behind the line is taken from a shared descriptor.
    std::uint8_t* at = buffer.mutable_bytes().data() + size;
    const ssize_t got = ::read(descriptor, at, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error(ErrorKind::usage, "The secret cannot be read from its descriptor.");
    if (got == 0 || *at == '\n') break;
    ++size;
  }
  if (size == kMaxSecret) return Error(ErrorKind::usage, "The secret is too long.");
  return SecretBytes::copy_of(crypto::vault::without_line_ending(buffer.bytes().first(size)));
}

Result<SecretBytes> ask_secret(const std::string& question) {
  if (::isatty(STDIN_FILENO) == 0) return read_secret_from(STDIN_FILENO);
  std::fprintf(stderr, "%s: ", question.c_str());
  const Silence silence(STDIN_FILENO);
  return read_secret_from(STDIN_FILENO);
}

Result<SecretBytes> read_secret_file(const std::filesystem::path& file) {
  if (auto s = crypto::vault::check_private(file); !s) return s.error();
  auto text = crypto::vault::read_file(file, kMaxSecret);
  if (!text) return text.error();
  return SecretBytes::copy_of(crypto::vault::without_line_ending(text->bytes()));
}

}  // namespace paravent::proxy::main
