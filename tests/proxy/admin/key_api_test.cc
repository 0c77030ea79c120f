// The paths on keys: who may, what is recorded, what is refused; and the certificate of
// destruction.

#include "proxy/admin/keys/key_api.h"

#include <gtest/gtest.h>

#include "crypto/vault/engine/upkeep/retention_keeper.h"
#include "proxy/admin/grants/budget_ledger.h"
#include "proxy/admin/keys/destruction_certificate.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/utc_text.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::vault::KeyAdmin;
using crypto::vault::KeyClass;
using crypto::vault::KeyInfo;

class KeyApiTest : public testing::Test {
 protected:
  KeyApiTest() { token_ = api_.token_of("form.email", "anne@example.fr"); }
  AdminResponse ask(const std::string& method, const std::string& path,
                    const std::string& body = "") {
    AdminRequest request;
    request.method = method;
    const std::size_t question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string::npos) request.query = path.substr(question + 1);
    request.body = body;
    return keys_.handle(request, admin_);
  }
  KeyInfo epoch_key() {
    for (const KeyInfo& key : KeyAdmin(*api_.vault).list()) {
      if (key.record.key_class == KeyClass::epoch && key.purpose == "contact") return key;
    }
    ADD_FAILURE();
    return {};
  }
  std::string path_of(const KeyInfo& key, const std::string& verb) {
    return "/v1/keys/" + crypto::vault::id_hex(key.record.id) + "/" + verb;
  }

  Api api_;
  int changed_ = 0;
  KeyApi keys_{*api_.vault, *api_.logs, api_.clock, [this] { ++changed_; }};
  Operator admin_{"admin", api_.tenant, "admin", {}};
  std::string token_;
};

class NoJournal final : public crypto::vault::KeeperJournal {
 public:
  crypto::Status record(crypto::vault::KeyOperation, std::span<const KeyInfo>) override {
    return {};
  }
  crypto::Status record_freeze(crypto::vault::Freeze) override { return {}; }
};

TEST_F(KeyApiTest, WhoConfirmsTheClockSaysSoInEachTenantsLog) {
  const crypto::SteadyClock steady;
  NoJournal journal;
  int told = 0;
  keys_.at_right_clock([&]() -> crypto::Status {
    ++told;
    return {};
  });
  const auto confirm = [&] { return ask("POST", "/v1/keys/confirm", R"({"reason":"set right"})"); };
  std::uint64_t before = api_.log().size();
  AdminResponse answer = confirm();
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"was_frozen\":false"), std::string::npos) << answer.body;
  EXPECT_EQ(api_.log().size(), before) << "nothing was frozen: nobody was asked about the clock";
  EXPECT_EQ(told, 0);

  api_.clock.move(std::chrono::hours(24 * 3));
  ASSERT_TRUE(crypto::vault::RetentionKeeper(*api_.vault, steady, journal).tick());
  api_.clock.move(-std::chrono::hours(24 * 3));
  ASSERT_TRUE(crypto::vault::RetentionKeeper(*api_.vault, steady, journal).tick());
  ASSERT_TRUE(keys_.destruction_is_frozen());
  before = api_.log().size();
  answer = confirm();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_NE(answer.body.find("\"was_frozen\":true"), std::string::npos) << answer.body;
  EXPECT_EQ(told, 1);
  const auto entries = api_.entries(before);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].detail->object, BudgetLedger::kClockObject);
  EXPECT_EQ(entries[0].detail->reason, "set right");
  EXPECT_EQ(entries[0].detail->operator_name, "admin");
}

TEST_F(KeyApiTest, AKeeperThatCannotEndWhatIsDueIsAnAlarm) {
  api_.keys = &keys_;
  api_.restart();
  const auto rings = [&] {
    const AdminResponse ready = api_.get("/readyz", "", true);
    EXPECT_EQ(ready.status, 200) << "an alarm is for people";
    return ready.body.find("retention-failed") != std::string::npos;
  };
  EXPECT_FALSE(rings());
  keys_.say_of_retention(true);
  EXPECT_TRUE(rings());
  keys_.say_of_retention(false);
  EXPECT_FALSE(rings());
}

TEST_F(KeyApiTest, EachChangeIsRecordedBeforeItHappens) {
  const auto before = api_.log().size();
  EXPECT_EQ(ask("POST", path_of(epoch_key(), "disable"), R"({"reason":"a test"})").status, 200);
  EXPECT_EQ(changed_, 1);
  const auto entries = api_.entries(before);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].open.event, crypto::audit::EventKind::key_operation);
  EXPECT_EQ(entries[0].detail->operator_name, "admin");
  EXPECT_EQ(entries[0].detail->reason, "a test");
  EXPECT_EQ(entries[0].detail->object, "key " + crypto::vault::id_hex(epoch_key().record.id));
  EXPECT_TRUE(entries[0].detail->remark.starts_with("disable epoch "));
  // What is not possible is not recorded as if it had been done.
  EXPECT_EQ(ask("POST", path_of(epoch_key(), "disable"), R"({"reason":"again"})").status, 409);
  EXPECT_EQ(api_.log().size(), before + 1);
}

TEST_F(KeyApiTest, WithoutAReasonOrConfirmationNothingHappens) {
  const auto before = api_.log().size();
  for (const char* body : {"", "{}", R"({"reason":" "})", R"({"reason":5})",
                           R"({"reason":"r","x":"y"})", R"(["reason"])", R"({"reason":"r",})"}) {
    EXPECT_EQ(ask("POST", path_of(epoch_key(), "disable"), body).status, 400) << body;
  }
  EXPECT_EQ(ask("POST", path_of(epoch_key(), "destroy"), R"({"reason":"r"})").status, 400);
  EXPECT_EQ(
      ask("POST", path_of(epoch_key(), "destroy"), R"({"reason":"r","confirm":"yes"})").status,
      400);
  const std::string tenant = "/v1/tenants/" + crypto::vault::id_hex(api_.tenant) + "/destroy";
  EXPECT_EQ(ask("POST", tenant, R"({"reason":"r","confirm":"destroy"})").status, 400);
  EXPECT_EQ(api_.log().size(), before);
  EXPECT_EQ(changed_, 0);
}

TEST_F(KeyApiTest, UnknownPathsAndKeysAreNotFound) {
  for (const char* path :
       {"/v1/keys/x/disable", "/v1/keys/00000000000000000000000000000000/disable", "/v1/keys/",
        "/v1/keys/disable", "/v1/tenants/x/destroy", "/v1/holds/x/release", "/v1/holds/x/y"}) {
    EXPECT_EQ(ask("POST", path, R"({"reason":"r"})").status, 404) << path;
  }
  EXPECT_EQ(ask("POST", path_of(epoch_key(), "melt"), R"({"reason":"r"})").status, 404);
  EXPECT_EQ(ask("GET", path_of(epoch_key(), "certificate")).status, 409) << "not destroyed";
  EXPECT_EQ(ask("GET", "/v1/keys?within=soon").status, 400);
  EXPECT_EQ(ask("GET", "/v1/keys?other=1").status, 400);
}

TEST_F(KeyApiTest, ACertificateIsVerifiedByAnyoneAndAlteredByNobody) {
  const KeyInfo key = epoch_key();
  ASSERT_EQ(ask("POST", path_of(key, "destroy"), R"({"reason":"r","confirm":"destroy"})").status,
            200);
  const auto answer = ask("GET", path_of(key, "certificate"));
  ASSERT_EQ(answer.status, 200);
  const auto public_key = api_.log().key();
  const auto lines = verify_certificate(answer.body, public_key);
  ASSERT_TRUE(lines);
  const std::map<std::string, std::string> said(lines->begin(), lines->end());
  EXPECT_EQ(said.at("key"), crypto::vault::id_hex(key.record.id));
  EXPECT_EQ(said.at("tenant"), "atelier");
  EXPECT_EQ(said.at("purpose"), "contact");
  EXPECT_EQ(said.at("state"), "destroyed");
  EXPECT_EQ(said.at("keys"), "1");
  EXPECT_EQ(said.at("contexts"), std::to_string(key.key_ids.size()));
  for (std::size_t i = 0; i < answer.body.size(); ++i) {
    std::string altered = answer.body;
    altered[i] = altered[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(verify_certificate(altered, public_key)) << i;
  }
  const auto other = verify_certificate(answer.body, api_.logs->installation().key());
  ASSERT_FALSE(other);
  // Whose key it is that is needed is said.
  EXPECT_NE(other.error().sentence().find("signed by " + public_key.name + ","), std::string::npos)
      << other.error().sentence();
  // A checkpoint is signed by the same key, and is no certificate.
  EXPECT_FALSE(verify_certificate(api_.log().checkpoint_in_files().value(), public_key));
  EXPECT_EQ(ask("GET", path_of(key, "certificate")).body, answer.body) << "can be made again";
  // A key backup made before, with a longer life than the usual one, undoes it for as long; a later
  // one has nothing to undo.
  const auto end_of = [&](const auto& shown) {
    for (const auto& [name, value] : shown) {
      if (name == "no-backup-after") return value;
    }
    return std::string();
  };
  const auto note = [&](std::chrono::days made, std::chrono::days life) {
    const auto at = api_.clock.now() + made;
    const crypto::vault::KeyBackupEntry entry{crypto::vault::random_id(), at, at + life};
    ASSERT_TRUE(api_.vault->note_key_backup(entry));
  };
  const auto end_now = [&] {
    const auto again = ask("GET", path_of(key, "certificate"));
    const auto shown = verify_certificate(again.body, public_key);
    return shown ? end_of(*shown) : std::string("no certificate");
  };
  note(std::chrono::days{-1}, std::chrono::days{10});
  note(std::chrono::days{1}, std::chrono::days{400});
  EXPECT_GT(end_now(), end_of(*lines)) << "made by a clock that ran ahead, nobody knows when";
  api_.clock.move(std::chrono::hours(48));
  EXPECT_EQ(end_now(), end_of(*lines));
  note(std::chrono::days{-3}, std::chrono::days{365});
  EXPECT_GT(end_now(), end_of(*lines));
}

TEST(UtcText, OneSpelling) {
  EXPECT_EQ(utc_text(crypto::WallTime(std::chrono::milliseconds(1773568800999))),
            "2026-03-15T10:00:00Z");
  EXPECT_EQ(day_from("2026-03-15"), crypto::WallTime(std::chrono::milliseconds(1773532800000)));
  for (const char* wrong :
       {"", "2026-3-15", "2026-03", "2026-02-30", "none", "2026-03-15T00:00:00Z"}) {
    EXPECT_FALSE(day_from(wrong)) << wrong;
  }
  EXPECT_FALSE(id_from_hex("00"));
  EXPECT_FALSE(id_from_hex("ABCDABCDABCDABCDABCDABCDABCDABCD"));
}

}  // namespace
}  // namespace paravent::proxy::admin
