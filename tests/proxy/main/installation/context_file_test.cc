// The exported context table: what is written is read back, and anything else is one error.

#include "proxy/main/installation/context_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "crypto/keys/context_row.h"
#include "crypto/vault/engine/base/data_directory.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::proxy::main {
namespace {

namespace vault = crypto::vault;

vault::NamedContext sealed_context() {
  vault::NamedContext context;
  context.row.key_id = 0x0011aabb;
  context.row.tenant_id = std::string(16, 't');
  context.row.domain_id = std::string(16, 'd');
  context.row.purpose_id = std::string(16, 'p');
  context.row.space_id = std::string(16, 's');
  context.row.algorithm = crypto::Algorithm::sealed;
  context.row.normaliser_id = 257;
  context.row.epoch = crypto::parse_epoch("2026-03").value();
  context.tenant = "atelier";
  context.domain = "crm";
  context.purpose = "contact \"quoted\"";
  context.space = "text";
  context.recipient = vault::Id{1, 2, 3};
  return context;
}

TEST(ContextFile, IsReadBackAsItWasWritten) {
  vault::ContextTable table;
  table.installation = vault::Id{9};
  table.contexts = {sealed_context(), sealed_context()};
  table.contexts[1].row.key_id = 7;
  table.contexts[1].row.algorithm = crypto::Algorithm::vault_token;
  table.contexts[1].row.scope_id = "l";
  table.contexts[1].recipient = vault::kNoId;
  const std::string text = context_file_text(table);
  EXPECT_NE(text.find(R"("recipient":"01020300)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("scope":"relationship")"), std::string::npos) << text;
  const auto file = parse_context_file(text);
  ASSERT_TRUE(file.has_value()) << text;
  ASSERT_EQ(file->size(), 2U);
  const FiledContext& sealed = file->at(0x0011aabb);
  EXPECT_EQ(sealed.algorithm, crypto::Algorithm::sealed);
  EXPECT_EQ(sealed.ctx, crypto::context_string(table.contexts[0].row));
  EXPECT_EQ(sealed.tenant + sealed.domain + sealed.purpose, "ateliercrmcontact \"quoted\"");
  EXPECT_EQ(sealed.space + sealed.epoch + sealed.kind, "text2026-03text");
  EXPECT_EQ(file->at(7).algorithm, crypto::Algorithm::vault_token);
}

TEST(ContextFile, AnythingElseIsOneError) {
  vault::ContextTable table;
  table.contexts = {sealed_context()};
  const std::string good = context_file_text(table);
  ASSERT_TRUE(parse_context_file(good).has_value());
  std::vector<std::string> wrong = {"", "[]", "null", "{}", good + "x", good.substr(0, 40)};
  const auto with = [&](std::string_view old, std::string_view text) {
    std::string changed = good;
    const std::size_t at = changed.find(old);
    ASSERT_NE(at, std::string::npos) << old;
    changed.replace(at, old.size(), text);
    wrong.push_back(changed);
  };
  with(R"("paravent-contexts":1)", R"("paravent-contexts":2)");
  with(R"("paravent-contexts":1)", R"("paravent-contexts":"1")");
  with(R"("0011aabb")", R"("0011AABB")");
  with(R"("0011aabb")", R"("0011aab")");
  with(R"("0011aabb")", "1");
  with(R"("algorithm":"sealed")", R"("algorithm":"rot13")");
  with(R"("algorithm":"sealed")", R"("algorithm":"unknown")");
  with(R"("ctx":"50)", R"("ctx":"5)");
  with(R"("tenant":"atelier",)", "");
  with(R"("contexts":[)", R"("contexts":[1,)");
  vault::ContextTable twice;
  twice.contexts = {sealed_context(), sealed_context()};
  wrong.push_back(context_file_text(twice));
  for (const std::string& text : wrong) {
    const auto file = parse_context_file(text);
    ASSERT_FALSE(file.has_value()) << text;
    EXPECT_EQ(file.error().kind(), crypto::ErrorKind::malformed);
    EXPECT_EQ(file.error().sentence(), "");
  }
}

TEST(ContextFile, IsExportedBesideARunningGatewayAndHoldsNoKey) {
  std::string name = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const std::filesystem::path folder = name;
  const crypto::SystemClock clock;
  {
    auto data = vault::DataDirectory::create(folder / "data");
    ASSERT_TRUE(data.has_value());
    auto root = vault::RootKey::obtain(folder / "root.key", false);
    auto running = vault::Vault::initialise(*data, std::move(*root), clock);
    ASSERT_TRUE(running.has_value());
    const std::vector<vault::PolicyNames> names{{"atelier", {"crm"}, {"contact"}}};
    ASSERT_TRUE((*running)->admit_names(names).has_value());
    vault::ContextSpec spec;
    spec.domain = "crm";
    spec.purpose = "contact";
    spec.space = "text";
    spec.algorithm = crypto::Algorithm::sealed;
    spec.public_key = crypto::Bytes(32, 9);
    const auto bound = (*running)->bind("atelier", std::span(&spec, 1));
    ASSERT_TRUE(bound.has_value()) << bound.error().sentence();

    const auto again = vault::RootKey::read(folder / "root.key");
    const auto table = vault::read_context_table(folder / "data", *again);
    ASSERT_TRUE(table.has_value()) << table.error().sentence();
    ASSERT_EQ(table->contexts.size(), 1U);
    EXPECT_EQ(table->contexts[0].row.key_id, bound->front().key.key_id);
    EXPECT_EQ(table->contexts[0].tenant, "atelier");
    EXPECT_NE(table->contexts[0].recipient, vault::kNoId);
    EXPECT_EQ(parse_context_file(context_file_text(*table))->begin()->second.ctx,
              bound->front().key.ctx);
    EXPECT_FALSE(
        vault::read_context_table(folder / "data", vault::RootKey::ephemeral()).has_value());
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace paravent::proxy::main
