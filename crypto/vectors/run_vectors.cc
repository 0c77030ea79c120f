#include "crypto/vectors/run_vectors.h"

#include <algorithm>
#include <array>
#include <string>

#include "crypto/vectors/acvp_pair.h"
#include "crypto/vectors/suites.h"

namespace paravent::crypto {
namespace {

using boost::json::value;

constexpr std::array<VectorSuite, 22> kSuites = {{
    {"ACVP FF1", is_acvp_ff1, run_acvp_ff1},
    {"AES-SIV", [](const value& d) { return is_wycheproof(d, "AES-SIV-CMAC"); }, run_aes_siv},
    {"AES-SIV with nonce", [](const value& d) { return is_wycheproof(d, "AEAD-AES-SIV-CMAC"); },
     run_aead_aes_siv},
    {"AES-GCM", [](const value& d) { return is_wycheproof(d, "AES-GCM"); }, run_aes_gcm},
    {"AES-GMAC", [](const value& d) { return is_wycheproof(d, "AES-GMAC"); }, run_aes_gmac},
    {"AES-CMAC", [](const value& d) { return is_wycheproof(d, "AES-CMAC"); }, run_aes_cmac},
    {"AES-KW", [](const value& d) { return is_wycheproof(d, "AES-WRAP"); }, run_aes_kw},
    {"AES-KWP", [](const value& d) { return is_wycheproof(d, "AES-KWP"); }, run_aes_kwp},
    {"FF1", [](const value& d) { return is_wycheproof(d, "AES-FF1"); }, run_ff1},
    {"HKDF-SHA-256", [](const value& d) { return is_wycheproof(d, "HKDF-SHA-256"); }, run_hkdf},
    {"HKDF", is_hkdf_by_name, run_hkdf_by_name},
    {"HMAC-SHA-256", [](const value& d) { return is_wycheproof(d, "HMACSHA256"); }, run_hmac},
    {"HMAC", is_hmac_by_name, run_hmac_by_name},
    {"X25519", [](const value& d) { return is_wycheproof(d, "XDH"); }, run_x25519},
    {"Ed25519", [](const value& d) { return is_wycheproof(d, "EDDSA"); }, run_ed25519},
    {"ChaCha20-Poly1305", [](const value& d) { return is_wycheproof(d, "CHACHA20-POLY1305"); },
     run_chacha},
    {"XChaCha20-Poly1305", [](const value& d) { return is_wycheproof(d, "XCHACHA20-POLY1305"); },
     run_xchacha},
    {"ipcrypt", is_ipcrypt, run_ipcrypt},
    {"HPKE", is_hpke, run_hpke},
    {"XAES-256-GCM", is_xaes, run_xaes},
    {"Bech32m", is_bech32m, run_bech32m},
    {"Merkle proofs", is_merkle, run_merkle},
}};

// Last, and apart from the others: a room that adds its own suites puts them before it.
constexpr VectorSuite kUnsupported = {"unsupported", is_unsupported, skip_unsupported};

bool contains(std::span<const std::filesystem::path> paths, const std::filesystem::path& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

Result<VectorReport> run_suite(const VectorSuite& suite, const value& document) {
  VectorReport report;
  report.suite = suite.name;
  suite.run(document, report);
  if (report.passed + report.failed() + report.skipped() == 0) {
    return Error(ErrorKind::malformed, "has no case");
  }
  return report;
}

}  // namespace

std::span<const VectorSuite> vector_suites() noexcept { return kSuites; }

Result<VectorReport> run_vector_file(const std::filesystem::path& path,
                                     std::span<const VectorSuite> suites,
                                     std::span<const std::filesystem::path> given) {
  auto document = read_json_file(path);
  if (!document) return document.error();
  const AcvpPart part = acvp_part(*document);
  if (part == AcvpPart::prompt || part == AcvpPart::results) {
    const auto partner = find_acvp_partner(path, *document, given);
    if (partner && part == AcvpPart::results && contains(given, partner->path)) {
      VectorReport report;
      report.suite = "ACVP results";
      report.skip("file", "these results are checked with their prompt " + partner->path.string());
      return report;
    }
    if (partner) *document = join_acvp(*document, partner->document);
  }
  auto report = run_vector_document(*document, suites);
  if (report) return report;
  return Error(report.error().kind(),
               "The file " + path.string() + " " + report.error().sentence() + ".");
}

Result<VectorReport> run_vector_document(const value& document,
                                         std::span<const VectorSuite> suites) {
  for (const VectorSuite& suite : suites) {
    if (suite.recognise(document)) return run_suite(suite, document);
  }
  if (kUnsupported.recognise(document)) return run_suite(kUnsupported, document);
  return Error(ErrorKind::malformed,
               "is not a vector file of a known kind (Wycheproof JSON, ipcrypt, NIST ACVP FF1, "
               "HPKE, XAES-256-GCM, Bech32m, Merkle proofs)");
}

}  // namespace paravent::crypto
