#include "crypto/vectors/run_vectors.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace paravent::crypto {
namespace {

const std::filesystem::path kVectors = "tests/vectors";

// The exact counts, so that a suite that silently stops reading cases is seen.
struct Expectation {
  std::string_view file, suite;
  std::size_t passed, skipped, refused_by_rule;
};

constexpr Expectation kFiles[] = {
    {"wycheproof/aes_siv_cmac_test.json", "AES-256-SIV", 147, 295, 6},
    {"wycheproof/hkdf_sha256_test.json", "HKDF-SHA-256", 86, 0, 0},
    {"wycheproof/hmac_sha256_test.json", "HMAC-SHA-256", 174, 0, 0},
    {"wycheproof/ed25519_test.json", "Ed25519", 151, 0, 0},
    {"wycheproof/xchacha20_poly1305_test.json", "XChaCha20-Poly1305", 315, 0, 0},
    {"xaes/xaes_256_gcm.json", "XAES-256-GCM", 3, 0, 0},
    {"bech32m/bip350.json", "Bech32m", 21, 0, 0},
};

TEST(Vectors, PublishedFilesPass) {
  for (const Expectation& expected : kFiles) {
    SCOPED_TRACE(expected.file);
    const auto report = run_vector_file(kVectors / expected.file);
    ASSERT_TRUE(report.has_value()) << report.error().sentence();
    EXPECT_EQ(report->suite, expected.suite);
    EXPECT_EQ(report->passed, expected.passed);
    EXPECT_EQ(report->skipped(), expected.skipped);
    EXPECT_EQ(report->refused_by_rule.size(), expected.refused_by_rule);
    for (const VectorNote& failure : report->failures) {
      ADD_FAILURE() << failure.id << ": " << failure.text;
    }
  }
}

TEST(Vectors, MerkleProofsVerifyOrAreRefused) {
  std::size_t files = 0;
  for (const auto& at : std::filesystem::recursive_directory_iterator(kVectors / "merkle")) {
    if (at.path().extension() != ".json") continue;
    SCOPED_TRACE(at.path().string());
    const auto report = run_vector_file(at.path());
    ASSERT_TRUE(report.has_value()) << report.error().sentence();
    EXPECT_EQ(report->suite, "Merkle proofs");
    EXPECT_EQ(report->passed, 1U);
    EXPECT_EQ(report->failed(), 0U);
    ++files;
  }
  EXPECT_GT(files, 50U);
}

TEST(Vectors, OtherAlgorithmsAreSkippedByName) {
  const std::map<std::string, std::pair<std::size_t, std::string>> files = {
      {"wycheproof/aes_gcm_test.json", {316, "AES-GCM"}},
      {"wycheproof/x25519_test.json", {518, "XDH"}},
      {"wycheproof/aes_wrap_test.json", {165, "AES-WRAP"}},
      {"wycheproof/aes_kwp_test.json", {254, "AES-KWP"}},
      {"wycheproof/aes_ff1_base10_test.json", {3845, "AES-FF1"}},
      {"wycheproof/aes_ff1_base36_test.json", {2854, "AES-FF1"}},
      {"ipcrypt/test_vectors.json", {31, "ipcrypt-deterministic"}},
      {"hpke/rfc9180-a2-base-x25519-sha256-chachapoly.json", {1, "HPKE"}},
  };
  for (const auto& [file, expected] : files) {
    SCOPED_TRACE(file);
    const auto report = run_vector_file(kVectors / file);
    ASSERT_TRUE(report.has_value()) << report.error().sentence();
    EXPECT_EQ(report->passed, 0U);
    EXPECT_EQ(report->failed(), 0U);
    ASSERT_EQ(report->skipped(), expected.first);
    EXPECT_EQ(report->skips.front().text, expected.second + " is not part of this program");
  }
}

class ScratchFile {
 public:
  explicit ScratchFile(std::string_view content) {
    std::string name = (std::filesystem::temp_directory_path() / "vectorsXXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    if (descriptor < 0) std::abort();
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~ScratchFile() { std::filesystem::remove(path_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

ErrorKind refusal_of(std::string_view content) {
  const auto report = run_vector_file(ScratchFile(content).path());
  EXPECT_FALSE(report.has_value()) << content;
  return report ? ErrorKind::internal : report.error().kind();
}

TEST(Vectors, UnknownFilesAreMalformed) {
  for (const std::string_view content :
       {"", "{", "[]", "{}", "null", "3", "[1]", "[{}]", R"({"algorithm":3,"testGroups":[]})",
        R"({"algorithm":"HMACSHA256"})", R"({"algorithm":"HMACSHA256","testGroups":[]})",
        R"({"algorithm":"HMACSHA256","testGroups":[{"tests":7}]})", R"({"source":"elsewhere"})"}) {
    EXPECT_EQ(refusal_of(content), ErrorKind::malformed) << content;
  }
  EXPECT_EQ(refusal_of(std::string(100000, '[')), ErrorKind::malformed);
  EXPECT_EQ(run_vector_file("tests/vectors/no-such-file.json").error().kind(), ErrorKind::data);
  EXPECT_EQ(run_vector_file("tests/vectors").error().kind(), ErrorKind::data);
}

// A runner that cannot fail proves nothing.
TEST(Vectors, WrongCasesFail) {
  const std::string_view cases[] = {
      R"({"algorithm":"HMACSHA256","testGroups":[{"tagSize":256,"tests":[
          {"tcId":1,"key":"00","msg":"","tag":"00","result":"valid"}]}]})",
      R"({"algorithm":"HMACSHA256","testGroups":[{"tagSize":256,"tests":[
          {"tcId":1,"key":"00","msg":"","result":"valid"}]}]})",
      R"({"algorithm":"HMACSHA256","testGroups":[{"tagSize":256,"tests":[
          {"tcId":1,"key":"00","msg":"","tag":"00","result":"perhaps"}]}]})",
      R"({"algorithm":"HKDF-SHA-256","testGroups":[{"tests":[
          {"tcId":1,"ikm":"00","salt":"","info":"","size":16,"okm":"00","result":"valid"}]}]})",
      R"({"algorithm":"AES-SIV-CMAC","testGroups":[{"tests":[{"tcId":1,"aad":"","result":"valid",
          "key":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
          "msg":"00","ct":"0000000000000000000000000000000000"}]}]})",
      R"({"algorithm":"EDDSA","testGroups":[{"publicKey":{"pk":"00"},"tests":[
          {"tcId":1,"msg":"","sig":"","result":"valid"}]}]})",
      R"({"algorithm":"XCHACHA20-POLY1305","testGroups":[{"tests":[{"tcId":1,"key":"","iv":"",
          "aad":"","msg":"","ct":"","tag":"","result":"valid"}]}]})",
      R"({"source":"XAES-256-GCM","vectors":[{"key":"00","nonce_ascii":"","plaintext_ascii":"",
          "aad_ascii":"","ciphertext":""}]})",
      R"({"source":"XAES-256-GCM","vectors":[],"accumulated":{"iterations":10,"result":"00"}})",
  };
  for (const std::string_view content : cases) {
    const auto report = run_vector_file(ScratchFile(content).path());
    ASSERT_TRUE(report.has_value()) << content;
    EXPECT_EQ(report->passed, 0U) << content;
    EXPECT_EQ(report->failed(), 1U) << content;
  }
}

// An "invalid" case that our primitive would accept must be reported.
TEST(Vectors, AcceptedInvalidCaseFails) {
  const ScratchFile file(R"({"algorithm":"HMACSHA256","testGroups":[{"tagSize":256,"tests":[
      {"tcId":9,"key":"4a656665","msg":"7768617420646f2079612077616e7420666f72206e6f7468696e673f",
       "tag":"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
       "result":"invalid"}]}]})");
  const auto report = run_vector_file(file.path());
  ASSERT_TRUE(report.has_value());
  ASSERT_EQ(report->failed(), 1U);
  EXPECT_EQ(report->failures[0].id, "tcId 9");
}

TEST(Vectors, AnotherRoomAddsItsOwnSuite) {
  constexpr VectorSuite kOwn[] = {
      {"own", [](const boost::json::value& d) { return d.is_string(); },
       [](const boost::json::value&, VectorReport& report) { report.pass(); }},
  };
  const ScratchFile file("\"own\"");
  EXPECT_EQ(refusal_of("\"own\""), ErrorKind::malformed);
  const auto report = run_vector_file(file.path(), kOwn);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->suite, "own");
  EXPECT_EQ(report->passed, 1U);
}

}  // namespace
}  // namespace paravent::crypto
