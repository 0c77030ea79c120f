// Anchors and witnesses: a real witness behind HTTP that judges what it gets as the specification
// says, one that lies, one that is away, and a file that cannot be written.

#include "proxy/main/keepers/anchor.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "crypto/audit/log_proof.h"
#include "crypto/audit/verifier.h"
#include "proxy/admin/admin_server.h"
#include "proxy/main/io/http_client.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::main {
namespace {

namespace audit = crypto::audit;

// C2SP tlog-witness, add-checkpoint.
class Witness final : public admin::AdminHandler {
 public:
  explicit Witness(std::vector<audit::NoteKey> logs, std::uint8_t seed = 51)
      : logs_(std::move(logs)),
        signer_(*crypto::Ed25519Signer::create(
            crypto::SecretBytes::copy_of(crypto::ByteView(crypto::Bytes(32, seed))))) {
    admin::AdminServerOptions options;
    options.port = 0;
    options.threads = 1;
    server_ = admin::AdminServer::start(options, *this).value();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  audit::WitnessKey key() const { return {"witness.example/w", signer_.public_key()}; }

  admin::AdminResponse handle(const admin::AdminRequest& request) override {
    const std::lock_guard lock(mutex);
    ++asked;
    if (request.path == "/anchor") {
      posted = request.body;
      return {204, "text/plain", ""};
    }
    if (request.method != "POST" || request.path != "/prefix/add-checkpoint") return answer(404);
    const auto proof = audit::parse_consistency_proof(request.body);
    if (!proof) return answer(400);
    const auto note = audit::parse_signed_note(proof->checkpoint);
    for (const audit::NoteKey& log : logs_) {
      if (!note->text.starts_with(log.name + "\n")) continue;
      const auto checkpoint = audit::open_checkpoint(proof->checkpoint, log);
      if (!checkpoint) return answer(403);
      audit::Checkpoint& known = known_[log.name];
      if (known.size != proof->old_size)
        return {409, "text/x.tlog.size", std::to_string(known.size) + "\n"};
      if (known.size == 0) known.root = audit::empty_root();
      if (!audit::verify_consistency(known.size, checkpoint->size, known.root, checkpoint->root,
                                     proof->hashes)) {
        return answer(422);
      }
      known = *checkpoint;
      const std::string text = lying ? "another text\n1\nAA==\n" : note->text;
      return {200, "text/plain", audit::cosign(text, "witness.example/w", signer_, 1'790'000'000)};
    }
    return answer(404);
  }

  void know(const std::string& origin, std::uint64_t size) { known_[origin].size = size; }

  std::mutex mutex;
  bool lying = false;
  int asked = 0;
  std::string posted;

 private:
  static admin::AdminResponse answer(std::uint16_t status) { return {status, "text/plain", ""}; }

  std::vector<audit::NoteKey> logs_;
  crypto::Ed25519Signer signer_;
  std::map<std::string, audit::Checkpoint> known_;
  std::unique_ptr<admin::AdminServer> server_;
};

std::vector<audit::NoteKey> keys_of(admin::Api& api) {
  std::vector<audit::NoteKey> keys;
  for (const audit::AuditLog* log : api.logs->all()) keys.push_back(log->key());
  return keys;
}

struct Anchored {
  admin::Api api;
  Witness witness{keys_of(api)};
  std::string file = (api.folder.path() / "anchored").string();

  config::AnchorConfig config() {
    config::AnchorConfig config;
    config.file = file;
    config.witnesses.push_back({witness.url() + "/prefix/", witness.key().text()});
    return config;
  }
  void grow() { EXPECT_EQ(api.reidentify("dpo", "contact", {"pvv1x", "pvv1y"}).status, 200); }
};

TEST(Anchor, CoSignedCheckpointsThatTheVerifierCounts) {
  Anchored test;
  Anchor anchor(test.config(), *test.api.logs);
  for (int turn = 0; turn < 3; ++turn) {
    test.grow();
    const auto status = anchor.run_once();
    ASSERT_TRUE(status.has_value()) << status.error().sentence();
    const auto notes = audit::split_checkpoints(test::whole_file(test.file));
    ASSERT_TRUE(notes.has_value());
    ASSERT_EQ(notes->size(), 2U);
    audit::VerifyOptions options;
    for (const std::string& note : *notes) options.checkpoints.emplace_back(note);
    options.witnesses = {test.witness.key()};
    options.quorum = 1;
    const auto report = audit::verify_audit((test.api.folder.path() / "audit").string(), options);
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->verified()) << report->first_fault().sentence();
  }
  EXPECT_EQ(anchor.failures(), 0U);
}

TEST(Anchor, AtTheEndNobodyIsAskedAndTheLastWordIsWritten) {
  Anchored test;
  Anchor anchor(test.config(), *test.api.logs);
  test.grow();
  anchor.hurry();
  EXPECT_TRUE(anchor.run_once().has_value());
  EXPECT_EQ(test.witness.asked, 0);
  EXPECT_FALSE(std::filesystem::exists(test.file));
  EXPECT_TRUE(anchor.finish().has_value());
  EXPECT_EQ(test.witness.asked, 0);
  EXPECT_TRUE(std::filesystem::exists(test.file));
}

TEST(Anchor, WhatHasNotGrownIsNotAskedAgain) {
  Anchored test;
  Anchor anchor(test.config(), *test.api.logs);
  test.grow();
  ASSERT_TRUE(anchor.run_once().has_value());
  const int asked = test.witness.asked;
  ASSERT_TRUE(anchor.run_once().has_value());
  EXPECT_EQ(test.witness.asked, asked);
  test.grow();
  ASSERT_TRUE(anchor.run_once().has_value());
  EXPECT_EQ(test.witness.asked, asked + 1);  // one log has grown, and its size was known
}

TEST(Anchor, TheLastWordKeepsWhatWasCoSigned) {
  Anchored test;
  Anchor anchor(test.config(), *test.api.logs);
  test.grow();
  ASSERT_TRUE(anchor.run_once().has_value());
  const int asked = test.witness.asked;
  test.grow();
  ASSERT_TRUE(anchor.finish().has_value());
  EXPECT_EQ(test.witness.asked, asked);
  const auto notes = audit::split_checkpoints(test::whole_file(test.file));
  ASSERT_TRUE(notes.has_value());
  EXPECT_EQ(notes->size(), 3U);  // of the tenant's log the one that is co-signed, and the latest
  audit::VerifyOptions options;
  for (const std::string& note : *notes) options.checkpoints.emplace_back(note);
  options.witnesses = {test.witness.key()};
  options.quorum = 1;
  const auto report = audit::verify_audit((test.api.folder.path() / "audit").string(), options);
  EXPECT_TRUE(report->verified()) << report->first_fault().sentence();
}

TEST(Anchor, ANewProcessLearnsFromTheWitnessWhatItKnows) {
  Anchored test;
  test.grow();
  ASSERT_TRUE(Anchor(test.config(), *test.api.logs).run_once().has_value());
  test.grow();
  Anchor again(test.config(), *test.api.logs);  // begins at old 0, is told 409
  const auto status = again.run_once();
  EXPECT_TRUE(status.has_value()) << status.error().sentence();
}

TEST(Anchor, ALyingWitnessAndOneThatIsAway) {
  Anchored test;
  test.grow();
  test.witness.lying = true;
  Anchor anchor(test.config(), *test.api.logs);
  EXPECT_FALSE(anchor.run_once().has_value());
  EXPECT_EQ(anchor.failures(), 1U);
  // What there is is written all the same, without its lines.
  const auto notes = audit::split_checkpoints(test::whole_file(test.file));
  ASSERT_TRUE(notes.has_value());
  for (const std::string& note : *notes) {
    EXPECT_EQ(audit::parse_signed_note(note)->signatures.size(), 1U);
  }
  config::AnchorConfig away = test.config();
  away.witnesses[0].url = "http://127.0.0.1:1";
  Anchor alone(away, *test.api.logs);
  EXPECT_FALSE(alone.run_once().has_value());
}

TEST(Anchor, AWitnessThatHasSeenMoreMeansARollBack) {
  Anchored test;
  test.grow();
  // Somebody showed the witness a longer log under this key.
  test.witness.know(test.api.log().key().name, 1000);
  Anchor anchor(test.config(), *test.api.logs);
  const auto status = anchor.run_once();
  ASSERT_FALSE(status.has_value());
  EXPECT_NE(status.error().sentence().find("rolled back"), std::string::npos)
      << status.error().sentence();
}

TEST(Anchor, IntoAFolderAndToAUrl) {
  Anchored test;
  test.grow();
  config::AnchorConfig config;
  config.file = (test.api.folder.path() / "elsewhere/").string();
  config.url = test.witness.url() + "/anchor";
  Anchor anchor(config, *test.api.logs);
  const auto status = anchor.run_once();
  ASSERT_TRUE(status.has_value()) << status.error().sentence();
  EXPECT_EQ(test::whole_file(config.file + "installation"),
            test.api.logs->installation().checkpoint_in_files().value());
  EXPECT_EQ(test::whole_file(config.file + test.api.log().log_id()),
            test.api.log().checkpoint_in_files().value());
  EXPECT_EQ(audit::split_checkpoints(test.witness.posted)->size(), 2U);
  config.url = test.witness.url() + "/nowhere";
  Anchor refused(config, *test.api.logs);
  EXPECT_FALSE(refused.run_once().has_value());
  config.url.clear();
  config.file = "/proc/nowhere/anchor";
  Anchor unwritable(config, *test.api.logs);
  EXPECT_FALSE(unwritable.run_once().has_value());
  EXPECT_EQ(unwritable.failures(), 1U);
}

TEST(HttpClient, Urls) {
  using Parts = std::pair<std::string, std::string>;
  EXPECT_EQ(split_url("https://a.example:1/b/c"), Parts("https://a.example:1", "/b/c"));
  EXPECT_EQ(split_url("http://a"), Parts("http://a", "/"));
  EXPECT_EQ(split_url("unix:/run/x"), Parts("unix:/run/x", "/"));
  HttpQuestion question;
  question.path = "/";
  for (const char* url : {"", "a", "ftp://a", "http://"}) {
    question.url = url;
    EXPECT_EQ(http_exchange(question).error().kind(), crypto::ErrorKind::usage) << url;
  }
  question.url = "unix:/nowhere/at/all";
  EXPECT_EQ(http_exchange(question).error().kind(), crypto::ErrorKind::unreachable);
}

// Over a socket that nobody else may open; a stale one is replaced, a live one is not.
TEST(HttpClient, AnAdminServerOnAUnixSocket) {
  const admin::TempFolder folder;
  class Echo final : public admin::AdminHandler {
   public:
    admin::AdminResponse handle(const admin::AdminRequest& request) override {
      return {200, "text/plain", (request.from_loopback ? "local " : "far ") + request.body};
    }
  } echo;
  admin::AdminServerOptions options;
  options.unix_path = (folder.path() / "socket").string();
  options.threads = 1;
  HttpQuestion question;
  question.url = "unix:" + options.unix_path;
  question.path = "/x";
  question.post = true;
  question.body = "hello";
  {
    const auto server = admin::AdminServer::start(options, echo);
    ASSERT_TRUE(server.has_value()) << server.error().sentence();
    const auto answer = http_exchange(question);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body, "local hello");
    const auto mode = std::filesystem::status(options.unix_path).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const auto second = admin::AdminServer::start(options, echo);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().kind(), crypto::ErrorKind::busy);
    EXPECT_TRUE(http_exchange(question).has_value());
  }
  EXPECT_FALSE(std::filesystem::exists(options.unix_path));
  // A file of another kind is left alone.
  std::ofstream(options.unix_path) << "precious";
  EXPECT_FALSE(admin::AdminServer::start(options, echo).has_value());
  EXPECT_EQ(test::whole_file(options.unix_path), "precious");
}

}  // namespace
}  // namespace paravent::proxy::main
