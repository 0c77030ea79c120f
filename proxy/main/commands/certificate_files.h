// CertificateFiles: where the certificates of an erasure go. They are made once: so FILE is there
// before anything is erased, and what cannot be written to it is printed.

#pragma once

#include <string>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy::main {

class CertificateFiles {
 public:
  // Makes `file`, empty, and never over another one. ErrorKind::data: it exists, or cannot be made;
  // disk_full. Nothing is reserved where no file is named.
  static crypto::Result<CertificateFiles> reserve(std::string file);
  CertificateFiles(CertificateFiles&& other) noexcept;
  CertificateFiles(const CertificateFiles&) = delete;
  CertificateFiles& operator=(const CertificateFiles&) = delete;
  CertificateFiles& operator=(CertificateFiles&&) = delete;
  // What nothing was written to is removed.
  ~CertificateFiles();

  // One file a person: FILE, FILE.2, FILE.3, whose names are answered. The one that cannot be
  // written is the first of `left`, and all behind it.
  std::vector<std::string> write(const std::vector<std::string>& certificates,
                                 std::vector<std::string>& left);

 private:
  explicit CertificateFiles(std::string file) : file_(std::move(file)) {}
  std::string file_;
  bool written_ = false;
};

}  // namespace paravent::proxy::main
