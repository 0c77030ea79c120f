// The list of operators on disk, and the file of first credentials.

#include "proxy/admin/operators.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "proxy/admin/first_credentials.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

using crypto::ErrorKind;
using crypto::SecretBytes;

std::string text(const SecretBytes& secret) { return std::string(crypto::as_text(secret.bytes())); }

mode_t mode(const std::filesystem::path& file) {
  struct stat facts {};
  EXPECT_EQ(::stat(file.c_str(), &facts), 0);
  return facts.st_mode & 07777U;
}

TEST(Operators, RoundTrip) {
  const TempFolder folder;
  const auto file = folder.path() / "operators";
  const auto first = Operators::open(folder.path(), kInstallation).value();
  EXPECT_EQ(first->size(), 0U);
  const crypto::vault::Id tenant = crypto::vault::random_id();
  const std::string dpo = text(first->add("dpo", "dpo", crypto::vault::kNoId).value());
  const std::string support = text(first->add("sup-2", "support", tenant).value());
  EXPECT_TRUE(dpo.starts_with("pvcred_"));
  EXPECT_EQ(dpo.size(), 50U);
  EXPECT_NE(dpo, support);
  EXPECT_EQ(mode(file), 0600U);
  EXPECT_EQ(test::whole_file(file).find(dpo), std::string::npos)
      << "the credential itself is on disk";
  EXPECT_TRUE(test::whole_file(file).starts_with("paravent-operators-v3 " +
                                                 crypto::vault::id_hex(kInstallation) +
                                                 "\noperator dpo - dpo person "));

  const auto again = Operators::open(folder.path(), kInstallation).value();
  EXPECT_EQ(again->size(), 2U);
  EXPECT_EQ(again->authenticate(dpo)->name, "dpo");
  EXPECT_EQ(again->authenticate(dpo)->tenant, crypto::vault::kNoId);
  EXPECT_EQ(again->authenticate(support)->role, "support");
  EXPECT_EQ(again->authenticate(support)->tenant, tenant);
  for (const std::string& wrong :
       {std::string(), dpo.substr(1), dpo + "x", dpo.substr(0, 49), std::string("pvcred_")}) {
    EXPECT_FALSE(again->authenticate(wrong).has_value()) << wrong;
  }
}

TEST(Operators, JoinATenantOnce) {
  const TempFolder folder;
  const auto operators = Operators::open(folder.path(), kInstallation).value();
  const crypto::vault::Id first = crypto::vault::random_id();
  const crypto::vault::Id second = crypto::vault::random_id();
  const std::string dpo = text(operators->add("dpo", "dpo", crypto::vault::kNoId).value());
  const std::string other = text(operators->add("other", "dpo", second).value());
  ASSERT_TRUE(operators->join_tenant(first).has_value());
  ASSERT_TRUE(operators->join_tenant(second).has_value());
  const auto again = Operators::open(folder.path(), kInstallation).value();
  EXPECT_EQ(again->authenticate(dpo)->tenant, first);
  EXPECT_EQ(again->authenticate(other)->tenant, second);
}

TEST(Operators, NamesAreChecked) {
  const auto operators = Operators::in_memory();
  ASSERT_TRUE(operators->add("a", "dpo", crypto::vault::kNoId).has_value());
  for (const std::string& name :
       {std::string("a"), std::string(), std::string("A"), std::string("a b"), std::string("a\n"),
        std::string(33, 'a'), std::string("\xC3\xA9")}) {
    const auto made = operators->add(name, "dpo", crypto::vault::kNoId);
    ASSERT_FALSE(made.has_value()) << name;
    EXPECT_EQ(made.error().kind(), ErrorKind::usage);
  }
  for (const std::string& role :
       {std::string(), std::string("a b"), std::string("a\n"), std::string(65, 'r')}) {
    EXPECT_FALSE(operators->add("b", role, crypto::vault::kNoId).has_value()) << role;
  }
  EXPECT_EQ(operators->size(), 1U);
}

TEST(Operators, AnAlteredListIsRefused) {
  const TempFolder folder;
  const auto file = folder.path() / "operators";
  {
    const auto operators = Operators::open(folder.path(), kInstallation).value();
    ASSERT_TRUE(operators->add("dpo", "dpo", crypto::vault::random_id()).has_value());
  }
  const std::string good = test::whole_file(file);
  const auto opens = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    const auto opened = Operators::open(folder.path(), kInstallation);
    if (!opened) {
      EXPECT_EQ(opened.error().kind(), ErrorKind::data);
      EXPECT_NE(opened.error().sentence().find(file.string()), std::string::npos);
      EXPECT_EQ(opened.error().sentence().find("dpo "), std::string::npos);
    }
    return opened.has_value();
  };
  ASSERT_TRUE(opens(good));
  const std::string line = good.substr(good.find('\n') + 1);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(opens(good.substr(0, size))) << size;
  }
  EXPECT_FALSE(opens(good + "x"));
  EXPECT_FALSE(opens(good + "\n"));
  EXPECT_FALSE(opens("paravent-operators-v4\n" + line));
  EXPECT_TRUE(opens("paravent-operators-v2\n" + line)) << "which named no installation";
  std::string upper = good;
  for (char& c : upper) {
    const std::size_t hash = good.find("credential ") + 11;
    const bool in_hash = &c >= upper.data() + hash && &c < upper.data() + hash + 64;
    if (in_hash && c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
  }
  EXPECT_EQ(opens(upper), upper == good) << "one spelling of hexadecimal";
  EXPECT_FALSE(opens(good + line)) << "one name twice";
  std::string zeros = good;
  zeros.replace(zeros.find("dpo ") + 4, 32, std::string(32, '0'));
  EXPECT_FALSE(opens(zeros)) << "no tenant is spelled -";
}

TEST(Operators, AListOfAnotherInstallationIsRefused) {
  const TempFolder folder;
  const auto file = folder.path() / "operators";
  {
    const auto operators = Operators::open(folder.path(), kInstallation).value();
    ASSERT_TRUE(operators->add("dpo", "dpo", crypto::vault::kNoId).has_value());
  }
  const std::string before = test::whole_file(file);
  const auto opened = Operators::open(folder.path(), crypto::vault::Id{8}).value();
  const auto belongs = opened->belong_to(crypto::vault::Id{8});
  ASSERT_FALSE(belongs.has_value());
  EXPECT_EQ(belongs.error().kind(), ErrorKind::data);
  EXPECT_NE(belongs.error().sentence().find("another installation"), std::string::npos);
  EXPECT_TRUE(opened->belong_to(kInstallation).has_value());
  EXPECT_EQ(test::whole_file(file), before);
}

TEST(Operators, AListOfTheSecondVersionBelongsToWhoeverHasTheKeys) {
  const TempFolder folder;
  const auto file = folder.path() / "operators";
  {
    const auto operators = Operators::open(folder.path(), kInstallation).value();
    ASSERT_TRUE(operators->add("dpo", "dpo", crypto::vault::kNoId).has_value());
  }
  const std::string now = test::whole_file(file);
  std::string before = now;
  before.replace(0, before.find('\n'), "paravent-operators-v2");
  std::ofstream(file, std::ios::binary | std::ios::trunc) << before;
  const auto operators = Operators::open(folder.path(), crypto::vault::Id{8}).value();
  EXPECT_EQ(operators->size(), 1U);
  EXPECT_EQ(test::whole_file(file), before) << "looking changes nothing";
  EXPECT_TRUE(operators->belong_to(kInstallation).has_value());
  EXPECT_EQ(test::whole_file(file), now);
  EXPECT_FALSE(operators->belong_to(crypto::vault::Id{8}).has_value());
}

TEST(Operators, AListOfANewerVersionIsNamed) {
  const TempFolder folder;
  const auto file = folder.path() / "operators";
  for (const char* first : {"paravent-operators-v4 x\n", "paravent-operators-v12\n"}) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << first << "end\n";
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    const auto opened = Operators::open(folder.path(), kInstallation);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind(), ErrorKind::data);
    EXPECT_NE(opened.error().sentence().find("newer version"), std::string::npos);
  }
}

TEST(Operators, AListThatOthersMayReadIsRefused) {
  const TempFolder folder;
  {
    const auto operators = Operators::open(folder.path(), kInstallation).value();
    ASSERT_TRUE(operators->add("dpo", "dpo", crypto::vault::kNoId).has_value());
  }
  std::filesystem::permissions(folder.path() / "operators", std::filesystem::perms(0640));
  const auto opened = Operators::open(folder.path(), kInstallation);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().sentence().find("chmod"), std::string::npos);
}

TEST(FirstCredentials, EachLeavesAtItsFirstUse) {
  for (const bool dpo_first : {true, false}) {
    const TempFolder folder;
    const auto file = folder.path() / "first-credentials";
    FirstCredentials first(folder.path());
    ASSERT_TRUE(first
                    .write(first_credentials_json(SecretBytes::copy_of("pvcred_D"),
                                                  SecretBytes::copy_of("pvcred_A")))
                    .has_value());
    EXPECT_EQ(mode(file), 0600U);
    EXPECT_EQ(test::whole_file(file),
              R"({"operator":"dpo","credential":"pvcred_D","admin_operator":"admin",)"
              R"("admin_credential":"pvcred_A"})"
              "\n");
    ASSERT_TRUE(first.used("pvcred_other").has_value());
    ASSERT_TRUE(first.used("").has_value());
    EXPECT_NE(test::whole_file(file).find("pvcred_D"), std::string::npos);
    ASSERT_TRUE(first.used(dpo_first ? "pvcred_D" : "pvcred_A").has_value());
    EXPECT_EQ(test::whole_file(file),
              dpo_first ? "{\"admin_operator\":\"admin\",\"admin_credential\":\"pvcred_A\"}\n"
                        : "{\"operator\":\"dpo\",\"credential\":\"pvcred_D\"}\n");
    ASSERT_TRUE(first.used(dpo_first ? "pvcred_D" : "pvcred_A").has_value());
    // Another object, after a restart, goes on with what is left.
    FirstCredentials restarted(folder.path());
    ASSERT_TRUE(restarted.used(dpo_first ? "pvcred_A" : "pvcred_D").has_value());
    EXPECT_FALSE(std::filesystem::exists(file));
    ASSERT_TRUE(first.used("pvcred_A").has_value());
  }
}

TEST(FirstCredentials, WithoutAFileThereIsNothingToDo) {
  const TempFolder folder;
  FirstCredentials first(folder.path());
  EXPECT_TRUE(first.used("pvcred_x").has_value());
  EXPECT_TRUE(first.used("pvcred_x").has_value());
}

TEST(Operators, WhatAClockThatRanAheadDatedIsDatedBack) {
  using std::chrono::hours;
  const TempFolder folder;
  MovedClock clock;
  const auto open = [&] { return Operators::open(folder.path(), kInstallation, &clock).value(); };
  constexpr auto kAhead = hours(24 * 1000);
  clock.move(kAhead);
  std::string session;
  std::string credential;
  {
    const auto ahead = open();
    credential = text(ahead->add("anne", "dpo", crypto::vault::kNoId).value());
    const auto now = ahead->now();
    ASSERT_TRUE(ahead->change("anne", [&](OperatorRecord& kept) -> crypto::Status {
      kept.credentials.at(0).expires = now + hours(24);
      kept.enrolment.emplace().expires = now + hours(72);
      kept.attempts.locked_until = now + hours(1);
      return {};
    }));
  }
  clock.move(-kAhead);
  const auto operators = open();
  EXPECT_GT(operators->now(), clock.now() + hours(1));
  session =
      text(operators->sessions().begin("anne", operators->now(), operators->now() + hours(8)));
  ASSERT_TRUE(operators->authenticate(session));
  ASSERT_TRUE(operators->date_back());
  EXPECT_LE(operators->now(), clock.now());
  EXPECT_FALSE(operators->authenticate(session)) << "it would last for years";
  EXPECT_LE(open()->now(), clock.now());
  const auto anne = open()->find("anne").value();
  EXPECT_LE(anne.created, clock.now());
  EXPECT_FALSE(anne.enrolment);
  EXPECT_LE(anne.attempts.locked_until, clock.now() + hours(24));
  EXPECT_TRUE(operators->authenticate(credential));
  clock.move(hours(25));
  EXPECT_FALSE(operators->authenticate(credential)) << "it was made for a day";
}

}  // namespace
}  // namespace paravent::proxy::admin
