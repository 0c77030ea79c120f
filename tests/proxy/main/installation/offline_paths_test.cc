// Where data and root key lie, by gateway file and flags: the same for `serve` and for the commands
// that work on a data directory by themselves.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "proxy/main/installation/installation.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
using config::UnsealWay;

class OfflinePaths : public testing::Test {
 protected:
  OfflinePaths() {
    std::string name = (fs::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~OfflinePaths() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  OfflinePaths(const OfflinePaths&) = delete;
  OfflinePaths& operator=(const OfflinePaths&) = delete;

  std::string at(const std::string& name) const { return (folder_ / name).string(); }

  void write_file(const std::string& vault) {
    std::ofstream(at("gateway.yaml"))
        << "listen: [{ address: 127.0.0.1:80 }]\npolicies: [p.yaml]\ndata: data\n"
        << vault;
  }

  // Of a command, and checked against what `serve` has by the same flags.
  InstallationPaths flags(const std::string& data, const std::string& root_key) {
    auto found = offline_paths(at("gateway.yaml"), data, root_key);
    EXPECT_TRUE(found);
    const auto served =
        configured_paths(config::load_gateway_file(at("gateway.yaml")).config, data, root_key);
    EXPECT_EQ(found->data, served.data);
    EXPECT_EQ(found->root.key_file, served.root.key_file);
    EXPECT_EQ(found->root.unseal, served.root.unseal);
    return std::move(*found);
  }

  fs::path folder_;
};

TEST_F(OfflinePaths, AFileThatSaysNothingOfTheKeyLeavesItToData) {
  write_file("");
  InstallationPaths paths = flags({}, {});
  EXPECT_EQ(paths.data, at("data"));
  EXPECT_EQ(paths.root.key_file, config::default_root_key());
  paths = flags(at("other"), {});
  EXPECT_EQ(paths.data, at("other"));
  EXPECT_EQ(paths.root.key_file, at("other/root.key"));
  EXPECT_TRUE(paths.key_beside_data());
  paths = flags(at("other/"), {});
  EXPECT_EQ(paths.data, at("other"));
  EXPECT_TRUE(paths.key_beside_data());
  paths = flags(at("other"), at("key"));
  EXPECT_EQ(paths.root.key_file, at("key"));
}

TEST_F(OfflinePaths, WhatTheFileSaysOfTheKeyStands) {
  write_file("vault: { unseal: { key-file: the.key } }\n");
  EXPECT_EQ(flags({}, {}).root.key_file, at("the.key"));
  InstallationPaths paths = flags(at("other"), {});
  EXPECT_EQ(paths.data, at("other"));
  EXPECT_EQ(paths.root.key_file, at("the.key"));
  EXPECT_EQ(flags(at("other"), at("key")).root.key_file, at("key"));
  write_file("vault: { unseal: { passphrase: ask } }\n");
  EXPECT_EQ(flags(at("other"), {}).root.unseal.way, UnsealWay::passphrase);
  EXPECT_EQ(flags({}, at("key")).root.unseal.way, UnsealWay::key_file);
}

// `backup DIR OUT --config FILE`: there is no leaving DIR out.
TEST_F(OfflinePaths, AnArgumentThatRepeatsTheFileSaysNothingNew) {
  write_file("");
  const auto key_of = [this](const std::string& data) {
    return offline_paths(at("gateway.yaml"), data, {}, DataFrom::argument)->root.key_file;
  };
  EXPECT_EQ(key_of(at("data")), config::default_root_key());
  EXPECT_EQ(key_of(at("data/")), config::default_root_key());
  EXPECT_EQ(key_of(at("other")), at("other/root.key"));
  fs::create_directory(at("data"));
  fs::create_directory_symlink(at("data"), at("link"));
  EXPECT_EQ(key_of(at("link")), config::default_root_key());
}

}  // namespace
}  // namespace paravent::proxy::main
