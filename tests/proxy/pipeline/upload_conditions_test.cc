// Conditions, and routes told apart by a field, where files are streamed: nothing is ever treated
// as the whole message would not have had it, and what the whole message would have said too late
// is refused. And what an upload does while the vault is sealed.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/policies/policy_text.h"
#include "tests/proxy/body/random.h"
#include "tests/proxy/pipeline/upload_testing.h"

namespace paravent::proxy::testing {
namespace {

using body::test::Random;
using policies::testing::policy_of;
using policies::testing::route_of;

const std::string kRules =
    "      multipart.consent: { do: keep }\n"
    "      multipart.email: { do: keep, when: { form.consent: [on, '1'] }, else: drop }\n"
    "      multipart.other: { do: keep, when: { query.kind: b }, else: mask }\n"
    "      multipart.note: { do: keep }\n"
    "      multipart.cv: { file: pass }\n"
    "      multipart.cv > file-name: { do: keep }\n"
    "      multipart.photo: { file: pass, when: { form.consent: [on, '1'] }, else: drop }\n"
    "      multipart.photo > file-name: { do: keep, when: { form.note: named }, else: drop }\n"
    "      multipart.scan: { file: drop, when: { header.X-Kind: short }, else: { file: pass } }\n"
    "      multipart.id: { file: pass, when: { form.consent: 'on' }, else: refuse }\n";
const std::string kConditions = policy_text(kRules);
const std::string kAnyOrder = policy_text(kRules, "    stream: any-order\n");

// What the upstream got, or the reason of the refusal.
std::string outcome(Streaming& s) {
  while (s.asked() && !s.exchange.up.ended && s.refused().empty()) {
    s.exchange.up.handler->on_piece_sent();
  }
  return s.exchange.up.ended ? s.body() : s.refused();
}

std::string run(const std::string& policy, const std::string& body) {
  Streaming s(policy);
  s.send(body);
  return outcome(s);
}

TEST(UploadCondition, DecidesByWhatComesBeforeTheFile) {
  const std::string cv = file("cv", kLong);
  const std::string email = part("email", "a@b.fr");
  for (const char* yes : {"on", "1"}) {
    const std::string consent = part("consent", yes);
    EXPECT_EQ(run(kConditions, consent + email + cv + kEnd), consent + email + cv + kEnd);
    EXPECT_EQ(run(kConditions, email + consent + cv + kEnd), email + consent + cv + kEnd)
        << "whatever the order of the fields in front of it";
  }
  EXPECT_EQ(run(kConditions, email + part("consent", "off") + cv + kEnd),
            part("consent", "off") + cv + kEnd);
  EXPECT_EQ(run(kConditions, email + cv + kEnd), cv + kEnd);
  EXPECT_EQ(run(kConditions, email + kEnd), kEnd) << "without a file";
}

TEST(UploadCondition, DecidesAboutFilesAndTheirNames) {
  const std::string on = part("consent", "on");
  const std::string photo = file("photo", "pixels", "Marie.jpg");
  EXPECT_EQ(run(kConditions, on + part("note", "named") + photo + kEnd),
            on + part("note", "named") + photo + kEnd);
  EXPECT_EQ(run(kConditions, on + photo + kEnd), on + file("photo", "pixels", "file.jpg") + kEnd);
  EXPECT_EQ(run(kConditions, photo + file("cv", "x") + photo + kEnd), file("cv", "x") + kEnd);
  EXPECT_EQ(run(kConditions, on + file("id", "x") + kEnd), on + file("id", "x", "file.pdf") + kEnd);
  EXPECT_EQ(run(kConditions, part("consent", "1") + file("id", "x") + kEnd), "refused-field");
  const std::string scan = file("scan", "x", "scan.pdf");
  EXPECT_EQ(run(kConditions, scan + kEnd), file("scan", "x", "file.pdf") + kEnd);
  Streaming s(kConditions);
  s.exchange.down.pieces = {scan + kEnd};
  s.exchange.start(
      request_text("POST /f", "X-Kind: short\r\nContent-Type: multipart/form-data; boundary=B\r\n",
                   "x"),
      true);
  EXPECT_EQ(outcome(s), kEnd);
}

// What somebody else has been told by an earlier decision cannot be taken back.
TEST(UploadCondition, WhatWouldHaveDecidedOtherwiseIsRefusedBehindTheFile) {
  const std::string cv = file("cv", kLong);
  const std::string email = part("email", "a@b.fr");
  const std::string on = part("consent", "on");
  EXPECT_EQ(run(kConditions, email + cv + on + kEnd), "late-field");
  EXPECT_EQ(run(kConditions, on + email + cv + part("consent", "off") + kEnd), "late-field");
  EXPECT_EQ(run(kConditions, file("photo", "x") + on + kEnd), "late-field");
  EXPECT_EQ(run(kConditions, on + email + cv + file("consent", "x") + kEnd), "late-field");
  // What says the same, and what nothing has depended on yet, may come.
  EXPECT_EQ(run(kConditions, on + email + cv + on + kEnd), on + email + cv + on + kEnd);
  EXPECT_EQ(run(kConditions, email + cv + part("consent", "off") + kEnd),
            cv + part("consent", "off") + kEnd);
  EXPECT_EQ(run(kConditions, cv + on + kEnd), cv + on + kEnd);
  EXPECT_EQ(run(kConditions, cv + on + file("photo", "x") + kEnd),
            cv + on + file("photo", "x", "file.pdf") + kEnd);
  // In any order what is protected may follow its condition, and never go before it.
  EXPECT_EQ(run(kAnyOrder, cv + on + cv + email + kEnd), cv + on + cv + email + kEnd);
  EXPECT_EQ(run(kAnyOrder, cv + email + cv + on + kEnd), "late-field");
  Streaming named(kConditions);
  named.send(email + file("cv", "x") + on + kEnd);
  EXPECT_NE(named.exchange.down.sent.find("\"field\":\"form.consent\""), std::string::npos);
  EXPECT_FALSE(named.asked()) << "small enough to be held back";
  Streaming late(kConditions);
  late.send(email + cv + on + kEnd);
  late.exchange.up.handler->on_piece_sent();
  EXPECT_TRUE(late.broken_off());
}

TEST(UploadCondition, WhatDependsOnTheReaderIsRefused) {
  const std::string both = part("consent", "on") + part("consent", "off");
  EXPECT_EQ(run(kConditions, both + part("email", "a") + file("cv", "x") + kEnd),
            "ambiguous-field");
  EXPECT_EQ(run(kConditions, part("other", "a") + part("kind", "b") + kEnd), "ambiguous-field");
  Streaming query(kConditions);
  query.exchange.down.pieces = {part("email", "a") + file("cv", "x") + kEnd};
  query.exchange.start(
      request_text("POST /f?consent=on", "Content-Type: multipart/form-data; boundary=B\r\n", "x"),
      true);
  EXPECT_EQ(outcome(query), "unlisted-field") << "a query of that name has to have a rule as well";
}

// Whatever comes in whatever order: as the whole message would have been treated, or refused.
TEST(UploadCondition, AgreesWithTheWholeMessageOrRefuses) {
  const std::string policy = policy_text(
      "      multipart.consent: { do: keep }\n"
      "      multipart.kind: { do: keep }\n"
      "      multipart.email: { do: keep, when: { form.consent: 'on' }, else: mask }\n"
      "      multipart.name: { do: keep, when: { form.kind: [a, b] }, else: drop }\n"
      "      multipart.city: { do: keep, when: { form.kind: a, form.consent: 'on' }, else: mask }\n"
      "      multipart.cv: { file: pass }\n"
      "      multipart.cv > file-name: { do: keep }\n",
      "    stream: any-order\n");
  Pipeline whole(policy);
  Random random(11);
  std::size_t agreed = 0;
  std::size_t late = 0;
  for (int round = 0; round < 300; ++round) {
    std::string body;
    for (std::size_t i = random.below(7); i > 0; --i) {
      static const std::vector<std::string> kParts = {
          part("consent", "on"), part("consent", "off"), part("kind", "a"),  part("kind", "b"),
          part("kind", "x"),     part("email", "mail"),  part("name", "nm"), part("city", "town"),
          file("cv", "content"), file("cv", ""),
      };
      body += kParts[random.below(kParts.size())];
    }
    body += kEnd;
    const Outcome expected = whole.run(multipart_post(body));
    const std::string got = run(policy, body);
    if (got == "late-field") {
      ++late;
    } else {
      EXPECT_EQ(got, expected.refused.empty() ? expected.body : expected.refused) << body;
      ++agreed;
    }
  }
  EXPECT_GT(agreed, 100U);
  EXPECT_GT(late, 10U);
}

// WordPress's one endpoint, where two of the forms behind it take files.
const std::string kGroup =
    policy_of(route_of("jobs", "{ method: POST, path: /f, when: { form.action: jobs } }", R"(
    fields:
      multipart.action: { do: keep }
      multipart.email: { do: replace, with: j, when: { form.consent: 'on' }, else: drop }
      multipart.consent: { do: keep }
      multipart.cv: { file: pass }
      multipart.cv > file-name: { do: keep }
)") +
              route_of("repair",
                       "{ method: POST, path: /f, when: { form.action: [repair, mend] } }",
                       R"(
    fields:
      multipart.action: { do: keep }
      multipart.email: { do: mask }
      multipart.photo: { file: drop }
)") + route_of("news", "{ method: POST, path: /f, when: { form.action: news } }", R"(
    fields:
      multipart.action: { do: keep }
      multipart.email: { do: replace, with: n }
      form.action: { do: keep }
)"));

TEST(UploadGroup, IsToldApartByAFieldInFrontOfTheFirstFile) {
  const std::string cv = file("cv", kLong);
  const std::string email = part("email", "a@b.fr");
  const std::string jobs = part("action", "jobs");
  EXPECT_EQ(run(kGroup, email + jobs + part("consent", "on") + cv + kEnd),
            part("email", "j") + jobs + part("consent", "on") + cv + kEnd);
  EXPECT_EQ(run(kGroup, jobs + email + cv + kEnd), jobs + cv + kEnd);
  EXPECT_EQ(run(kGroup, email + part("action", "mend") + file("photo", kLong) + kEnd),
            part("email", "********") + part("action", "mend") + kEnd);
  EXPECT_EQ(run(kGroup, email + part("action", "news") + kEnd),
            part("email", "n") + part("action", "news") + kEnd)
      << "a route without files";
  // Each by its own rules.
  EXPECT_EQ(run(kGroup, part("action", "repair") + cv + kEnd), "unlisted-field");
  EXPECT_EQ(run(kGroup, part("action", "news") + cv + kEnd), "unlisted-field");
  EXPECT_EQ(run(kGroup, part("action", "else") + cv + kEnd), "no-route");
  EXPECT_EQ(run(kGroup, cv + jobs + kEnd), "no-route") << "nobody can wait for it";
  EXPECT_EQ(run(kGroup, jobs + part("action", "news") + cv + kEnd), "ambiguous-field");
  EXPECT_EQ(run(kGroup, jobs + cv + part("action", "jobs") + kEnd),
            jobs + cv + part("action", "jobs") + kEnd);
  EXPECT_EQ(run(kGroup, jobs + cv + part("action", "news") + kEnd), "late-field");
  EXPECT_EQ(run(kGroup, jobs + email + cv + part("consent", "on") + kEnd), "late-field");
  EXPECT_EQ(run(kGroup, "no multipart"), "malformed-body");
}

TEST(UploadGroup, CountsForTheRouteThatItIs) {
  Streaming s(kGroup);
  s.send(part("email", "a") + part("action", "mend") + file("photo", "x") + kEnd);
  EXPECT_EQ(outcome(s), part("email", "********") + part("action", "mend") + kEnd);
  s.exchange.up.handler->on_piece_sent();
  s.exchange.up.handler->on_response(s.exchange.response(200, BodyFraming::length, 2), "ok", true);
  telemetry::WorkerCounters& counters = *s.exchange.worker->counters;
  EXPECT_EQ(counters.requests(1, telemetry::Outcome::forwarded).read(), 1U);
  EXPECT_EQ(counters.requests(0, telemetry::Outcome::forwarded).read(), 0U);
}

TEST(UploadGroup, ARouteThatWantsACertificateIsAskedForItOnceItIsChosen) {
  std::string policy = kGroup;
  policy.replace(policy.find("    fields:"), 0, "    client-certificate: required\n");
  Streaming without(policy);
  without.send(part("action", "jobs") + file("cv", "x") + kEnd);
  EXPECT_EQ(outcome(without), "client-certificate");
  Streaming with(policy);
  with.exchange.down.client_certificate = true;
  with.send(part("action", "jobs") + file("cv", "x") + kEnd);
  EXPECT_EQ(outcome(with), part("action", "jobs") + file("cv", "x") + kEnd);
  EXPECT_EQ(run(policy, part("action", "news") + kEnd), part("action", "news") + kEnd);
}

// A length that is told has to be kept to the byte: what is more would be the next request.
TEST(UploadLength, IsNotToldWhereANameMayChange) {
  const auto policy = [](const std::string& name) {
    return policy_text(
        "      multipart.consent: { do: keep }\n"
        "      multipart.cv: { file: pass }\n"
        "      multipart.cv > file-name: " +
        name + "\n");
  };
  const auto framing = [](Streaming& s) {
    while (s.asked() && !s.exchange.up.ended) s.exchange.up.handler->on_piece_sent();
    return s.chunked() ? std::string("chunked") : "length";
  };
  std::string body = part("consent", "no") + file("cv", kLong, "a.txt");
  for (int i = 0; i < 20; ++i) body += file("cv", "x", "b.txt");
  body += kEnd;
  Streaming kept(policy("{ do: keep, when: { form.consent: 'on' }, else: keep }"));
  kept.send(body);
  EXPECT_EQ(framing(kept), "length");
  EXPECT_EQ(kept.body(), body);
  for (const char* otherwise : {"drop", "{ do: replace, with: longer-than-it-was }"}) {
    Streaming s(
        policy("{ do: keep, when: { form.consent: 'on' }, else: " + std::string(otherwise) + " }"));
    s.send(body);
    EXPECT_EQ(framing(s), "chunked") << otherwise;
    EXPECT_NE(s.body(), "");
  }
}

// Whatever the plan promises: here it is told a lie.
TEST(UploadLength, IsKeptOrBrokenOff) {
  for (const char* name : {"a-name-that-becomes-shorter.pdf", "x.pdf"}) {
    Streaming s(policy_text("      multipart.cv: { file: pass }\n"));
    s.exchange.worker->snapshot->plan->routes()[0]->constant_size = true;
    s.send(file("cv", kLong, "same.pdf") + file("cv", "x", name) + kEnd);
    for (int i = 0; i < 9 && s.refused().empty(); ++i) s.exchange.up.handler->on_piece_sent();
    EXPECT_EQ(s.refused(), "transform-failed");
    EXPECT_TRUE(s.broken_off());
    const std::string& head = s.exchange.up.head;
    const std::size_t at = head.find("Content-Length: ");
    ASSERT_NE(at, std::string::npos);
    EXPECT_LE(s.exchange.up.body.size(), std::stoul(head.substr(at + 16)));
  }
}

// A picture of which only what was taken out of it would have told anything.
std::string png(const std::string& more) {
  return std::string("\x89PNG\r\n\x1A\n") + std::string("\0\0\0\rIHDR", 8) + std::string(17, '\1') +
         more + std::string("\0\0\0\0IENDCRC4", 12);
}
const std::string kText = std::string("\0\0\0\4tEXtnameCRC4", 16);

// The size of the encrypted file tells how much of it was left.
TEST(UploadFile, IsFreedOfItsMetadataAndThenEncrypted) {
  const auto policy = [](const std::string& file_rule) {
    return policy_text("      multipart.p: { file: encrypt" + file_rule +
                       " }\n      multipart.p > file-name: { do: keep }\n");
  };
  const auto content_size = [&](const std::string& rule, const std::string& content) {
    const std::string body = run(policy(rule), file("p", content, "x.png") + kEnd);
    const std::size_t begin = body.find("paravent-file-1\n");
    if (begin == std::string::npos) return body;
    EXPECT_EQ(body.find("\x89PNG\r\n\x1A\n"), std::string::npos);
    const std::size_t token_end = body.find('\n', begin + 16);
    return std::to_string(body.find("\r\n--B--") - token_end - 1 - 24);
  };
  const auto sealed = [](std::size_t size) {
    return std::to_string(size + 17 * (size / 65'536 + 1));
  };
  const std::string strip = ", metadata: strip";
  EXPECT_EQ(content_size("", png(kText)), sealed(png(kText).size()));
  EXPECT_EQ(content_size(strip, png(kText)), sealed(png("").size()));
  EXPECT_EQ(content_size(strip, png(kText) + kLong), sealed(png("").size()));
  EXPECT_EQ(content_size(strip, "GIF89a and more"), "transform-failed");
  EXPECT_EQ(content_size(strip, png("").substr(0, 40)), "transform-failed");
  EXPECT_EQ(content_size(strip + ", unreadable: pass", "GIF89a"), sealed(6));
  EXPECT_EQ(content_size(strip + ", unreadable: pass", "x"), sealed(1));
  EXPECT_EQ(content_size(strip + ", unreadable: pass", ""), sealed(0));
  // A picture that fills several chunks, in pieces of any size.
  const std::string pixels = std::string("\0\2\0\0IDAT", 8) + std::string(0x20004, 'p');
  for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, std::size_t{70'000}}) {
    const std::string body = file("p", png(kText + pixels), "x.png") + kEnd;
    std::deque<std::string> pieces;
    for (std::size_t at = 0; at < body.size(); at += step) pieces.push_back(body.substr(at, step));
    Streaming s(policy(strip));
    s.send_pieces(std::move(pieces));
    const std::string got = outcome(s);
    const std::size_t token_end = got.find('\n', got.find("paravent-file-1\n") + 16);
    EXPECT_EQ(std::to_string(got.find("\r\n--B--") - token_end - 1 - 24),
              sealed(png(pixels).size()))
        << step;
  }
}

}  // namespace
}  // namespace paravent::proxy::testing
