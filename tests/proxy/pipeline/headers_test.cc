// The head that goes upstream: written anew, the client's address governed by one rule, nothing
// hop-by-hop.

#include <gtest/gtest.h>

#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using Lines = std::vector<std::string>;

const std::string kRules = "      form.a: { do: mask }\n      header.X-Drop: { do: drop }\n";

Pipeline pipeline_with(const std::string& route) { return Pipeline(policy_text(kRules, route)); }

const std::string kClaims =
    "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\nX-Real-IP: 198.51.100.7\r\nForwarded: for=1\r\n"
    "CF-IPCountry: FR\r\nVia: 1.1 edge\r\n";

TEST(ClientAddress, DropSaysNothing) {
  for (const bool trusted : {false, true}) {
    Pipeline pipeline = pipeline_with("    client-address: drop\n");
    pipeline.trusted = trusted;
    const Outcome outcome = pipeline.run(form_post("a=1", kClaims));
    for (const char* name : {"X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-IPCountry", "Via"}) {
      EXPECT_TRUE(outcome.lines(name).empty()) << name;
    }
    EXPECT_EQ(outcome.head.find("198.51"), std::string::npos);
    EXPECT_EQ(outcome.head.find("192.0.2.7"), std::string::npos);
  }
}

TEST(ClientAddress, FixedSaysTheSameOfEverybody) {
  Pipeline pipeline = pipeline_with("    client-address: fixed\n    fixed-address: 192.0.2.1\n");
  pipeline.trusted = true;
  const Outcome outcome = pipeline.run(form_post("a=1", kClaims));
  EXPECT_EQ(outcome.lines("X-Forwarded-For"), Lines{"192.0.2.1"});
  EXPECT_TRUE(outcome.lines("X-Real-IP").empty());
}

TEST(ClientAddress, TruncateTellsTheNetwork) {
  Pipeline pipeline = pipeline_with("    client-address: truncate\n");
  const auto told = [&] {
    return pipeline.run(form_post("a=1", kClaims)).lines("X-Forwarded-For");
  };
  EXPECT_EQ(told(), Lines{"192.0.0.0"});  // a client's own claims count for nothing
  pipeline.trusted = true;
  EXPECT_EQ(told(), Lines{});  // two headers that disagree
  const auto claim = [&](const std::string& value) {
    return pipeline.run(form_post("a=1", "X-Forwarded-For: " + value + "\r\n"))
        .lines("X-Forwarded-For");
  };
  EXPECT_EQ(claim("2001:db8:1:2::9"), Lines{"2001:db8:1::"});
  EXPECT_EQ(claim("198.51.100.7,\t::ffff:203.0.113.9"), Lines{"203.0.0.0"});
  EXPECT_EQ(claim("203.0.113.9:4711"), Lines{"203.0.0.0"});
  EXPECT_EQ(claim("[2001:db8:1:2::9]:443"), Lines{"2001:db8:1::"});
  EXPECT_EQ(claim("[::ffff:203.0.113.9]"), Lines{"203.0.0.0"});
  EXPECT_EQ(claim("2002:cb00:7109::1"), Lines{"2002:cb00::"});
  EXPECT_EQ(claim("unknown"), Lines{});
  EXPECT_EQ(claim("[unknown]:1"), Lines{});
  EXPECT_EQ(claim("1.2.3.4, "), Lines{});  // the last hop is nobody
  EXPECT_EQ(claim("198.51.100.7, 203.0.113.9"), Lines{"203.0.0.0"});
  pipeline.trusted = false;
  pipeline.peer = "2001:db8:aaaa:bbbb::1";
  EXPECT_EQ(told(), Lines{"2001:db8:aaaa::"});
}

TEST(ClientAddress, KeepBelievesTrustedProxiesOnly) {
  Pipeline pipeline = pipeline_with("    client-address: keep\n");
  Outcome outcome = pipeline.run(form_post("a=1", kClaims));
  EXPECT_EQ(outcome.lines("X-Forwarded-For"), Lines{"192.0.2.7"});
  EXPECT_TRUE(outcome.lines("X-Real-IP").empty());
  pipeline.trusted = true;
  outcome = pipeline.run(form_post("a=1", kClaims));
  EXPECT_EQ(outcome.lines("X-Forwarded-For"), (Lines{"198.51.100.7, 203.0.113.9", "192.0.2.7"}));
  EXPECT_EQ(outcome.lines("X-Real-IP"), Lines{"198.51.100.7"});
}

TEST(Forwarded, ProtoAndHostAreOursUnlessAProxyIsTrusted) {
  Pipeline pipeline = pipeline_with("");
  const std::string claims = "X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil.example\r\n";
  Outcome outcome = pipeline.run(form_post("a=1", claims));
  EXPECT_EQ(outcome.lines("X-Forwarded-Proto"), Lines{"http"});
  EXPECT_EQ(outcome.lines("X-Forwarded-Host"), Lines{"shop.example:8080"});
  pipeline.tls = true;
  EXPECT_EQ(pipeline.run(form_post("a=1")).lines("X-Forwarded-Proto"), Lines{"https"});
  pipeline.trusted = true;
  outcome = pipeline.run(form_post("a=1", claims));
  EXPECT_EQ(outcome.lines("X-Forwarded-Proto"), Lines{"gopher"});
  EXPECT_EQ(outcome.lines("X-Forwarded-Host"), Lines{"evil.example"});
  EXPECT_EQ(pipeline.run(form_post("a=1")).lines("X-Forwarded-Host"), Lines{"shop.example:8080"});
}

TEST(Head, IsWrittenAnewWithHostFirst) {
  Pipeline pipeline = pipeline_with("");
  const Outcome outcome = pipeline.run(request_text(
      "POST /f",
      "Accept:  */*  \r\nConnection: close, X-Odd\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
      "Proxy-Connection: close\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nTrailer: X\r\n"
      "Proxy: http://evil\r\nX-HTTP-Method-Override: DELETE\r\nX-Original-URL: /admin\r\n"
      "X-Forwarded-Prefix: /x\r\nX-Paravent-Any: 1\r\nX-Odd: stays\r\nx-drop: 1\r\n"
      "Expect: 100-continue\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\n",
      "a=Jane"));
  EXPECT_EQ(outcome.head,
            "POST /f HTTP/1.1\r\nHost: shop.example:8080\r\nAccept: */*\r\nX-Odd: stays\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: shop.example:8080\r\n"
            "Content-Length: 26\r\n\r\n");
  EXPECT_EQ(outcome.body, "a=%2A%2A%2A%2A%2A%2A%2A%2A");
}

TEST(Head, ContentLengthIsThereWhereAMethodHasABody) {
  Pipeline pipeline(policy_text(kRules, "",
                                "elsewhere: { methods: [GET, HEAD, POST, OPTIONS], "
                                "upstream: http://127.0.0.1:9000, do: pass }\n"));
  EXPECT_EQ(pipeline.run(request_text("POST /f", "")).lines("Content-Length"), Lines{"0"});
  EXPECT_TRUE(pipeline.run(request_text("GET /page", "")).lines("Content-Length").empty());
  EXPECT_TRUE(pipeline.run(request_text("HEAD /page", "")).lines("Content-Length").empty());
  EXPECT_EQ(pipeline.run(request_text("POST /page", "", "raw \x01")).lines("Content-Length"),
            Lines{"5"});
}

TEST(Head, DigestsGoWhenTheBodyChanged) {
  Pipeline pipeline(policy_text(kRules, "    unlisted: keep\n"));
  const std::string digests =
      "Content-MD5: x\r\nDigest: y\r\nContent-Digest: z\r\nrepr-digest: w\r\nX-Other: o\r\n";
  const Outcome changed = pipeline.run(form_post("a=1", digests));
  const Outcome same = pipeline.run(form_post("b=1", digests));
  for (const char* name : {"Content-MD5", "Digest", "Content-Digest", "Repr-Digest"}) {
    EXPECT_TRUE(changed.lines(name).empty()) << name;
    EXPECT_EQ(same.lines(name).size(), 1U) << name;
  }
  EXPECT_EQ(changed.lines("X-Other"), Lines{"o"});
}

TEST(Head, ADigestThatGoesDoesNotSaveTheHeadersBehindIt) {
  // Every header has a job here; the digest's is left out with its line, the later ones still
  // apply.
  Pipeline pipeline(
      policy_text("      form.a: { do: mask }\n      header.Date: { do: drop }\n"
                  "      header.X-Person: { kind: name, do: pseudonymise }\n"
                  "      cookie.who: { do: mask }\n",
                  "    unlisted: { body: keep, header: drop }\n"));
  const Outcome outcome = pipeline.run(form_post(
      "a=1", "Digest: y\r\nX-Secret: s\r\nX-Person: Jane\r\nDate: today\r\nCookie: who=Jane\r\n"));
  EXPECT_EQ(outcome.refused, "");
  EXPECT_TRUE(outcome.lines("X-Secret").empty());
  EXPECT_TRUE(outcome.lines("Date").empty());
  EXPECT_EQ(token_class(outcome.lines("X-Person").at(0)), "pseudonym");
  EXPECT_EQ(outcome.lines("Cookie"), Lines{"who=********"});
  EXPECT_EQ(outcome.head.find("Jane"), std::string::npos);
}

TEST(Head, CookieLinesAreEditedEachForItself) {
  Pipeline pipeline(
      policy_text("      form.a: { do: keep }\n      cookie.who: { do: mask }\n"
                  "      cookie.ad*: { do: drop }\n"));
  const Outcome outcome = pipeline.run(form_post(
      "a=1", "Cookie: x=1; who=Jane; ad1=2\r\nCookie: ad2=3\r\nCookie: who=John; y=2\r\n"));
  EXPECT_EQ(outcome.lines("Cookie"), (Lines{"x=1; who=********", "who=********; y=2"}));
}

// Python's readers end a cookie at a blank, old servlet containers at a comma.
TEST(Head, ACookieInsideOfAnotherIsNotKeptByIt) {
  const std::string rules =
      "      cookie.mail: { do: replace, with: m }\n"
      "      cookie.gone: { do: drop }\n"
      "      cookie.sid: { do: keep }\n"
      "      cookie.ad_*: { do: drop }\n";
  const auto sent = [](Pipeline& pipeline, const std::string& cookies) {
    const Outcome outcome = pipeline.run(form_post("", "Cookie: " + cookies + "\r\n"));
    if (!outcome.refused.empty()) return outcome.refused;
    const std::vector<std::string> lines = outcome.lines("Cookie");
    return lines.empty() ? std::string() : lines.front();
  };
  Pipeline pipeline(policy_text(rules));
  for (const char* cookies :
       {"sid=1 mail=anne@example.fr", "sid=1,mail=x", "sid=1, mail=x", "sid=1  mail = x",
        "a=1 b=2 gone=3", "a=b; c=1 ad_x=1", "sid=\"1\" mail=x", "a=1 ,, gone=", "sid= , mail=x"}) {
    EXPECT_EQ(sent(pipeline, cookies), "malformed-body") << cookies;
  }
  for (const char* cookies : {"a=x y", "a=Tue, 1 Jan 2030", "a=1 sid=2", "a=1 b=2", "a=1 mail",
                              "a=1 xmail=2", "a=1;sid=mail= ,", "a=1 ,", "a=mail=1"}) {
    EXPECT_EQ(sent(pipeline, cookies), cookies);
  }
  // What goes or is protected whole takes what is inside with it.
  EXPECT_EQ(sent(pipeline, "mail=1 gone=2"), "mail=m");
  EXPECT_EQ(sent(pipeline, "sid=1; gone=1 mail=2"), "sid=1");
  Pipeline drops(policy_text(rules, "    unlisted: { cookie: drop }\n"));
  EXPECT_EQ(sent(drops, "sid=1; a=1 mail=2"), "sid=1");
}

TEST(Head, AUserAgentCanBeGeneralised) {
  Pipeline pipeline(
      policy_text("      form.a: { do: keep }\n      header.User-Agent: { do: generalise, to: "
                  "browser-family }\n"));
  const Outcome outcome = pipeline.run(form_post(
      "a=1",
      "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"));
  EXPECT_EQ(outcome.lines("User-Agent"), Lines{"Mozilla/5.0 Firefox/128.0"});
}

}  // namespace
}  // namespace paravent::proxy::testing
