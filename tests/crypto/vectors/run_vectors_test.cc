#include "crypto/vectors/run_vectors.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace paravent::crypto {
namespace {

const std::filesystem::path kVectors = "tests/vectors";

// The exact counts, so that a suite that silently stops reading cases is seen.
struct Expectation {
  std::string_view file, suite;
  std::size_t passed, skipped, refused_by_rule;
};

constexpr Expectation kFiles[] = {
    {"wycheproof/aes_siv_cmac_test.json", "AES-SIV", 442, 0, 6},
    {"wycheproof/aes_gcm_test.json", "AES-GCM", 313, 3, 0},
    {"wycheproof/aes_wrap_test.json", "AES-KW", 165, 0, 0},
    {"wycheproof/aes_kwp_test.json", "AES-KWP", 254, 0, 0},
    {"wycheproof/aes_ff1_base10_test.json", "FF1", 3845, 0, 12},
    {"wycheproof/aes_ff1_base36_test.json", "FF1", 2854, 0, 6},
    {"wycheproof/hkdf_sha256_test.json", "HKDF-SHA-256", 86, 0, 0},
    {"wycheproof/hmac_sha256_test.json", "HMAC-SHA-256", 174, 0, 0},
    {"wycheproof/x25519_test.json", "X25519", 518, 0, 31},
    {"wycheproof/ed25519_test.json", "Ed25519", 151, 0, 0},
    {"wycheproof/xchacha20_poly1305_test.json", "XChaCha20-Poly1305", 315, 0, 0},
    {"acvp/prompt.json", "ACVP FF1", 11, 0, 0},
    {"acvp/expectedResults.json", "ACVP FF1", 11, 0, 0},
    {"ipcrypt/test_vectors.json", "ipcrypt", 26, 5, 0},
    {"hpke/rfc9180-a2-base-x25519-sha256-chachapoly.json", "HPKE", 11, 0, 0},
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

// What this program does not have is skipped case by case, and the reason names it.
TEST(Vectors, OtherAlgorithmsAreSkippedByName) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"algorithm":"ARIA-KWP","testGroups":[{"tests":[{"tcId":1,"result":"valid"}]}]})",
       "ARIA-KWP is not part of this program"},
      {R"({"algorithm":"XDH","testGroups":[{"type":"XdhComp","curve":"curve448",
          "tests":[{"tcId":1,"result":"valid"}]}]})",
       "X25519 is the only curve here, not curve448"},
      {R"({"algorithm":"XDH","testGroups":[{"type":"XdhJwkComp","curve":"curve25519",
          "tests":[{"tcId":1,"result":"valid"}]}]})",
       "keys are read as raw bytes only, not as in XdhJwkComp"},
      {R"({"algorithm":"EDDSA","testGroups":[{"publicKey":{"curve":"edwards448","pk":"00"},
          "tests":[{"tcId":1,"msg":"","sig":"","result":"valid"}]}]})",
       "Ed25519 is the only curve here, not edwards448"},
      {R"({"algorithm":"ACVP-AES-FF3-1","testGroups":[{"tests":[{"tcId":1}]}]})",
       "ACVP-AES-FF3-1 is not part of this program"},
      {R"([{"acvVersion":"1.0"},{"algorithm":"ACVP-TDES-KW","testGroups":[{"tests":[{"tcId":1}]}]}])",
       "ACVP-TDES-KW is not part of this program"},
      {R"([{"mode":2,"kem_id":32,"kdf_id":1,"aead_id":3,"encryptions":[]}])",
       "HPKE mode 2 with KEM 32, KDF 1, AEAD 3 is not offered, only base mode 0 with 32, 1, 3"},
      {R"([{"variant":"ipcrypt-nd"}])",
       "ipcrypt-nd is not offered: it needs a tweaked AES that no library here has"},
  };
  for (const auto& [content, reason] : cases) {
    const auto report = run_vector_file(ScratchFile(content).path());
    ASSERT_TRUE(report.has_value()) << content;
    EXPECT_EQ(report->passed, 0U);
    EXPECT_EQ(report->failed(), 0U);
    ASSERT_EQ(report->skipped(), 1U) << content;
    EXPECT_EQ(report->skips.front().text, reason);
  }
}

// Wycheproof of FF1 over lists of numbers; hexadecimal in capitals, as NIST writes it.
TEST(Vectors, Ff1OverListsAndAlphabets) {
  const std::pair<std::string_view, bool> cases[] = {
      {R"("alphabet":"0123456789","radix":10,"tests":[{"tcId":1,"result":"valid",
          "msg":"0123456789","ct":"2433477484",)",
       true},
      {R"("radix":10,"tests":[{"tcId":1,"result":"valid",
          "msg":[0,1,2,3,4,5,6,7,8,9],"ct":[2,4,3,3,4,7,7,4,8,4],)",
       true},
      {R"("radix":10,"tests":[{"tcId":1,"result":"valid",
          "msg":[0,1,2,3,4,5,6,7,8,9],"ct":[2,4,3,3,4,7,7,4,8,5],)",
       false},
      {R"("alphabet":"éèêë456789","radix":10,"tests":[{"tcId":1,"result":"valid",
          "msg":"éèêë456789","ct":"ê4ëë477484",)",
       true},
      {R"("radix":10,"tests":[{"tcId":1,"result":"invalid",
          "msg":[0,1,2,3,4,5,6,7,8,10],"ct":[],)",
       true},
      {R"("radix":10,"tests":[{"tcId":1,"result":"invalid",
          "msg":[0,1,2,3,4,5,6,7,8,9],"ct":[],)",
       false},
  };
  for (const auto& [content, passes] : cases) {
    const std::string file = R"({"algorithm":"AES-FF1","testGroups":[{)" + std::string(content) +
                             R"("key":"2B7E151628AED2A6ABF7158809CF4F3C","tweak":""}]}]})";
    const auto report = run_vector_file(ScratchFile(file).path());
    ASSERT_TRUE(report.has_value()) << content;
    EXPECT_EQ(report->passed, passes ? 1U : 0U) << content;
    EXPECT_EQ(report->failed(), passes ? 0U : 1U) << content;
  }
}

// The two files of a pair, from the command line: each case runs once.
TEST(Vectors, AcvpPairsAreJoined) {
  const ScratchFile prompt(R"([{"acvVersion":"1.0"},{"vsId":7,"algorithm":"ACVP-AES-FF1",
      "testGroups":[{"tgId":1,"alphabet":"0123456789","radix":10,"tests":[
      {"tcId":1,"tweak":"","pt":"0123456789","key":"2B7E151628AED2A6ABF7158809CF4F3C"},
      {"tcId":2,"tweak":"","pt":"0123456789","key":"2B7E151628AED2A6ABF7158809CF4F3C"},
      {"tcId":3,"tweak":"","ct":"2433477484","key":"2B7E151628AED2A6ABF7158809CF4F3C"},
      {"tcId":4,"tweak":"","pt":"0123456789","key":"2B7E151628AED2A6ABF7158809CF4F3C"}]}]}])");
  const ScratchFile results(R"({"vsId":7,"algorithm":"ACVP-AES-FF1","testGroups":[{"tgId":1,
      "tests":[{"tcId":3,"pt":"0123456789"},{"tcId":2,"ct":"2433477485"},
               {"tcId":1,"ct":"2433477484"}]}]})");
  const ScratchFile stranger(R"({"vsId":8,"algorithm":"ACVP-AES-FF1","testGroups":[{"tgId":1,
      "tests":[{"tcId":1,"ct":"0000000000"}]}]})");
  const std::filesystem::path given[] = {stranger.path(), results.path(), prompt.path()};
  const auto report = run_vector_file(prompt.path(), vector_suites(), given);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->passed, 2U);
  ASSERT_EQ(report->failed(), 1U);
  EXPECT_EQ(report->failures[0].id, "tcId 2");
  ASSERT_EQ(report->skipped(), 1U);
  EXPECT_EQ(report->skips[0].id, "tcId 4");
  const auto again = run_vector_file(results.path(), vector_suites(), given);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->passed, 0U);
  EXPECT_EQ(again->skipped(), 1U);
  const auto alone = run_vector_file(prompt.path());
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(alone->passed, 0U);
  EXPECT_EQ(alone->skipped(), 4U);
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
      R"({"algorithm":"AES-GCM","testGroups":[{"tests":[{"tcId":1,"key":"","iv":"",
          "aad":"","msg":"","ct":"","tag":"","result":"valid"}]}]})",
      R"({"algorithm":"AES-WRAP","testGroups":[{"tests":[
          {"tcId":1,"key":"","msg":"","ct":"","result":"valid"}]}]})",
      R"({"algorithm":"AES-FF1","testGroups":[{"tests":[{"tcId":1,"result":"valid"}]}]})",
      R"({"algorithm":"AES-CMAC","testGroups":[{"tagSize":128,"tests":[{"tcId":1,"msg":"",
          "key":"00000000000000000000000000000000","tag":"00","result":"valid"}]}]})",
      R"({"algorithm":"HMACSHA512","testGroups":[{"tagSize":512,"tests":[
          {"tcId":1,"key":"00","msg":"","tag":"00","result":"valid"}]}]})",
      R"({"algorithm":"HKDF-SHA-1","testGroups":[{"tests":[
          {"tcId":1,"ikm":"00","salt":"","info":"","size":16,"okm":"00","result":"valid"}]}]})",
      R"({"algorithm":"XDH","testGroups":[{"type":"XdhComp","curve":"curve25519","tests":[
          {"tcId":1,"public":"00","private":"00","shared":"00","result":"valid"}]}]})",
      R"([{"variant":"ipcrypt-pfx","key":"00","ip":"1.2.3.4","encrypted_ip":"1.2.3.4"}])",
      R"([{"variant":"ipcrypt-ndx","key":"00","ip":"1.2.3","tweak":"","output":""}])",
      R"([{"variant":"ipcrypt-other"}])",
      R"([{"mode":0,"kem_id":32,"kdf_id":1,"aead_id":3,"encryptions":[]}])",
      R"([{"kem_id":"32","encryptions":[]}])",
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

// Another first character of the expected value, in a case that the file calls valid.
std::string_view expected_member(const boost::json::object& test) {
  for (const std::string_view name : {"ct", "okm", "shared", "sig", "tag"}) {
    const auto* member = test.if_contains(name);
    if (member != nullptr && member->is_string() && !member->get_string().empty()) return name;
  }
  return {};
}

// A file that is handed over, one byte of one answer changed: exactly that case fails, wherever it
// stands, also where a rule refuses what the case allows.
TEST(Vectors, AWrongByteInAnyAnswerIsAFailure) {
  for (const Expectation& file : kFiles) {
    if (!file.file.starts_with("wycheproof/")) continue;
    SCOPED_TRACE(file.file);
    const auto document = read_json_file(kVectors / file.file);
    ASSERT_TRUE(document.has_value());
    const std::size_t failures = [&] {
      std::size_t found = 0;
      std::size_t tried = 0;
      boost::json::value altered = *document;
      for (auto& group : altered.at("testGroups").as_array()) {
        std::size_t in_group = 0;
        for (auto& test : group.at("tests").as_array()) {
          auto& fields = test.as_object();
          const std::string_view name = expected_member(fields);
          // The beginnings of groups are where the unusual sizes stand.
          if (name.empty() || fields.at("result").as_string() != "valid" || in_group++ >= 2)
            continue;
          const auto* iv = fields.if_contains("iv");
          if (file.suite == "AES-GCM" && (iv == nullptr || iv->get_string().size() != 24)) continue;
          auto& answer = fields.at(name).as_string();
          const char before = answer[0];
          answer[0] = before == '1' ? '2' : '1';
          const auto report = run_vector_document(altered);
          answer[0] = before;
          ++tried;
          if (report && report->failed() == 1) {
            ++found;
          } else {
            ADD_FAILURE() << "unnoticed: tcId " << fields.at("tcId");
          }
          if (tried == 12) return found;
        }
      }
      return found;
    }();
    EXPECT_GT(failures, 0U);
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
