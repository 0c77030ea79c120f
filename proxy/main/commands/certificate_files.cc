#include "proxy/main/commands/certificate_files.h"

#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::proxy::main {

using crypto::Result;
using crypto::vault::Existing;

Result<CertificateFiles> CertificateFiles::reserve(std::string file) {
  if (!file.empty()) {
    if (auto s = crypto::vault::write_file_durably(file, {}, Existing::refuse); !s) {
      return s.error();
    }
  }
  return CertificateFiles(std::move(file));
}

CertificateFiles::CertificateFiles(CertificateFiles&& other) noexcept
    : file_(std::exchange(other.file_, {})), written_(other.written_) {}

CertificateFiles::~CertificateFiles() {
  std::error_code ignored;
  if (!file_.empty() && !written_) std::filesystem::remove(file_, ignored);
}

std::vector<std::string> CertificateFiles::write(const std::vector<std::string>& certificates,
                                                 std::vector<std::string>& left) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    const std::string name = i == 0 ? file_ : file_ + "." + std::to_string(i + 1);
    if (!crypto::vault::write_file_durably(name, crypto::as_bytes(certificates[i]),
                                           i == 0 ? Existing::replace : Existing::refuse)) {
      left.assign(certificates.begin() + static_cast<std::ptrdiff_t>(i), certificates.end());
      break;
    }
    written_ = true;
    names.push_back(name);
  }
  return names;
}

}  // namespace paravent::proxy::main
