#include "bench/support/body_check.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "crypto/tokens/token_text.h"

namespace paravent::bench {
namespace {

using crypto::Bytes;
using crypto::TokenClass;

std::string short_token(TokenClass token_class, std::size_t payload) {
  std::string text;
  crypto::write_short_token(token_class, Bytes(crypto::kTokenHeaderSize + payload, 5), text);
  return text;
}

std::array<std::string, kFieldCount> protected_values() {
  Bytes encrypted(crypto::kTokenHeaderSize + 24 + 64 + 16 + 4, 9);
  std::string message;
  crypto::write_long_token(TokenClass::encrypted, encrypted, message);
  return {short_token(TokenClass::derived, 80), short_token(TokenClass::derived, 80),
          short_token(TokenClass::derived, 48), short_token(TokenClass::pseudonym, 20), message};
}

std::string body_of(const std::array<std::string, kFieldCount>& values) {
  std::string body;
  for (std::size_t f = 0; f < kFieldCount; ++f) {
    if (f > 0) body += '&';
    body.append(kFieldNames[f]).append("=").append(values[f]);
  }
  return body;
}

class BodyCheckTest : public testing::Test {
 protected:
  bool accepts(Expectation expectation, const std::string& body) {
    BodyCheck check(expectation, forms_);
    check.inspect(body);
    const BodyCounts counts = check.counts();
    EXPECT_EQ(counts.good + counts.bad, 1U);
    EXPECT_EQ(check.first_bad().empty(), body.empty() || counts.good == 1);
    return counts.good == 1;
  }

  std::vector<Form> forms_ = make_forms(kDefaultSeed, 64);
};

TEST_F(BodyCheckTest, TokensMustAllBeThere) {
  const auto values = protected_values();
  EXPECT_TRUE(accepts(Expectation::tokens, body_of(values)));
  for (std::size_t f = 0; f < kFieldCount; ++f) {
    auto leaking = values;
    leaking[f] = form_encode(forms_[0].values[f]);
    EXPECT_FALSE(accepts(Expectation::tokens, body_of(leaking))) << kFieldNames[f];
    leaking[f].clear();
    EXPECT_FALSE(accepts(Expectation::tokens, body_of(leaking))) << kFieldNames[f];
  }
}

TEST_F(BodyCheckTest, EachFieldWantsItsOwnKindOfToken) {
  auto values = protected_values();
  std::swap(values[2], values[3]);
  EXPECT_FALSE(accepts(Expectation::tokens, body_of(values)));
}

TEST_F(BodyCheckTest, FieldsMissingAddedOrRenamedAreWrong) {
  const std::string body = body_of(protected_values());
  EXPECT_FALSE(accepts(Expectation::tokens, body + "&email=someone%40example.org"));
  EXPECT_FALSE(accepts(Expectation::tokens, body.substr(0, body.rfind('&'))));
  EXPECT_FALSE(accepts(Expectation::tokens, "x" + body));
  EXPECT_FALSE(accepts(Expectation::tokens, ""));
}

TEST_F(BodyCheckTest, ClearMeansUntouched) {
  EXPECT_TRUE(accepts(Expectation::clear, forms_[7].body));
  EXPECT_FALSE(accepts(Expectation::clear, body_of(protected_values())));
}

TEST_F(BodyCheckTest, ChangedRefusesAnyClearField) {
  const std::array<std::string, kFieldCount> changed = {std::string(64, 'a'), std::string(64, 'b'),
                                                        std::string(64, 'c'), std::string(64, 'd'),
                                                        std::string(64, 'e')};
  EXPECT_TRUE(accepts(Expectation::changed, body_of(changed)));
  for (std::size_t f = 0; f < kFieldCount; ++f) {
    auto leaking = changed;
    leaking[f] = form_encode(forms_[3].values[f]);
    EXPECT_FALSE(accepts(Expectation::changed, body_of(leaking))) << kFieldNames[f];
  }
}

TEST_F(BodyCheckTest, CountsDistinctValues) {
  BodyCheck check(Expectation::clear, forms_);
  for (int turn = 0; turn < 2; ++turn) {
    for (const Form& form : forms_) check.inspect(form.body);
  }
  EXPECT_EQ(check.counts().good, 128U);
  EXPECT_GE(check.counts().distinct[1], 62U);  // 64 addresses, told apart by 16 bits of a hash
  EXPECT_LE(check.counts().distinct[1], 64U);
  EXPECT_LE(check.counts().distinct[3], 20U);
}

TEST(FormPool, RepeatsItselfAndKeepsItsSize) {
  const auto forms = make_forms(kDefaultSeed, kDefaultForms);
  EXPECT_EQ(forms[99].body, make_forms(kDefaultSeed, 100)[99].body);
  EXPECT_NE(forms[99].body, make_forms(kDefaultSeed + 1, 100)[99].body);
  std::set<std::string> emails;
  std::size_t bytes = 0;
  for (const Form& form : forms) {
    emails.insert(form.values[1]);
    bytes += form.body.size();
  }
  EXPECT_EQ(emails.size(), kDefaultForms);
  // The form that DESIGN's budget speaks of has about 260 bytes.
  EXPECT_NEAR(static_cast<double>(bytes) / static_cast<double>(kDefaultForms), 260, 30);
}

TEST(FormPool, EncodesAsBrowsersDo) {
  EXPECT_EQ(form_encode("Saint-Étienne + 1*_."), "Saint-%C3%89tienne+%2B+1*_.");
}

}  // namespace
}  // namespace paravent::bench
