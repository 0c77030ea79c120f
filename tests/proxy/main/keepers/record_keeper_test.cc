// Alarms on their way to the record: more than can wait, and a record that cannot be written; none
// is lost, and what was counted says how many there were.

#include "proxy/main/keepers/record_keeper.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::main {
namespace {

using namespace std::chrono_literals;
using crypto::audit::EventKind;

constexpr std::string_view kMore = "more alarms: ";

class Alarms : public testing::Test {
 protected:
  static admin::HoneyAlarm alarm_of(const std::string& who) {
    admin::HoneyAlarm alarm;
    alarm.operator_name = who;
    alarm.role = "dpo";
    alarm.purpose = "contact";
    alarm.token.tenant = crypto::vault::id_from(std::string(sizeof(crypto::vault::Id), 't'));
    alarm.token.route = "form";
    alarm.token.field = "form.mail";
    return alarm;
  }

  struct Told {
    std::map<std::string, std::uint64_t> alarms;  // by operator
    std::uint64_t entries = 0;
    std::uint64_t most = 0;  // in one entry
  };
  // What the installation's log says.
  Told told() {
    Told told;
    const auto records = api_.logs->installation().read(0, 10'000).value();
    for (const auto& record : records) {
      if (record.open.event != EventKind::alarm) continue;
      const std::string& remark = record.detail->remark;
      const std::uint64_t number =
          remark.starts_with(kMore) ? std::stoull(remark.substr(kMore.size())) : 1;
      told.alarms[record.detail->operator_name] += number;
      told.most = std::max(told.most, number);
      ++told.entries;
      if (record.detail->operator_name == "others") continue;
      EXPECT_NE(record.detail->object.find("7474747474747474"), std::string::npos);
    }
    return told;
  }

  std::filesystem::path file(const std::string& name) const { return api_.folder.path() / name; }
  // A script of these lines is the alarm command.
  config::RecordConfig command(const std::string& lines) const {
    const auto script = file("command");
    std::ofstream(script) << "#!/bin/sh\n" << lines << "\n";
    EXPECT_EQ(::chmod(script.c_str(), 0700), 0);
    config::RecordConfig config;
    config.alarm_command = script.string();
    return config;
  }
  // A busy machine has minutes.
  static bool appears(const std::filesystem::path& path) {
    for (int i = 0; i < 2400 && !std::filesystem::exists(path); ++i) {
      std::this_thread::sleep_for(50ms);
    }
    return std::filesystem::exists(path);
  }

  admin::Api api_;
};

TEST_F(Alarms, OfARecordThatCannotBeWrittenAreCountedAndOnRecordLater) {
  const auto audit = api_.folder.path() / "audit";
  const auto elsewhere = api_.folder.path() / "elsewhere";
  std::filesystem::rename(audit, elsewhere);
  const std::uint64_t before = api_.logs->installation().size();
  RecordKeeper keeper({}, *api_.logs, 10);
  for (int i = 0; i < 25; ++i) keeper.ring(alarm_of(i % 5 == 0 ? "anne" : "bob"));
  EXPECT_EQ(api_.logs->installation().size(), before);
  std::filesystem::rename(elsewhere, audit);
  const std::map<std::string, std::uint64_t> all{{"anne", 5}, {"bob", 20}};
  // Tried again each second; a busy machine has minutes.
  for (int i = 0; i < 1200 && told().alarms != all; ++i) std::this_thread::sleep_for(100ms);
  EXPECT_EQ(told().alarms, all);
}

TEST_F(Alarms, ThatFindTheLineFullAreCounted) {
  constexpr int kRung = 3000;
  {
    RecordKeeper keeper({}, *api_.logs, 1);
    for (int i = 0; i < kRung; ++i) keeper.ring(alarm_of("anne"));
  }
  const Told all = told();
  EXPECT_EQ(all.alarms, (std::map<std::string, std::uint64_t>{{"anne", kRung}}));
  EXPECT_GE(all.entries, 1U);
}

// Whoever can sign for any number of subjects loses nobody's alarm either.
TEST_F(Alarms, OfManySourcesAreAllThere) {
  constexpr std::uint64_t kRung = 2500;
  {
    const auto audit = api_.folder.path() / "audit";
    const auto elsewhere = api_.folder.path() / "elsewhere";
    std::filesystem::rename(audit, elsewhere);
    RecordKeeper keeper({}, *api_.logs, 0);
    for (std::uint64_t i = 0; i < kRung; ++i) keeper.ring(alarm_of("o" + std::to_string(i)));
    std::filesystem::rename(elsewhere, audit);
  }
  std::uint64_t sum = 0;
  for (const auto& [name, number] : told().alarms) sum += number;
  EXPECT_EQ(sum, kRung);
}

// A program that takes its time holds up no entry, and hears of all.
TEST_F(Alarms, GoToTheCommandToo) {
  const auto heard = file("heard");
  const auto config = command("echo \"$PARAVENT_COUNT $PARAVENT_OPERATOR\" >> " + heard.string());
  constexpr std::uint64_t kRung = 50;
  {
    RecordKeeper keeper(config, *api_.logs, 3, {.each = 60s, .last = 300s});
    for (std::uint64_t i = 0; i < kRung; ++i) keeper.ring(alarm_of("anne"));
  }
  std::uint64_t sum = 0;
  std::uint64_t number = 0;
  std::string name;
  for (std::ifstream in(heard); in >> number >> name;) {
    EXPECT_EQ(name, "anne");
    sum += number;
  }
  EXPECT_EQ(sum, kRung);
  EXPECT_EQ(told().alarms.at("anne"), kRung);
}

// Sealing waits for the keeper to end, with the keys in memory.
TEST_F(Alarms, WhoseCommandHangsHoldUpNoEnd) {
  const auto begun = file("begun");
  const auto ended = file("ended");
  {
    RecordKeeper keeper(command("echo $$ > " + begun.string() + ".new\nmv " + begun.string() +
                                ".new " + begun.string() + "\nsleep 60\necho > " + ended.string()),
                        *api_.logs, 3, {.each = 60s, .last = 100ms});
    for (int i = 0; i < 3; ++i) keeper.ring(alarm_of("anne"));
    ASSERT_TRUE(appears(begun));
  }
  EXPECT_FALSE(std::filesystem::exists(ended));
  pid_t child = 0;
  std::ifstream(begun) >> child;
  ASSERT_GT(child, 0);
  EXPECT_EQ(::kill(child, 0), -1);  // no process has that number any more
  EXPECT_EQ(told().alarms.at("anne"), 3U);
}

TEST_F(Alarms, AreHeardBehindACommandThatHangs) {
  const auto begun = file("begun");
  const auto ended = file("ended");
  const auto heard = file("heard");
  RecordKeeper keeper(
      command("test -e " + begun.string() + " && exec touch " + heard.string() + "\ntouch " +
              begun.string() + "\ntrap '' TERM\nsleep 60\ntouch " + ended.string()),
      *api_.logs, 3, {.each = 1s, .last = 100ms});
  // Again and again: on a busy machine any of them may be too slow.
  for (const auto& path : {begun, heard}) {
    for (int i = 0; i < 1200 && !std::filesystem::exists(path); ++i) {
      keeper.ring(alarm_of("anne"));
      std::this_thread::sleep_for(100ms);
    }
    EXPECT_TRUE(std::filesystem::exists(path)) << path;
  }
  EXPECT_FALSE(std::filesystem::exists(ended));
}

}  // namespace
}  // namespace paravent::proxy::main
