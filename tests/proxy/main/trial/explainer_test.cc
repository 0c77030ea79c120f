// The explainer runs production's own code: what it lists is what the upstream would get.

#include "proxy/main/trial/explainer.h"

#include <gtest/gtest.h>

#include "crypto/tokens/token_text.h"
#include "tests/policies/policy_text.h"

namespace paravent::proxy::main {
namespace {

using policies::testing::policy_of;
using policies::testing::route_of;

const std::string kPolicy =
    policy_of(route_of("form", "{ method: POST, host: shop.example, path: /f }", R"(
    fields:
      form.email: { kind: email, do: tokenise, shape: email }
      form.phone: { kind: phone, do: tokenise, mode: derived }
      form.'full name': { do: mask }
      form.pot: { do: drop }
      form.submit: { do: keep }
      form.secret: { do: refuse }
      json.email: { kind: email, do: tokenise }
      header.User-Agent: { do: generalise, to: browser-family }
    unlisted: encrypt
)") + "elsewhere: { methods: [GET], upstream: http://127.0.0.1:9000, do: pass }\n");

std::unique_ptr<Explainer> explainer_of(const std::string& policy) {
  return Explainer::create(policies::testing::loaded_policy(policy)).value();
}

class ExplainerTest : public ::testing::Test {
 protected:
  Explanation form(const std::string& body, const std::string& headers = "") {
    return explainer_->explain("POST /f HTTP/1.1\nHost: Shop.Example:8080\n" + headers +
                               "Content-Type: application/x-www-form-urlencoded\n\n" + body + "\n");
  }
  static std::string outcome(const Explanation& explanation) {
    return explanation.route + " " + explanation.outcome + " " + explanation.reason + " " +
           explanation.field;
  }
  std::unique_ptr<Explainer> explainer_ = explainer_of(kPolicy);
};

TEST_F(ExplainerTest, ListsEveryFieldBeforeAndAfter) {
  const Explanation explanation =
      form("email=Jane%40Example.org&full+name=Jane+Doe&pot=&submit=ok&other=x&phone=",
           "User-Agent: Mozilla/5.0 Firefox/128.0.1\n");
  EXPECT_EQ(outcome(explanation), "form forwarded  ");
  ASSERT_EQ(explanation.fields.size(), 7U);
  const auto& fields = explanation.fields;
  EXPECT_EQ(fields[0].path, "header.User-Agent");
  EXPECT_EQ(fields[0].after, "Mozilla/5.0 Firefox/128.0");
  EXPECT_EQ(fields[1].path + " " + fields[1].rule + " " + fields[1].action + " " + fields[1].before,
            "form.email form.email tokenise Jane@Example.org");
  EXPECT_TRUE(fields[1].after->ends_with("@paravent.invalid"));
  EXPECT_EQ(fields[2].path + " " + fields[2].before, "form.full name Jane Doe");
  EXPECT_EQ(fields[2].after, "********");
  EXPECT_EQ(fields[3].action, "drop");
  EXPECT_FALSE(fields[3].after.has_value());
  EXPECT_EQ(fields[4].after, "ok");
  EXPECT_EQ(fields[5].path + " " + fields[5].rule + " " + fields[5].action,
            "form.other unlisted encrypt");
  EXPECT_TRUE(crypto::check_token(*fields[5].after).has_value());
  EXPECT_EQ(fields[6].path, "form.phone");
  EXPECT_EQ(fields[6].after, "");
  EXPECT_EQ(explanation.unlisted, std::vector<std::string>{"form.other"});
  // What is listed is what is sent.
  EXPECT_TRUE(
      explanation.upstream_head.starts_with("POST /f HTTP/1.1\r\nHost: Shop.Example:8080\r\n"));
  EXPECT_NE(explanation.upstream_body.find("other=" + *fields[5].after), std::string::npos);
  // Beside the encrypted field, whose letters are random.
  std::string beside = explanation.upstream_body;
  beside.erase(beside.find(*fields[5].after), fields[5].after->size());
  EXPECT_EQ(beside.find("Jane"), std::string::npos);
}

TEST_F(ExplainerTest, Refusals) {
  EXPECT_EQ(outcome(form("secret=1")), "form refused refused-field form.secret");
  EXPECT_EQ(outcome(form("phone=see+mail")), "form refused transform-failed form.phone");
  EXPECT_EQ(outcome(form("a=%")), "form refused malformed-body ");
  EXPECT_EQ(outcome(explainer_->explain("POST /g HTTP/1.1\nHost: a\n\n")), " refused no-route ");
  EXPECT_EQ(outcome(explainer_->explain("PUT /f HTTP/1.1\nHost: shop.example\n\n")),
            " refused method ");
  EXPECT_EQ(outcome(explainer_->explain("GET /f?email=a HTTP/1.1\nHost: shop.example\n\n")),
            "elsewhere refused method ");
  EXPECT_EQ(outcome(explainer_->explain("hello\n\n")), " refused framing ");
  EXPECT_EQ(outcome(explainer_->explain("")), " refused framing ");
  EXPECT_EQ(outcome(explainer_->explain("POST /f HTTP/1.1\nHost: shop.example\n"
                                        "Content-Type: text/plain\n\nx\n")),
            "form refused unsupported-type ");
}

TEST_F(ExplainerTest, ARefusalShowsWhatWasReadSoFar) {
  const Explanation explanation = form("email=a%40b.fr&secret=1&other=2");
  ASSERT_EQ(explanation.fields.size(), 2U);
  EXPECT_EQ(explanation.fields[0].after, std::nullopt) << "nothing was protected";
  EXPECT_EQ(explanation.fields[1].action, "refuse");
  EXPECT_EQ(explanation.fields[1].after, std::nullopt) << "nothing is sent";
  EXPECT_EQ(explanation.upstream_body, "");
}

TEST(ExplainerUnlisted, EachCarrierHasItsOwnWord) {
  const auto explainer = explainer_of(policy_of(route_of("form", "{ method: POST, path: /f }", R"(
    fields: { form.submit: { do: keep } }
    unlisted: { body: encrypt, cookie: drop }
)")));
  const Explanation explanation = explainer->explain(
      "POST /f HTTP/1.1\nHost: a\nCookie: sid=1\n"
      "Content-Type: application/x-www-form-urlencoded\n\nother=2\n");
  ASSERT_EQ(explanation.fields.size(), 2U);
  EXPECT_EQ(explanation.fields[0].path + " " + explanation.fields[0].action, "cookie.sid drop");
  EXPECT_EQ(explanation.fields[0].after, std::nullopt);
  EXPECT_EQ(explanation.fields[1].path + " " + explanation.fields[1].action, "form.other encrypt");
}

TEST_F(ExplainerTest, HostsAreMatchedAsInProduction) {
  EXPECT_EQ(explainer_->explain("POST /f HTTP/1.1\nHost: SHOP.example\n\n").route, "form");
  EXPECT_EQ(explainer_->explain("POST /f HTTP/1.1\nHost: shop.example:80\n\n").route, "form");
  EXPECT_EQ(explainer_->explain("POST /f HTTP/1.1\nHost: other.example\n\n").route, "");
  EXPECT_EQ(explainer_->explain("POST /f HTTP/1.1\nHost: [::1]:80\n\n").reason, "no-route");
}

TEST_F(ExplainerTest, ElsewhereIsPassed) {
  const Explanation explanation =
      explainer_->explain("GET /page?q=1 HTTP/1.1\nHost: any\nX-Real-IP: 192.0.2.9\n\n");
  EXPECT_EQ(outcome(explanation), "elsewhere passed  ");
  EXPECT_EQ(explanation.upstream_head.find("192.0.2"), std::string::npos);
}

TEST_F(ExplainerTest, JsonAndItsNames) {
  const Explanation explanation = explainer_->explain(
      "POST /f HTTP/1.1\nHost: shop.example\nContent-Type: application/json\n\n"
      R"({"email":"a@b.fr","list":[true]})"
      "\n");
  ASSERT_EQ(explanation.fields.size(), 2U) << outcome(explanation);
  EXPECT_EQ(explanation.fields[0].path, "json.email");
  EXPECT_TRUE(crypto::check_token(*explanation.fields[0].after).has_value());
  EXPECT_EQ(explanation.fields[1].path + " " + explanation.fields[1].before, "json.list[0] true");
}

// Production does not wait for the whole of a body with files, and neither may explain.
TEST(ExplainerStreamed, TheOrderOfThePartsCounts) {
  const auto explainer = explainer_of(
      policy_of(route_of("jobs", "{ method: POST, path: /f, when: { form.action: jobs } }", R"(
    fields:
      multipart.action: { do: keep }
      multipart.consent: { do: keep }
      multipart.email: { do: mask, when: { form.consent: 'on' }, else: drop }
      multipart.cv: { file: pass }
)") + route_of("news", "{ method: POST, path: /f, when: { form.action: news } }",
               "    fields: { multipart.action: { do: keep } }\n")));
  const auto part = [](const std::string& name, const std::string& value) {
    const std::string file = name == "cv" ? "; filename=\"a.pdf\"" : "";
    return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"" + file + "\r\n\r\n" +
           value + "\r\n";
  };
  const auto outcome = [&](const std::string& body) {
    const Explanation e = explainer->explain(
        "POST /f HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=B\n\n" + body +
        "--B--\r\n");
    return e.route + " " + e.outcome + " " + e.reason + " " + e.field;
  };
  const std::string jobs = part("action", "jobs");
  const std::string on = part("consent", "on");
  const std::string email = part("email", "a@b.fr");
  const std::string cv = part("cv", "x");
  EXPECT_EQ(outcome(jobs + on + email + cv), "jobs forwarded  ");
  EXPECT_EQ(outcome(jobs + email + on + cv), "jobs forwarded  ");
  EXPECT_EQ(outcome(jobs + email + cv + on), "jobs refused late-field form.consent");
  EXPECT_EQ(outcome(jobs + on + cv + email), "jobs refused late-field multipart.email");
  EXPECT_EQ(outcome(jobs + cv + on), "jobs forwarded  ");
  EXPECT_EQ(outcome(jobs), "jobs forwarded  ");
  EXPECT_EQ(outcome(cv + jobs), "jobs refused no-route ");
  EXPECT_EQ(outcome(part("action", "news")), "news forwarded  ");
}

}  // namespace
}  // namespace paravent::proxy::main
