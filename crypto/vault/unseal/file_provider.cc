#include "crypto/vault/unseal/file_provider.h"

#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kMaxFile = 4096;
constexpr std::size_t kMaxName = 255;

// systemd.exec(5): a file name, without a slash and not "." or "..".
bool is_credential_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

// systemd guards the folder itself, and gives the file to root or to the service's user.
Result<RootKey> read_credential(const std::filesystem::path& file, const std::string& name) {
  const auto text = read_file(file, kMaxFile);
  if (!text) {
    return Error(ErrorKind::data, "The systemd credential " + name +
                                      " is missing; add LoadCredentialEncrypted=" + name +
                                      " to the unit.");
  }
  auto root = RootKey::parse(as_text(text->bytes()));
  if (!root) {
    return Error(ErrorKind::data, "The systemd credential " + name +
                                      " is altered or is no root key; make it again from your copy "
                                      "of the root key file.");
  }
  return root;
}

}  // namespace

Result<std::unique_ptr<FileProvider>> FileProvider::systemd_credential(std::string_view name) {
  if (!is_credential_name(name)) {
    return Error(ErrorKind::configuration,
                 "vault.unseal.systemd-credential takes the name of a credential.");
  }
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || folder[0] != '/') {
    return Error(ErrorKind::data,
                 "This process was started without systemd credentials ($CREDENTIALS_DIRECTORY is "
                 "not set); start it as the unit that has LoadCredentialEncrypted=" +
                     std::string(name) + ".");
  }
  auto made = std::make_unique<FileProvider>(std::filesystem::path(folder) / name);
  made->credential_ = name;
  return made;
}

Result<std::optional<RootKey>> FileProvider::open(const RootCheck& check) {
  auto root =
      credential_.empty() ? RootKey::obtain(file_, true) : read_credential(file_, credential_);
  if (!root) return root.error();
  if (!check.fits(*root)) {
    return Error(ErrorKind::data,
                 credential_.empty()
                     ? "The root key is not the one that this vault was made with (" +
                           file_.string() + "); name the right one with --root-key."
                     : "The systemd credential " + credential_ +
                           " is not the root key that this vault was made with.");
  }
  return std::optional<RootKey>(std::move(*root));
}

Result<RootKey> FileProvider::obtain_new() const {
  return credential_.empty() ? RootKey::obtain(file_, false) : read_credential(file_, credential_);
}

Result<std::optional<RootKey>> FileProvider::give(const SecretBytes&, const RootCheck&) {
  return Error(ErrorKind::malformed, "This vault unseals from a file; nothing is to be given.");
}

Result<Handouts> FileProvider::establish(const RootKey& root, const Id&, RecordPlace) {
  if (!credential_.empty()) {
    return Error(ErrorKind::usage,
                 "A systemd credential is made from a root key file; give --root-key.");
  }
  if (auto s = make_folder_of(file_); !s) return s.error();
  const SecretBytes text = root.file_text();
  if (auto s = write_file_durably(file_, text.bytes(), Existing::refuse); !s) return s.error();
  return Handouts();
}

}  // namespace paravent::crypto::vault
