// Which of two backups has the newer keys, where nothing but people changed between them: told by
// their contents, with the wall clock set back and with two that are made at the same time.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "proxy/main/installation/backup_maker.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/installation/restorer.h"
#include "tests/proxy/main/come.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
namespace vault = crypto::vault;
using vault::BackupKind;

class SetClock final : public crypto::Clock {
 public:
  crypto::WallTime now() const override {
    return crypto::WallTime(std::chrono::milliseconds(millis_.load()));
  }
  void move(std::chrono::milliseconds by) { millis_ += by.count(); }

 private:
  std::atomic<std::int64_t> millis_{1773568800000};  // 2026-03-15 10:00 UTC
};

class BackupOrder : public testing::Test {
 protected:
  BackupOrder() {
    std::string name = (fs::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    paths_.data = folder_ / "data";
    paths_.root.key_file = folder_ / "root.key";
    installation_ = Installation::initialise(paths_, clock_, [](const crypto::SecretBytes&) {
                      return crypto::Status();
                    }).value();
    const std::vector<vault::PolicyNames> names{{"atelier", {"crm"}, {"contact"}}};
    EXPECT_TRUE(installation_->vault().admit_names(names));
    come("anne@example.fr");
  }
  ~BackupOrder() override {
    installation_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  BackupOrder(const BackupOrder&) = delete;
  BackupOrder& operator=(const BackupOrder&) = delete;

  void come(const std::string& person) { main::come(installation_->vault(), person); }
  void restrict(const std::string& person) {
    vault::SubjectAdmin people(installation_->vault());
    const auto id =
        people.find(*installation_->vault().tenant_id("atelier"), crypto::Kind::email, person);
    ASSERT_TRUE(id);
    EXPECT_TRUE(people.mark(*id, true, {}));
  }

  vault::BackupInfo begin(BackupKind kind) {
    BackupWish wish;
    wish.kind = kind;
    return record_backup(*installation_, wish, clock_).value();
  }
  fs::path finish(const vault::BackupInfo& info) {
    const fs::path file = folder_ / vault::id_hex(info.id);
    const auto made = make_backup(*installation_, info, file);
    EXPECT_TRUE(made) << made.error().sentence();
    return file;
  }
  // Empty: it was restored.
  std::string refusal(const fs::path& data, const fs::path& keys) {
    RestoreWish wish;
    wish.data_backup = data;
    wish.key_backup = keys;
    wish.data = folder_ / "restored";
    wish.root = paths_.root;
    fs::remove_all(wish.data);
    const auto restored = restore(wish, clock_);
    return restored ? std::string() : restored.error().sentence();
  }

  fs::path folder_;
  SetClock clock_;
  InstallationPaths paths_;
  std::unique_ptr<Installation> installation_;
};

TEST_F(BackupOrder, AClockThatWasSetBackInBetweenHidesNothing) {
  const fs::path keys = finish(begin(BackupKind::keys));
  clock_.move(-std::chrono::hours(1));
  restrict("anne@example.fr");
  const fs::path data = finish(begin(BackupKind::data));
  const std::string said = refusal(data, keys);
  EXPECT_NE(said.find("the restriction of 1 person is lost"), std::string::npos) << said;
  // A key backup that was made after it has everything, whatever the clock says.
  clock_.move(-std::chrono::hours(1));
  const fs::path newer = finish(begin(BackupKind::keys));
  EXPECT_EQ(refusal(data, newer), "");
}

TEST_F(BackupOrder, WhoCameWhileTwoWereMadeIsNotLostInSilence) {
  const vault::BackupInfo data = begin(BackupKind::data);
  clock_.move(std::chrono::seconds(1));
  const fs::path keys = finish(begin(BackupKind::keys));
  clock_.move(std::chrono::seconds(1));
  come("paul@example.fr");
  const std::string said = refusal(finish(data), keys);
  EXPECT_NE(said.find("lacks the keys of people who came since"), std::string::npos) << said;
}

// It would bring back keys that were destroyed since.
TEST_F(BackupOrder, AKeyBackupThatHasExpiredIsRefused) {
  const fs::path data = finish(begin(BackupKind::data));
  const fs::path keys = finish(begin(BackupKind::keys));
  clock_.move(std::chrono::days(kKeyBackupDays) - std::chrono::hours(1));
  EXPECT_EQ(refusal(data, keys), "");
  clock_.move(std::chrono::hours(1));
  EXPECT_NE(refusal(data, keys).find("has expired"), std::string::npos);
}

}  // namespace
}  // namespace paravent::proxy::main
