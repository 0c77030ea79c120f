// Offline verification: every byte, every file, every order; and what it compares a log with.

#include "crypto/audit/verifier.h"

#include <gtest/gtest.h>

#include "crypto/audit/log_folder.h"
#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {
namespace {

namespace fs = std::filesystem;

TEST(Verifier, EveryBitOfASmallLog) {
  TestLog test;
  append_some(*test.open(), 3);
  ASSERT_EQ(test.verify(), "");
  std::size_t flips = 0;
  for (const std::string& path : files_below(test.path())) {
    const std::string good = test::whole_file(path);
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string altered = good;
      altered[i] = static_cast<char>(altered[i] ^ static_cast<char>(1U << (i % 8)));
      write_file(path, altered);
      const std::string fault = test.verify();
      ASSERT_NE(fault, "") << path << " byte " << i;
      // It says where: in this file, or (a flipped size or root) in the file that no longer fits.
      if (path.find("/tile/") != std::string::npos) {
        EXPECT_NE(fault.find("/tile/"), std::string::npos) << fault;
      }
      ++flips;
    }
    write_file(path, good);
  }
  EXPECT_GT(flips, 1000U);
  EXPECT_EQ(test.verify(), "");
}

TEST(Verifier, ABiggerLogAtManyPlaces) {
  TestLog test;
  append_some(*test.open(), 66'000);
  ASSERT_EQ(test.verify(), "");
  std::size_t number = 0;
  for (const std::string& path : files_below(test.path())) {
    if (++number % 67 != 0 && !path.ends_with("/tile/1/000") &&
        path.find(".p/") == std::string::npos) {
      continue;
    }
    const std::string good = test::whole_file(path);
    std::string altered = good;
    const std::size_t at = good.size() * (number % 7) / 7;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    write_file(path, altered);
    EXPECT_NE(test.verify(), "") << path;
    write_file(path, good);
  }
  EXPECT_EQ(test.verify(), "");
}

TEST(Verifier, TruncatedAndExtendedFiles) {
  TestLog test;
  append_some(*test.open(), 300);
  for (const std::string& path : files_below(test.path())) {
    const std::string good = test::whole_file(path);
    for (const std::size_t size : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
      write_file(path, good.substr(0, size));
      EXPECT_NE(test.verify(), "") << path << " cut to " << size;
    }
    for (const std::string& more : {std::string("\n"), std::string(1, '\0'), std::string("x"),
                                    std::string(32, '\0'), std::string("\0\0", 2)}) {
      write_file(path, good + more);
      EXPECT_NE(test.verify(), "") << path;
    }
    fs::remove(path);
    EXPECT_NE(test.verify().find("is missing"), std::string::npos) << path;
    write_file(path, good);
  }
  EXPECT_EQ(test.verify(), "");
}

TEST(Verifier, CutAtEachLength) {
  TestLog test;
  append_some(*test.open(), 2);
  for (const std::string& path : files_below(test.path())) {
    const std::string good = test::whole_file(path);
    for (std::size_t size = 0; size < good.size(); ++size) {
      write_file(path, good.substr(0, size));
      const std::string fault = test.verify();
      ASSERT_NE(fault, "") << path << " cut to " << size;
      // It says where: a file of this log.
      EXPECT_NE(fault.find(test.path()), std::string::npos) << fault;
    }
    write_file(path, good);
  }
  EXPECT_EQ(test.verify(), "");
}

TEST(Verifier, WhatDoesNotBelong) {
  TestLog test;
  append_some(*test.open(), 300);
  const auto refused_file = [&](const std::string& name, const std::string& bytes) {
    fs::create_directories(fs::path(test.path() + "/" + name).parent_path());
    write_file(test.path() + "/" + name, bytes);
    EXPECT_NE(test.verify(), "") << name;
    fs::remove(test.path() + "/" + name);
  };
  const std::string tile = test::whole_file(test.path() + "/tile/0/000");
  const std::string bundle = test::whole_file(test.path() + "/tile/entries/000");
  refused_file("notes.txt", "hello");
  refused_file("tile/.hidden", "");
  refused_file("tile/0/000.bak", tile);
  refused_file("tile/0/002", tile);
  refused_file("tile/0/001", tile);
  refused_file("tile/0/001.p/45", tile.substr(0, 45 * 32));
  refused_file("tile/2/000.p/1", tile.substr(0, 32));
  refused_file("tile/entries/001", bundle);
  refused_file("tile/entries/x001/000", bundle);
  refused_file("checkpoint.new", test::whole_file(test.path() + "/checkpoint"));
  refused_file("checkpoint.new", "");
  refused_file("tile/0/000.p/3", tile.substr(32, 96));  // superseded, but not its beginning
  refused_file("tile/0/000.p/3", tile.substr(0, 95));
  EXPECT_EQ(test.verify(), "");
  fs::create_directory(test.path() + "/empty");
  EXPECT_NE(test.verify(), "");
  fs::remove(test.path() + "/empty");
  fs::create_symlink("checkpoint", test.path() + "/link");
  EXPECT_NE(test.verify(), "");
  fs::remove(test.path() + "/link");
  const std::string checkpoint = test.path() + "/checkpoint";
  fs::rename(checkpoint, test.folder.path("elsewhere"));
  fs::create_symlink(test.folder.path("elsewhere"), checkpoint);
  EXPECT_NE(test.verify(), "");
}

TEST(Verifier, ReorderedEntriesAndSwappedBundles) {
  TestLog test;
  append_some(*test.open(), 600);
  const std::string path = test.path() + "/tile/entries/000";
  const std::string good = test::whole_file(path);
  const auto entries = split_bundle(as_bytes(good), 256);
  std::string swapped;
  for (std::size_t i = 0; i < 256; ++i) {
    append_lp(swapped, as_text((*entries)[i == 3 ? 4 : i == 4 ? 3 : i]));
  }
  write_file(path, swapped);
  EXPECT_NE(test.verify(), "");
  const std::string other = test::whole_file(test.path() + "/tile/entries/001");
  write_file(path, other);
  write_file(test.path() + "/tile/entries/001", good);
  EXPECT_NE(test.verify(), "");
}

TEST(Verifier, ARollbackShowsInTheFolderOrAgainstASavedCheckpoint) {
  TestLog test;
  append_some(*test.open(), 10);
  const std::string early = test::whole_file(test.path() + "/checkpoint");
  fs::copy(test.path(), test.folder.path("old"), fs::copy_options::recursive);
  append_some(*test.open(), 10);
  const std::string late = test::whole_file(test.path() + "/checkpoint");
  VerifyOptions options;
  options.checkpoints = {early, late};
  const LogReport report = verify_log(test.path(), options);
  EXPECT_FALSE(report.fault.has_value());
  EXPECT_EQ(report.compared.back(), "the earlier checkpoint of size 20");
  // The checkpoint alone, put back.
  write_file(test.path() + "/checkpoint", early);
  EXPECT_NE(test.verify(), "");
  // The whole folder, put back: consistent in itself, so only the saved checkpoint tells.
  fs::remove_all(test.path());
  fs::copy(test.folder.path("old"), test.path(), fs::copy_options::recursive);
  EXPECT_EQ(test.verify(), "");
  EXPECT_NE(test.verify(options), "");
  options.checkpoints = {early};
  EXPECT_EQ(test.verify(options), "");
}

TEST(Verifier, AForkIsNotAContinuation) {
  TestLog test;
  test.open();
  fs::copy(test.path(), test.folder.path("fork"), fs::copy_options::recursive);
  append_some(*test.open(), 10);
  const std::string mine = test::whole_file(test.path() + "/checkpoint");
  fs::remove_all(test.path());
  fs::rename(test.folder.path("fork"), test.path());
  append_some(*test.open(), 12);
  VerifyOptions options;
  options.checkpoints = {mine};
  EXPECT_EQ(test.verify(), "");
  EXPECT_NE(test.verify(options).find("does not continue"), std::string::npos);
}

TEST(Verifier, ARewrittenLogNeedsTheSigningKey) {
  TestLog test;
  append_some(*test.open(), 10);
  const NoteKey trusted = *parse_note_key([&] {
    std::string text = test::whole_file(test.path() + "/public-key");
    text.pop_back();
    return text;
  }());
  VerifyOptions options;
  options.trusted_keys = {trusted};
  EXPECT_EQ(test.verify(options), "");
  // Somebody makes the whole log anew with a key of their own.
  fs::remove_all(test.path());
  auto forged = test.try_open(std::make_shared<Disk>(), OpenMode::create_if_missing, 99);
  append_some(**forged, 10);
  EXPECT_EQ(test.verify(), "");
  EXPECT_NE(test.verify(options).find("public-key"), std::string::npos);
}

struct Installation {
  TestLog installation;
  std::string tenant = std::string(31, '0') + "1";
  std::string data = installation.folder.path("");

  Installation() {
    append_some(*installation.open(), 4);
    add(tenant);
  }
  void add(const std::string& id) {
    auto log = AuditLog::open(installation.folder.path("audit/" + id),
                              audit_origin(test_installation(), id), test_seed(3),
                              installation.keys, installation.clock);
    append_some(**log, 5);
  }
};

TEST(Verifier, ADataDirectoryHoldsAllItsLogs) {
  Installation all;
  for (const std::string& path :
       {all.data, all.installation.folder.path("audit"), all.installation.folder.path("audit/")}) {
    const auto report = verify_audit(path, {});
    ASSERT_TRUE(report.has_value()) << report.error().sentence();
    EXPECT_TRUE(report->verified());
    ASSERT_EQ(report->logs.size(), 2U);
    EXPECT_EQ(report->logs[0].size, 4U);
    EXPECT_EQ(report->logs[1].size, 5U);
  }
  EXPECT_EQ(verify_audit(all.installation.path(), {})->logs.size(), 1U);
  EXPECT_FALSE(verify_audit(all.installation.folder.path("nowhere"), {}).has_value());
}

TEST(Verifier, AFaultInOneLogIsNamedAndTheOthersAreStillRead) {
  Installation all;
  const std::string path = all.installation.folder.path("audit/" + all.tenant + "/checkpoint");
  write_file(path, test::whole_file(path) + "x");
  const auto report = verify_audit(all.data, {});
  EXPECT_FALSE(report->verified());
  EXPECT_NE(report->first_fault().sentence().find(all.tenant + "/checkpoint"), std::string::npos);
  EXPECT_FALSE(report->logs[0].fault.has_value());
}

TEST(Verifier, ATenantsLogInAnothersFolder) {
  Installation all;
  const std::string other = std::string(31, '0') + "2";
  fs::rename(all.installation.folder.path("audit/" + all.tenant),
             all.installation.folder.path("audit/" + other));
  EXPECT_FALSE(verify_audit(all.data, {})->verified());
}

TEST(Verifier, StrangersBesideTheLogs) {
  Installation all;
  write_file(all.installation.folder.path("audit/readme"), "");
  EXPECT_FALSE(verify_audit(all.data, {})->verified());
}

TEST(Verifier, KeysAndCheckpointsMustBeOfALogThatIsThere) {
  Installation all;
  VerifyOptions options;
  const std::string key_text =
      test::whole_file(all.installation.folder.path("audit/" + all.tenant + "/public-key"));
  options.trusted_keys = *parse_key_file(key_text);
  EXPECT_TRUE(verify_audit(all.data, options)->verified());
  options.trusted_keys[0].name = "paravent.invalid/elsewhere/installation";
  EXPECT_FALSE(verify_audit(all.data, options)->verified());
  options = {};
  options.checkpoints = {test::whole_file(all.installation.path() + "/checkpoint")};
  EXPECT_TRUE(verify_audit(all.data, options)->verified());
  EXPECT_FALSE(
      verify_audit(all.installation.folder.path("audit/" + all.tenant), options)->verified());
  options.checkpoints = {std::string("rubbish")};
  EXPECT_FALSE(verify_audit(all.data, options)->verified());
  EXPECT_FALSE(parse_key_file("").has_value());
  EXPECT_FALSE(parse_key_file("rubbish\n").has_value());
}

}  // namespace
}  // namespace paravent::crypto::audit
