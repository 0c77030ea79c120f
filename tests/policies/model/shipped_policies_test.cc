// The policies that come with the project, presets and examples, are accepted by their own checks.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "policies/model/load_policy.h"
#include "policies/model/preset.h"
#include "tests/support/whole_file.h"

namespace paravent::policies {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  EXPECT_TRUE(std::filesystem::exists(path)) << path;
  return test::whole_file(path);
}

const Rule* rule_of(const Route& route, std::string_view text) {
  for (const Rule& rule : route.rules) {
    if (rule.selector.text == text) return &rule;
  }
  return nullptr;
}

TEST(Presets, AreTheFilesOfTheirFolder) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator("policies/presets")) {
    ++files;
    EXPECT_EQ(preset_text(entry.path().stem().string()), read(entry.path())) << entry.path();
  }
  EXPECT_EQ(files, presets().size());
  EXPECT_EQ(preset_text("contact"), "");
}

TEST(Presets, LoadWithoutErrorsAndWarnings) {
  for (const Preset& preset : presets()) {
    const auto loaded = load_preset(preset.name, {});
    ASSERT_TRUE(loaded.has_value()) << preset.name;
    EXPECT_EQ(loaded->diagnostics.count(Severity::error), 0U) << preset.name;
    EXPECT_EQ(loaded->diagnostics.count(Severity::warning), 0U)
        << diagnostics_text(loaded->diagnostics);
  }
}

TEST(ContactForm, TakesPathAndUpstream) {
  const auto loaded = load_preset("contact-form", {"/form/contact", "http://10.0.0.7:8000"});
  ASSERT_TRUE(loaded.has_value());
  const Policy& policy = loaded->policy;
  EXPECT_EQ(policy.routes.at(0).match.paths.at(0).text(), "/form/contact");
  EXPECT_EQ(policy.routes.at(0).upstream.value.host, "10.0.0.7");
  EXPECT_EQ(policy.routes.at(0).upstream.value.port, 8000);
  ASSERT_TRUE(policy.elsewhere.has_value());
  EXPECT_EQ(policy.elsewhere->upstream.value.text, "http://10.0.0.7:8000");
}

TEST(ContactForm, ProtectsEveryNameInEveryCarrier) {
  const auto loaded = load_preset("contact-form", {});
  ASSERT_TRUE(loaded.has_value());
  const Route& route = loaded->policy.routes.at(0);
  EXPECT_EQ(route.unlisted.value, Unlisted::encrypt);
  EXPECT_EQ(route.client_address, ClientAddress::drop);
  for (const std::string carrier : {"form.", "multipart.", "json."}) {
    for (const char* name : {"email", "courriel", "mail"}) {
      const Rule* rule = rule_of(route, carrier + name);
      ASSERT_NE(rule, nullptr) << carrier << name;
      EXPECT_EQ(rule->action, ActionKind::tokenise_vault);
      EXPECT_EQ(rule->shape.value, Shape::email);
      EXPECT_EQ(rule->kind.value, crypto::Kind::email);
      EXPECT_EQ(on_error_of(*rule, route), OnError::protect_raw);
    }
    for (const char* name : {"name", "nom", "first_name", "prenom", "last_name"}) {
      const Rule* rule = rule_of(route, carrier + name);
      ASSERT_NE(rule, nullptr) << carrier << name;
      EXPECT_EQ(rule->action, ActionKind::tokenise_vault);
      EXPECT_EQ(rule->kind.value, crypto::Kind::name);
    }
    for (const char* name : {"phone", "tel", "telephone"}) {
      const Rule* rule = rule_of(route, carrier + name);
      ASSERT_NE(rule, nullptr) << carrier << name;
      EXPECT_EQ(rule->action, ActionKind::tokenise_vault);
      EXPECT_EQ(rule->kind.value, crypto::Kind::phone);
    }
    for (const char* name : {"company", "societe", "subject", "objet", "message", "comment"}) {
      const Rule* rule = rule_of(route, carrier + name);
      ASSERT_NE(rule, nullptr) << carrier << name;
      EXPECT_EQ(rule->action, ActionKind::encrypt);
    }
    for (const char* name : {"submit", "_token", "g-recaptcha-response", "consent"}) {
      const Rule* rule = rule_of(route, carrier + name);
      ASSERT_NE(rule, nullptr) << carrier << name;
      EXPECT_EQ(rule->action, ActionKind::keep);
    }
  }
  ASSERT_EQ(loaded->policy.purposes.at(0).reveal.size(), 1U);
  EXPECT_EQ(loaded->policy.purposes.at(0).reveal[0].value, "dpo");
}

TEST(AnalyticsIp, SendsEveryRouteToTheUpstream) {
  const auto loaded = load_preset("analytics-ip", {std::nullopt, "http://stats:80"});
  ASSERT_TRUE(loaded.has_value());
  ASSERT_EQ(loaded->policy.routes.size(), 3U);
  for (const Route& route : loaded->policy.routes) EXPECT_EQ(route.upstream.value.host, "stats");
}

TEST(Presets, RefuseBadOptionsInOneSentence) {
  const auto unknown = load_preset("contact-from", {});
  ASSERT_TRUE(unknown.has_error());
  EXPECT_EQ(unknown.error().kind(), crypto::ErrorKind::usage);
  EXPECT_NE(unknown.error().sentence().find("contact-form"), std::string::npos);
  const auto path = load_preset("contact-form", {"contact", std::nullopt});
  ASSERT_TRUE(path.has_error());
  EXPECT_NE(path.error().sentence().find("--path"), std::string::npos);
  const auto several = load_preset("analytics-ip", {"/matomo.php", std::nullopt});
  ASSERT_TRUE(several.has_error());
  EXPECT_EQ(several.error().kind(), crypto::ErrorKind::usage);
  const auto upstream = load_preset("contact-form", {std::nullopt, "localhost"});
  ASSERT_TRUE(upstream.has_error());
  EXPECT_NE(upstream.error().sentence().find("--upstream"), std::string::npos);
}

TEST(Examples, OnePerSceneAndAccepted) {
  for (const char* scene :
       {"training-company", "it-services", "repair-shop", "field-app", "learning-platform"}) {
    const LoadedPolicy loaded =
        load_policy_file("policies/examples/" + std::string(scene) + ".yaml");
    EXPECT_EQ(loaded.diagnostics.count(Severity::error), 0U)
        << diagnostics_text(loaded.diagnostics);
    EXPECT_EQ(loaded.diagnostics.count(Severity::warning), 0U)
        << diagnostics_text(loaded.diagnostics);
    EXPECT_FALSE(loaded.policy.routes.empty()) << scene;
  }
}

TEST(LoadPolicyFile, SaysWhenTheFileCannotBeRead) {
  for (const char* path : {"tests/policies/golden/no-such-file.yaml", "tests/policies/golden"}) {
    const LoadedPolicy loaded = load_policy_file(path);
    ASSERT_EQ(loaded.diagnostics.items().size(), 1U) << path;
    EXPECT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.diagnostics.items()[0].file, path);
  }
}

}  // namespace
}  // namespace paravent::policies
