// Honey tokens: they answer like any other, and whoever asks for one raises an alarm.

#include "proxy/admin/honey.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/proxy/admin/admin_testing.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::admin {
namespace {

constexpr const char* kPlant =
    R"({"route":"form","field":"form.mail","value":"decoy@example.fr","note":"CRM row 7","reason":"watch"})";

std::string token_in(const AdminResponse& answer) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  return std::string(boost::json::parse(answer.body).at("token").as_string());
}

TEST(Honey, AnswersLikeARealOneAndRaisesAnAlarm) {
  Api api;
  const std::string honey = token_in(api.post("admin", "/v1/honey-tokens", kPlant));
  const std::string real = api.token_of("form.mail", "anne@example.fr");
  EXPECT_EQ(honey.size(), real.size());
  const auto results = Api::results(api.reidentify("dpo", "contact", {real, honey}));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].status, results[0].status);
  EXPECT_EQ(results[1].kind, results[0].kind);
  EXPECT_EQ(results[1].fields, results[0].fields);
  EXPECT_EQ(results[1].value, "decoy@example.fr");
  ASSERT_EQ(api.alarms.size(), 1U);
  EXPECT_EQ(api.alarms[0].operator_name, "dpo");
  EXPECT_EQ(api.alarms[0].purpose, "contact");
  EXPECT_EQ(api.alarms[0].token.note, "CRM row 7");
  EXPECT_EQ(api.honey->alarms(), 1U);
}

TEST(Honey, TheAskersLogSaysNothingOfIt) {
  Api api;
  const std::string honey = token_in(api.post("admin", "/v1/honey-tokens", kPlant));
  const std::uint64_t before = api.log().size();
  EXPECT_EQ(api.reidentify("dpo", "contact", {honey}).status, 200);
  const auto records = api.entries(before);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].open.event, crypto::audit::EventKind::reveal);
  // Nor may whoever reveals list them.
  EXPECT_EQ(api.get("/v1/honey-tokens", api.credentials.at("dpo")).status, 403);
  EXPECT_EQ(api.post("dpo", "/v1/honey-tokens", kPlant).status, 403);
}

TEST(Honey, ARefusedQuestionIsAnAlarmToo) {
  Api api;
  const std::string honey = token_in(api.post("admin", "/v1/honey-tokens", kPlant));
  EXPECT_EQ(api.reidentify("support", "contact", {honey}).status, 200);  // masked
  EXPECT_EQ(Api::results(api.reidentify("dpo", "billing", {honey})).front().status, "unavailable");
  EXPECT_EQ(api.alarms.size(), 2U);
  const std::string real = api.token_of("form.mail", "anne@example.fr");
  EXPECT_EQ(api.reidentify("dpo", "contact", {real, "pvv1x"}).status, 200);
  EXPECT_EQ(api.alarms.size(), 2U);
}

TEST(Honey, ListedAndRemoved) {
  Api api;
  const std::string honey = token_in(api.post("admin", "/v1/honey-tokens", kPlant));
  const auto list = [&] {
    return boost::json::parse(api.get("/v1/honey-tokens", api.credentials.at("admin")).body)
        .at("honey_tokens")
        .as_array();
  };
  ASSERT_EQ(list().size(), 1U);
  EXPECT_EQ(list()[0].at("token").as_string(), honey);
  EXPECT_EQ(list()[0].at("planted_by").as_string(), "admin");
  EXPECT_EQ(api.post("admin", "/v1/honey-tokens", kPlant).status, 409) << "twice the same";
  const std::string remove = R"({"reason":"done","token":")" + honey + R"("})";
  EXPECT_EQ(api.post("admin", "/v1/honey-tokens/remove", remove).status, 200);
  EXPECT_EQ(api.post("admin", "/v1/honey-tokens/remove", remove).status, 404);
  EXPECT_EQ(list().size(), 0U);
  // The row stays and answers; nobody is told.
  EXPECT_EQ(Api::results(api.reidentify("dpo", "contact", {honey})).front().status, "revealed");
  EXPECT_TRUE(api.alarms.empty());
}

// Whether somebody has a value is a question of its own right: planting answers with no token of
// anybody's, says so on the record, and is asked a hundred times an hour at most.
TEST(Honey, WhatSomebodyHasIsNotPlanted) {
  Api api;
  const std::string real = api.token_of("form.mail", "anne@example.fr");
  const std::string wish =
      R"({"route":"form","field":"form.mail","value":"anne@example.fr","reason":"watch"})";
  const std::uint64_t before = api.log().size();
  const AdminResponse answer = api.post("admin", "/v1/honey-tokens", wish);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body.find(real), std::string::npos) << answer.body;
  EXPECT_TRUE(api.honey->list(api.tenant).empty());
  ASSERT_EQ(api.log().size(), before + 1);
  const auto entry = api.entries(before).at(0);
  EXPECT_EQ(entry.open.event, crypto::audit::EventKind::refusal);
  EXPECT_EQ(entry.detail->operator_name, "admin");
  EXPECT_EQ(entry.detail->object + ": " + entry.detail->remark,
            "form form.mail: a value that somebody has already");
  EXPECT_TRUE(entry.detail->tokens.empty());
  const auto& installation = api.logs->installation();
  const auto last = installation.read(installation.size() - 1, 1).value().at(0);
  EXPECT_EQ(last.open.event, crypto::audit::EventKind::honey_change);
  EXPECT_EQ(last.open.outcome, crypto::audit::Outcome::refused);
  // Nor what is there because it was planted before, for nobody can tell the two apart.
  const std::string honey = token_in(api.post("admin", "/v1/honey-tokens", kPlant));
  const std::string remove = R"({"reason":"done","token":")" + honey + R"("})";
  EXPECT_EQ(api.post("admin", "/v1/honey-tokens/remove", remove).status, 200);
  EXPECT_EQ(api.post("admin", "/v1/honey-tokens", kPlant).status, 409);
  std::filesystem::remove_all(api.folder.path() / "audit");
  EXPECT_EQ(api.post("admin", "/v1/honey-tokens", wish).status, 503);
}

TEST(Honey, AHundredAnHour) {
  Api api;
  const auto plant = [&](std::size_t number) {
    return api.post("admin", "/v1/honey-tokens",
                    R"({"route":"form","field":"form.mail","value":"decoy)" +
                        std::to_string(number) + R"(@example.fr","reason":"watch"})");
  };
  EXPECT_EQ(plant(1).status, 200);
  for (std::size_t i = 1; i < kMostPlantsPerHour; ++i) {
    EXPECT_EQ(plant(1).status, 409) << "a try that finds something counts, " << i;
  }
  const AdminResponse over = plant(2);
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(over.headers.at(0).first, "Retry-After");
  api.clock.move(std::chrono::minutes(-30));
  EXPECT_EQ(plant(2).status, 429) << "a clock that is put back makes no room";
  api.clock.move(std::chrono::minutes(95));
  EXPECT_EQ(plant(2).status, 200);
}

TEST(Honey, WhatCannotBePlanted) {
  Api api;
  for (const char* body :
       {"", "{}", R"({"route":"form","field":"form.mail","value":"a@b.fr"})",
        R"({"route":"form","field":"form.nothing","value":"a@b.fr","reason":"r"})",
        R"({"route":"other","field":"form.mail","value":"a@b.fr","reason":"r"})",
        R"({"route":"form","field":"form.mail","value":"a@b.fr","reason":"r","more":"x"})"}) {
    EXPECT_EQ(api.post("admin", "/v1/honey-tokens", body).status, 400) << body;
  }
  EXPECT_TRUE(api.honey->list(api.tenant).empty());
}

// The file is readable with the vault's seed alone, and in no other form.
TEST(Honey, TheFileKeepsThemAndTellsNobody) {
  const TempFolder folder;
  const auto file = folder.path() / "honey";
  const auto seed = crypto::SecretBytes::copy_of("seed");
  const Honey::Planter planter = [](const auto&, auto, auto, auto value) {
    return crypto::Result<PlantedRow>(PlantedRow{"pvv1" + std::string(value), "text", true});
  };
  const auto open = [&](std::string_view with) {
    return Honey::open(file, crypto::SecretBytes::copy_of(with), planter, [](const auto&) {});
  };
  HoneyToken wish;
  wish.route = "form";
  wish.note = "in the attic";
  ASSERT_TRUE(open("seed").value()->plant(wish, "one").has_value());
  ASSERT_TRUE(open("seed").value()->plant(wish, "two").has_value());
  const auto again = open("seed");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ((*again)->list(crypto::vault::kNoId).size(), 2U);
  EXPECT_FALSE(open("another").has_value());
  const std::string good = test::whole_file(file);
  EXPECT_EQ(good.find("pvv1one"), std::string::npos);
  EXPECT_EQ(good.find("in the attic"), std::string::npos);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string altered = good;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    std::ofstream(file, std::ios::binary) << altered;
    EXPECT_FALSE(open("seed").has_value()) << "byte " << i;
    std::ofstream(file, std::ios::binary) << good.substr(0, i);
    EXPECT_FALSE(open("seed").has_value()) << "cut to " << i;
  }
}

// What was erased is in no store any more; as it was planted it is heard all the same.
TEST(Honey, IsHeardByItsTextAlone) {
  const TempFolder folder;
  std::size_t rung = 0;
  const auto honey = Honey::open(
                         folder.path() / "honey", crypto::SecretBytes::copy_of("seed"),
                         [](const auto&, auto, auto, auto) {
                           return crypto::Result<PlantedRow>(PlantedRow{"pvv1token", "4711", true});
                         },
                         [&](const auto&) { ++rung; })
                         .value();
  ASSERT_TRUE(honey->plant({}, "one").has_value());
  const auto asks = [&](std::string_view text) {
    honey->asked("o", "r", crypto::vault::kNoId, "p",
                 {{0, crypto::sha256(crypto::as_bytes(text))}});
    return rung;
  };
  EXPECT_EQ(asks("4712"), 0U);
  EXPECT_EQ(asks("4711"), 1U);
}

TEST(Honey, ListsReadBackAndNothingElse) {
  HoneyToken token;
  token.token = "pvv1abc";
  token.text = "pvv1abc@x";
  token.note = "n";
  token.planted = crypto::WallTime(std::chrono::milliseconds(1'790'000'000'000));
  const std::string bytes = encode_honey({token, token});
  EXPECT_EQ(decode_honey(crypto::as_bytes(bytes)).value(), (std::vector{token, token}));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(decode_honey(crypto::as_bytes(bytes.substr(0, i))).has_value());
  }
  EXPECT_FALSE(decode_honey(crypto::as_bytes(bytes + "x")).has_value());
  EXPECT_FALSE(decode_honey(crypto::as_bytes(std::string("\xFF\xFF\xFF\xFF", 4))).has_value());
}

}  // namespace
}  // namespace paravent::proxy::admin
