// From a key pair to an opened value, with the commands that people run: what the gateway sealed
// opens with the private key and the exported contexts, and with nothing else.

#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/recipient_key.h"
#include "crypto/vault/engine/base/data_directory.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::main {
namespace {

namespace vault = crypto::vault;

struct Done {
  int code = 0;
  std::string out;
  std::string err;
};

template <typename Command>
Done run(Command command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Done done;
  done.code = command();
  done.out = testing::internal::GetCapturedStdout();
  done.err = testing::internal::GetCapturedStderr();
  return done;
}

class OpenCommand : public testing::Test {
 protected:
  OpenCommand() {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    data_.emplace(vault::DataDirectory::create(folder_ / "data").value());
    vault_ = vault::Vault::initialise(
                 *data_, vault::RootKey::obtain(folder_ / "root.key", false).value(), clock_)
                 .value();
    const std::vector<vault::PolicyNames> names{{"atelier", {"crm"}, {"contact"}}};
    EXPECT_TRUE(vault_->admit_names(names).has_value());
  }
  ~OpenCommand() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OpenCommand(const OpenCommand&) = delete;
  OpenCommand& operator=(const OpenCommand&) = delete;

  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  // The public key, raw.
  crypto::Bytes keypair(const std::string& name) {
    const Done done = run([&] { return run_keypair({file(name), true}); });
    EXPECT_EQ(done.code, 0) << done.err;
    const auto told = boost::json::parse(done.out);
    const auto key =
        crypto::parse_public_key(std::string(told.at("public_key").as_string())).value();
    return {key.begin(), key.end()};
  }

  std::string seal(const crypto::Bytes& public_key, crypto::Algorithm algorithm,
                   std::string_view value) {
    vault::ContextSpec spec;
    spec.domain = "crm";
    spec.purpose = "contact";
    spec.space = "text";
    spec.algorithm = algorithm;
    spec.epoch = crypto::EpochLength::month;
    spec.public_key = public_key;
    auto bound = vault_->bind("atelier", std::span(&spec, 1));
    EXPECT_TRUE(bound.has_value());
    std::vector<crypto::ProtectionKey> slots;
    slots.push_back(std::move(bound->front().key));
    auto protector = crypto::FieldProtector::create(slots);
    EXPECT_TRUE(protector.has_value());
    std::string out;
    EXPECT_TRUE((*protector)->protect(0, crypto::Kind::text, value, out).has_value());
    return out;
  }

  void export_contexts() {
    const Done done = run([&] {
      ContextsOptions options;
      options.data = file("data");
      options.root_key = file("root.key");
      options.out = file("contexts.json");
      return run_contexts(options);
    });
    EXPECT_EQ(done.code, 0) << done.err;
  }

  Done open(const std::string& key, const std::vector<std::string>& tokens, bool json = false) {
    return run([&] { return run_open({file(key), file("contexts.json"), tokens, json}); });
  }

  crypto::SystemClock clock_;
  std::filesystem::path folder_;
  std::optional<vault::DataDirectory> data_;
  std::unique_ptr<vault::Vault> vault_;
};

TEST_F(OpenCommand, OpensWhatWasSealedAndSaysWhatItIs) {
  const crypto::Bytes board = keypair("board.key");
  const std::string shared = seal(board, crypto::Algorithm::sealed, "first\nline");
  const std::string single = seal(board, crypto::Algorithm::sealed_single, "second");
  const std::string raw = seal(board, crypto::Algorithm::sealed, "\xFF\xFE");
  export_contexts();
  vault_.reset();  // neither store nor gateway
  data_.reset();
  std::filesystem::remove_all(folder_ / "data");

  const Done plain = open("board.key", {shared, single});
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_EQ(plain.out, "first\nline\nsecond\n");
  const Done json = open("board.key", {single, raw}, true);
  EXPECT_EQ(json.code, 0) << json.err;
  const auto told = boost::json::parse(json.out).at("results");
  EXPECT_EQ(told.at(0).at("value").as_string(), "second");
  EXPECT_EQ(told.at(0).at("status").as_string(), "opened");
  EXPECT_EQ(told.at(0).at("tenant").as_string(), "atelier");
  EXPECT_EQ(told.at(0).at("purpose").as_string(), "contact");
  EXPECT_EQ(told.at(0).at("kind").as_string(), "text");
  EXPECT_EQ(told.at(1).at("value").as_string(), "//4=");
  EXPECT_EQ(told.at(1).at("encoding").as_string(), "base64");
}

TEST_F(OpenCommand, WhateverDoesNotOpenIsOneAnswer) {
  const crypto::Bytes board = keypair("board.key");
  const crypto::Bytes other = keypair("other.key");
  const std::string mine = seal(board, crypto::Algorithm::sealed, "mine");
  const std::string theirs = seal(other, crypto::Algorithm::sealed, "theirs");
  const std::string single = seal(other, crypto::Algorithm::sealed_single, "theirs");
  const std::string encrypted = [&] {
    vault::ContextSpec spec;
    spec.domain = "crm";
    spec.purpose = "contact";
    spec.space = "text";
    auto bound = vault_->bind("atelier", std::span(&spec, 1));
    std::vector<crypto::ProtectionKey> slots;
    slots.push_back(std::move(bound->front().key));
    std::string out;
    EXPECT_TRUE((*crypto::FieldProtector::create(slots).value())
                    .protect(0, crypto::Kind::text, "x", out)
                    .has_value());
    return out;
  }();
  export_contexts();
  const crypto::Bytes later = keypair("later.key");
  const std::string unknown = seal(later, crypto::Algorithm::sealed, "after the export");
  std::string altered = mine;
  altered[50] = altered[50] == 'A' ? 'B' : 'A';

  std::string sentence;
  for (const std::string& text : {theirs, single, encrypted, unknown, altered, std::string("x")}) {
    const Done done = open("board.key", {text});
    EXPECT_EQ(done.code, static_cast<int>(ExitCode::verification)) << text;
    EXPECT_EQ(done.out, "\n");
    if (sentence.empty()) sentence = done.err;
    EXPECT_EQ(done.err, sentence);
  }
  // What opens is given all the same.
  const Done mixed = open("board.key", {theirs, mine});
  EXPECT_EQ(mixed.code, static_cast<int>(ExitCode::verification));
  EXPECT_EQ(mixed.out, "\nmine\n");
  const Done json = open("board.key", {unknown}, true);
  EXPECT_EQ(boost::json::parse(json.out).at("results").at(0).at("status").as_string(),
            "not-opened");
}

TEST_F(OpenCommand, AKeyFileIsPrivateAndNeverOverwritten) {
  keypair("board.key");
  const auto text = [&] { return test::whole_file(file("board.key")); };
  const std::string before = text();
  EXPECT_TRUE(before.starts_with("pvpriv1") && before.ends_with('\n'));
  const auto status = std::filesystem::status(file("board.key"));
  EXPECT_EQ(status.permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const Done again = run([&] { return run_keypair({file("board.key"), false}); });
  EXPECT_EQ(again.code, static_cast<int>(ExitCode::data));
  EXPECT_EQ(again.out, "");
  EXPECT_EQ(text(), before);

  export_contexts();
  std::filesystem::permissions(file("board.key"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(open("board.key", {"x"}).code, static_cast<int>(ExitCode::data));
  EXPECT_EQ(open("missing.key", {"x"}).code, static_cast<int>(ExitCode::usage));
  EXPECT_EQ(open("root.key", {"x"}).code, static_cast<int>(ExitCode::data));
}

}  // namespace
}  // namespace paravent::proxy::main
