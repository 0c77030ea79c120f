// Where data and root key lie, by gateway file and flags: the same for `serve` and for the commands
// that work on a data directory by themselves.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

// Somebody who is not root, whose defaults lie in this folder.
class Somebody {
 public:
  explicit Somebody(const fs::path& folder) : root_(::geteuid() == 0) {
    ::setenv("XDG_STATE_HOME", (folder / "state").c_str(), 1);
    ::setenv("XDG_CONFIG_HOME", (folder / "config").c_str(), 1);
    if (root_ && (::chmod(folder.c_str(), 0755) != 0 || ::seteuid(65534) != 0)) std::abort();
  }
  Somebody(const Somebody&) = delete;
  Somebody& operator=(const Somebody&) = delete;
  ~Somebody() {
    if (root_ && ::seteuid(0) != 0) std::abort();
    ::unsetenv("XDG_STATE_HOME");
    ::unsetenv("XDG_CONFIG_HOME");
  }

 private:
  bool root_;
};

TEST_F(OfflinePaths, TheDefaultDirectoryHasItsKeyInItsPlaceAlsoWhereItIsNamed) {
  const std::string data = at("state/paravent");
  fs::create_directories(data + "/keys");
  fs::create_directories(at("config/paravent"));
  fs::create_directories(at("data/keys"));
  std::ofstream(at("config/paravent/root.key")) << "x";
  std::ofstream(at("data/keys/keystore")) << "x";
  const auto key_of = [&](const std::string& folder, const std::string& key = {}) {
    const Somebody somebody(folder_);
    const auto found = offline_paths({}, folder, key);
    EXPECT_TRUE(found);
    return found ? found->root.key_file.string() : std::string();
  };
  EXPECT_EQ(key_of(data), data + "/root.key") << "no vault: it is made as it always was";
  std::ofstream(data + "/keys/keystore") << "x";
  EXPECT_EQ(key_of(data), at("config/paravent/root.key"));
  EXPECT_EQ(key_of(data + "/"), at("config/paravent/root.key"));
  EXPECT_EQ(key_of(at("data")), at("data/root.key")) << "another directory";
  EXPECT_EQ(key_of(data, at("key")), at("key")) << "a flag says what it says";
  std::ofstream(data + "/root.key") << "x";
  EXPECT_EQ(key_of(data), data + "/root.key") << "it lies beside the data";
}

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
