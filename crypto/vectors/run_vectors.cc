#include "crypto/vectors/run_vectors.h"

#include <array>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "crypto/vectors/suites.h"

namespace paravent::crypto {
namespace {

// 8 levels cover every published format; deeper input is not a vector file.
constexpr std::size_t kMaxDepth = 16;

constexpr std::array<VectorSuite, 9> kSuites = {{
    {"AES-256-SIV", [](const boost::json::value& d) { return is_wycheproof(d, "AES-SIV-CMAC"); },
     run_aes_siv},
    {"HKDF-SHA-256", [](const boost::json::value& d) { return is_wycheproof(d, "HKDF-SHA-256"); },
     run_hkdf},
    {"HMAC-SHA-256", [](const boost::json::value& d) { return is_wycheproof(d, "HMACSHA256"); },
     run_hmac},
    {"Ed25519", [](const boost::json::value& d) { return is_wycheproof(d, "EDDSA"); }, run_ed25519},
    {"XChaCha20-Poly1305",
     [](const boost::json::value& d) { return is_wycheproof(d, "XCHACHA20-POLY1305"); },
     run_xchacha},
    {"XAES-256-GCM", is_xaes, run_xaes},
    {"Bech32m", is_bech32m, run_bech32m},
    {"Merkle proofs", is_merkle, run_merkle},
    {"unsupported", is_unsupported, skip_unsupported},
}};

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  std::ifstream in(path, std::ios::binary);
  if (failure || !in) {
    return Error(ErrorKind::data, "The vector file " + path.string() + " cannot be read.");
  }
  if (size > kMaxVectorFile) {
    return Error(ErrorKind::data, "The vector file " + path.string() + " is larger than 64 MiB.");
  }
  std::string content(static_cast<std::size_t>(size), '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.gcount() != static_cast<std::streamsize>(content.size())) {
    return Error(ErrorKind::data, "The vector file " + path.string() + " cannot be read.");
  }
  return content;
}

}  // namespace

std::span<const VectorSuite> vector_suites() noexcept { return kSuites; }

Result<VectorReport> run_vector_file(const std::filesystem::path& path,
                                     std::span<const VectorSuite> suites) {
  auto content = read_file(path);
  if (!content) return content.error();
  boost::json::error_code failure;
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  const boost::json::value document = boost::json::parse(*content, failure, {}, options);
  if (failure) {
    return Error(ErrorKind::malformed, "The vector file " + path.string() + " is not JSON.");
  }
  for (const VectorSuite& suite : suites) {
    if (!suite.recognise(document)) continue;
    VectorReport report;
    report.suite = suite.name;
    suite.run(document, report);
    if (report.passed + report.failed() + report.skipped() == 0) {
      return Error(ErrorKind::malformed, "The vector file " + path.string() + " has no case.");
    }
    return report;
  }
  return Error(ErrorKind::malformed, "The file " + path.string() +
                                         " is not a vector file of a known kind (Wycheproof JSON, "
                                         "XAES-256-GCM, Bech32m, Merkle proofs).");
}

}  // namespace paravent::crypto
