// Our own tokens that come back: refused, unless the rule takes them and the vault says that they
// are this field's.

#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "tests/proxy/pipeline/pipeline_testing.h"
#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;

const std::string kRules =
    "      form.author: { kind: name, do: tokenise, own-tokens: accept }\n"
    "      form.email: { kind: email, do: tokenise, shape: email, own-tokens: accept }\n"
    "      form.other: { kind: phone, do: tokenise, own-tokens: accept }\n"
    "      form.plain: { kind: name, do: tokenise }\n"
    "      form.text: { do: encrypt }\n";

std::string value_of(const Outcome& outcome, const std::string& name) {
  return upstream_values(outcome, Carrier::form, name).at(0);
}

TEST(OwnTokens, PassWhereTheVaultKnowsThemAndNothingIsWrappedTwice) {
  Pipeline pipeline(policy_text(kRules));
  const Outcome first = pipeline.run(form_post("author=Anne&email=anne%40example.fr&text=Bonjour"));
  ASSERT_EQ(first.refused, "");
  const std::string author = value_of(first, "author");
  const std::string email = value_of(first, "email");
  ASSERT_EQ(token_class(author), "vault");
  const std::string again = "author=" + author + "&email=" + email + "&other=06+12+34+56+78";
  const Outcome second = pipeline.run(form_post(again));
  ASSERT_EQ(second.refused, "");
  EXPECT_EQ(value_of(second, "author"), author);
  EXPECT_EQ(value_of(second, "email"), email);
  EXPECT_EQ(token_class(value_of(second, "other")), "vault");
  // Byte for byte as it came: the '@' is not spelled anew.
  EXPECT_TRUE(second.body.starts_with("author=" + author + "&email=" + email + "&")) << second.body;
}

TEST(OwnTokens, OfAnotherFieldSpellingOrClassAreRefused) {
  Pipeline pipeline(policy_text(kRules));
  const Outcome first = pipeline.run(
      form_post("author=Anne&email=anne%40example.fr&other=0612345678&text=Bonjour&plain=Anne"));
  ASSERT_EQ(first.refused, "");
  const std::string author = value_of(first, "author");
  const std::string email = value_of(first, "email");
  const std::string phone = value_of(first, "other");
  std::string upper = author;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::string local = email.substr(0, email.find('@'));
  const std::string refused[] = {
      "author=" + phone,  // another space
      "email=" + author,  // no shape
      "email=" + author + "%40paravent.invalid",
      "author=" + email,                    // a shape that the rule does not write
      "email=" + local + "%40example.org",  // a domain that is not ours
      "email=" + local + "%40PARAVENT.invalid",
      "author=" + upper,
      "author=%20" + author,
      "author=" + author + "+",
      "author=" + value_of(first, "text"),
      "plain=" + author,  // the rule does not take any back
      "text=" + author,
      "text=see+" + author,
  };
  for (const std::string& body : refused) {
    EXPECT_EQ(pipeline.run(form_post(body)).refused,
              body.starts_with("text=see") ? "" : "own-token")
        << body;
  }
}

TEST(OwnTokens, OfAnotherInstallationAreNotKnown) {
  Pipeline here(policy_text(kRules));
  Pipeline there(policy_text(kRules));
  const std::string token = value_of(there.run(form_post("author=Anne")), "author");
  ASSERT_EQ(value_of(here.run(form_post("author=Anne")), "author").size(), token.size());
  const Outcome outcome = here.run(form_post("author=" + token));
  EXPECT_EQ(outcome.refused, "own-token");
  EXPECT_EQ(outcome.field, "form.author");
}

// The vault's yes and no, and no answer at all, as the Transaction takes them.
TEST(OwnTokens, WaitForTheVaultsAnswer) {
  Pipeline pipeline(policy_text(kRules));
  const std::string token = value_of(pipeline.run(form_post("author=Anne")), "author");
  for (const bool known : {true, false}) {
    Exchange exchange(policy_text(kRules));
    exchange.start(form_post("author=" + token));
    ASSERT_EQ(exchange.vault.batches.size(), 1U);
    EXPECT_EQ(exchange.up.exchanges, 0);
    ASSERT_EQ(exchange.vault.batches.back()->confirms.size(), 1U);
    exchange.vault.batches.back()->confirms[0].known = known;
    exchange.vault.answer(crypto::vault::ResolveStatus::ok);
    exchange.transaction.on_resolved();
    EXPECT_EQ(exchange.up.exchanges, known ? 1 : 0);
    if (known) {
      EXPECT_EQ(exchange.up.body, "author=" + token);
    } else {
      EXPECT_NE(exchange.down.sent.find("own-token"), std::string::npos);
      EXPECT_EQ(exchange.down.sent.find(token), std::string::npos);
    }
  }
  Exchange down(policy_text(kRules));
  down.start(form_post("author=" + token));
  down.vault.answer(crypto::vault::ResolveStatus::store_unavailable);
  down.transaction.on_resolved();
  EXPECT_EQ(down.up.exchanges, 0);
  EXPECT_NE(down.down.sent.find("store-unavailable"), std::string::npos);
}

}  // namespace
}  // namespace paravent::proxy::testing
