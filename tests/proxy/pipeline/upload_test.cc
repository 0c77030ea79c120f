// Streamed uploads with doubles on every side: fields are protected wherever they lie, files go
// through as they come, nobody is waited for, and what goes wrong never comes to a clean end.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/proxy/body/random.h"
#include "tests/proxy/pipeline/upload_testing.h"

namespace paravent::proxy::testing {
namespace {

using body::test::Random;

const std::string kRules =
    "      multipart.email: { kind: email, do: tokenise, mode: derived }\n"
    "      multipart.name: { kind: name, do: tokenise }\n"
    "      multipart.note: { do: keep }\n"
    "      multipart.old: { do: drop }\n"
    "      multipart.cv: { file: pass }\n"
    "      multipart.photo: { file: pass, metadata: strip }\n"
    "      multipart.photo > file-name: { kind: name, do: tokenise, mode: derived }\n"
    "      multipart.raw: { file: pass }\n"
    "      multipart.raw > file-name: { do: keep }\n"
    "      multipart.gone: { file: drop }\n"
    "      multipart.never: { file: refuse }\n"
    "      multipart.both: { do: keep, file: pass }\n";
const std::string kPolicy = policy_text(kRules);
const std::string kAnyOrder = policy_text(kRules, "    stream: any-order\n");
const std::string kSized = policy_text(
    "      multipart.note: { do: keep }\n"
    "      multipart.email: { kind: email, do: tokenise, mode: derived }\n"
    "      multipart.raw: { file: pass }\n"
    "      multipart.raw > file-name: { do: keep }\n");

TEST(Upload, ASmallOneIsHeldBackAndHasALength) {
  Streaming s(kPolicy);
  s.send(part("email", "jane@example.org") + file("cv", "content") + part("note", "hi") + kEnd);
  ASSERT_TRUE(s.exchange.up.ended);
  EXPECT_FALSE(s.chunked());
  EXPECT_EQ(s.exchange.up.pieces, 1);
  EXPECT_NE(s.exchange.up.head.find("Content-Length: " + std::to_string(s.body().size()) + "\r\n"),
            std::string::npos);
  EXPECT_NE(s.body().find("name=\"email\"\r\n\r\npvd1"), std::string::npos) << s.body();
  EXPECT_NE(s.body().find("filename=\"file.pdf\"\r\n\r\ncontent\r\n--B"), std::string::npos);
  EXPECT_EQ(s.body().find("jane"), std::string::npos);
  EXPECT_EQ(s.body().find("Dupont"), std::string::npos)
      << "the name is no one's business by default";
  s.exchange.up.handler->on_piece_sent();
  s.exchange.up.handler->on_response(s.exchange.response(200, BodyFraming::length, 2), "ok", true);
  EXPECT_TRUE(s.exchange.down.kept_alive);
  EXPECT_EQ(s.exchange.fields("multipart.cv"), 1U);
  EXPECT_EQ(s.exchange.fields("multipart.cv > file-name"), 1U);
  EXPECT_EQ(s.exchange.fields("multipart.email"), 1U);
}

TEST(Upload, WhatNoRuleTouchesIsByteIdentical) {
  for (const std::string& body :
       {part("note", "a") + file("raw", kLong) + part("note", "") + kEnd, "--B--" + std::string(),
        file("raw", "") + kEnd,
        file("raw", "\r\n--b\n", "x", "Content-Length: 6\r\nX-A: b\r\n") + kEnd,
        file("raw", kLong, "caf\xC3\xA9 1") + file("raw", "\xFF\xD8\xFF") + kEnd}) {
    Streaming s(kPolicy);
    s.exchange.up.slow = false;
    s.send(body);
    if (s.asked() && !s.exchange.up.ended) s.exchange.up.handler->on_piece_sent();
    EXPECT_EQ(s.body(), body);
  }
}

TEST(Upload, ALongOneGoesOnWhileItComes) {
  Streaming s(kPolicy);
  s.send_pieces({part("note", "hi") +
                 "--B\r\nContent-Disposition: form-data; name=cv; filename=a.txt\r\n\r\n" +
                 kLong.substr(0, 60'000)},
                false);
  EXPECT_FALSE(s.asked()) << "nothing leaves as long as it may still be refused cheaply";
  s.more(kLong.substr(0, 60'000));
  ASSERT_TRUE(s.asked());
  EXPECT_TRUE(s.chunked());
  EXPECT_EQ(s.exchange.transaction.phase(), Phase::forward);
  const std::size_t sent = s.exchange.up.body.size();
  s.exchange.up.handler->on_piece_sent();
  s.more(kLong);
  EXPECT_GT(s.exchange.up.body.size(), sent + kLong.size() - 100);
  EXPECT_FALSE(s.exchange.up.ended);
  s.more("\r\n--B--\r\n", true);
  EXPECT_TRUE(s.exchange.up.ended);
  EXPECT_NE(s.body().find(kLong), std::string::npos);
}

TEST(Upload, NothingIsReadBeforeTheUpstreamHasTakenWhatThereIs) {
  Streaming s(kPolicy);
  s.exchange.up.slow = true;
  s.send_pieces(
      {file("cv", kLong), kLong.substr(0, 0) + file("cv", kLong), file("cv", kLong), kEnd});
  ASSERT_TRUE(s.asked());
  const std::size_t waiting = s.exchange.down.pieces.size();
  EXPECT_EQ(waiting, 3U);
  std::size_t turns = 0;
  while (!s.exchange.up.ended && turns < 100) {
    s.exchange.up.handler->on_piece_sent();
    ++turns;
    EXPECT_LE(s.exchange.down.window.size(), kLong.size() * 2);
  }
  EXPECT_TRUE(s.exchange.up.ended);
  EXPECT_GE(turns, 4U);
  EXPECT_EQ(s.body().size(), 3 * file("cv", kLong, "file.pdf").size() + kEnd.size());
}

TEST(Upload, AnySplittingGivesTheSame) {
  const std::string picture = std::string("\x89PNG\r\n\x1A\n") + std::string("\0\0\0\rIHDR", 8) +
                              std::string(17, '\1') + std::string("\0\0\0\4tEXtnameCRC4", 16) +
                              std::string("\0\0\0\0IENDCRC4", 12);
  const std::string body = part("email", "jane@example.org") + part("old", "x") +
                           file("gone", "gone") + part("note", "one") + file("cv", "\r\n--\r\n-B") +
                           part("old", "y") +
                           file("photo", picture, "Marie.png", "Content-Length: 61\r\n") +
                           part("note", "") + file("raw", "", "x") + file("gone", "again") + kEnd;
  Streaming whole(kPolicy);
  whole.send(body);
  const std::string expected = whole.body();
  ASSERT_NE(expected, "");
  EXPECT_EQ(expected.find("tEXt"), std::string::npos);
  EXPECT_EQ(expected.find("Marie"), std::string::npos);
  EXPECT_EQ(expected.find("Content-Length"), std::string::npos) << "of a part that was shortened";
  EXPECT_EQ(expected.find("gone"), std::string::npos);
  EXPECT_EQ(expected.find("old"), std::string::npos);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const std::size_t most = seed == 0 ? 1 : 1 + random.below(200);
    std::deque<std::string> pieces;
    for (std::size_t at = 0; at < body.size();) {
      pieces.push_back(body.substr(at, seed == 0 ? 1 : 1 + random.below(most)));
      at += pieces.back().size();
    }
    Streaming s(kPolicy);
    // Tokens under the same keys: derived ones depend on the vault of the exchange.
    s.send_pieces(std::move(pieces));
    std::string got = s.body();
    EXPECT_EQ(got.size(), expected.size()) << seed;
    const std::size_t tail = expected.find("\r\n--B", expected.find("pvd1"));
    EXPECT_EQ(got.substr(std::min(got.size(), tail), 60), expected.substr(tail, 60)) << seed;
  }
}

TEST(Upload, ALengthIsToldWhereNothingBehindCanChangeIt) {
  Streaming s(kSized);
  const std::string body = part("email", "jane@example.org") + part("note", "x") +
                           file("raw", kLong) + file("raw", kLong, "y") + part("note", "z") + kEnd;
  s.send(body);
  if (!s.exchange.up.ended) s.exchange.up.handler->on_piece_sent();
  ASSERT_TRUE(s.exchange.up.ended);
  EXPECT_FALSE(s.chunked());
  EXPECT_NE(s.exchange.up.head.find("Content-Length: " + std::to_string(s.exchange.up.body.size())),
            std::string::npos);
}

TEST(Upload, TheVaultIsWaitedForWithoutReadingOn) {
  Streaming s(kPolicy);
  s.send_pieces({part("name", "Jane") + file("cv", "c"), part("note", "x") + kEnd});
  EXPECT_EQ(s.exchange.transaction.phase(), Phase::resolve);
  ASSERT_EQ(s.exchange.vault.batches.size(), 1U);
  EXPECT_EQ(s.exchange.down.pieces.size(), 1U);
  EXPECT_GT(s.exchange.down.deadline, 0U);
  s.answer_vault();
  EXPECT_EQ(s.exchange.down.deadline, 0U);
  ASSERT_TRUE(s.exchange.up.ended);
  EXPECT_NE(s.body().find("pvv1"), std::string::npos);
  EXPECT_EQ(s.body().find("Jane"), std::string::npos);
}

TEST(Upload, AVaultThatDoesNotAnswerRefuses) {
  for (const auto& [status, reason] :
       {std::pair(ResolveStatus::sealed, "sealed"),
        std::pair(ResolveStatus::overloaded, "overloaded"),
        std::pair(ResolveStatus::store_unavailable, "store-unavailable")}) {
    Streaming s(kPolicy);
    s.send(part("name", "Jane") + file("cv", "c") + kEnd);
    s.answer_vault(status);
    EXPECT_EQ(s.refused(), reason);
    EXPECT_FALSE(s.asked());
    EXPECT_FALSE(s.exchange.down.kept_alive);
  }
  Streaming late(kPolicy);
  late.send(part("name", "Jane") + file("cv", "c") + kEnd);
  late.exchange.transaction.on_deadline();
  EXPECT_EQ(late.refused(), "store-unavailable");
  late.exchange.vault.answer(ResolveStatus::ok);
  late.exchange.transaction.on_resolved();
  EXPECT_FALSE(late.asked());
}

TEST(Upload, WhatIsProtectedComesFirst) {
  for (const char* name : {"email", "name"}) {
    Streaming s(kPolicy);
    s.send(file("cv", "c") + part(name, "jane@example.org") + kEnd);
    EXPECT_EQ(s.refused(), "late-field");
    EXPECT_FALSE(s.asked());
  }
  Streaming empty(kPolicy);
  empty.send(file("cv", "c") + part("email", "") + kEnd);
  EXPECT_EQ(empty.refused(), "late-field") << "whatever its value";
  Streaming plain(kPolicy);
  plain.send(file("cv", "c") + part("note", "x") + part("old", "x") + file("cv", "d") + kEnd);
  EXPECT_TRUE(plain.exchange.up.ended);
}

TEST(Upload, AnyOrderProtectsBehindAFileToo) {
  Streaming s(kAnyOrder);
  s.send_pieces({file("cv", kLong), part("email", "jane@example.org"),
                 part("name", "Jane") + file("cv", "d"), part("name", "June") + kEnd});
  ASSERT_TRUE(s.asked());
  s.exchange.up.handler->on_piece_sent();
  ASSERT_EQ(s.exchange.vault.batches.size(), 1U);
  EXPECT_EQ(s.exchange.down.pieces.size(), 1U) << "the stream pauses while the vault is asked";
  EXPECT_FALSE(s.exchange.up.ended);
  s.answer_vault();
  ASSERT_EQ(s.exchange.vault.batches.size(), 2U);
  s.answer_vault();
  ASSERT_TRUE(s.exchange.up.ended);
  for (const char* clear : {"Jane", "June", "jane"})
    EXPECT_EQ(s.body().find(clear), std::string::npos);
  EXPECT_NE(s.body().find("name=\"name\"\r\n\r\npvv1"), std::string::npos);
}

TEST(Upload, ALateVaultFailureBreaksTheUpstreamOff) {
  Streaming s(kAnyOrder);
  s.send(file("cv", kLong) + part("name", "Jane") + kEnd);
  s.exchange.up.handler->on_piece_sent();
  s.answer_vault(ResolveStatus::store_unavailable);
  EXPECT_EQ(s.refused(), "store-unavailable");
  EXPECT_TRUE(s.broken_off());
  EXPECT_EQ(s.exchange.up.body.find("Jane"), std::string::npos);
}

// Bodies that are refused: early, before the upstream has heard of them; and late, when it has.
TEST(Upload, AFaultNeverComesToACleanEnd) {
  const std::tuple<std::string, const char*> cases[] = {
      {part("unknown", "x") + kEnd, "unlisted-field"},
      {file("unknown", "x") + kEnd, "unlisted-field"},
      {file("note", "x") + kEnd, "unsupported-type"},
      {file("never", "x") + kEnd, "refused-field"},
      {part("cv", "no file") + kEnd, "refused-field"},
      {file("cv", "x", "") + kEnd, "unsupported-type"},
      {"--B\r\nX: y\r\n\r\nx\r\n--B--\r\n", "malformed-body"},
      {part("note", "pvd1qqqqqqqqqq"), "malformed-body"},
      {file("cv", "x"), "malformed-body"},
      {file("cv", "x", "y", "Content-Type: multipart/mixed\r\n") + kEnd, "unsupported-type"},
      {file("cv", "x", "y", "Content-Transfer-Encoding: base64\r\n") + kEnd, "unsupported-type"},
      {file("cv", "x", "y", "Content-Length: 2\r\n") + kEnd, "malformed-body"},
      {file("photo", "no picture", "x.jpg") + kEnd, "transform-failed"},
      {file("photo", "GIF89a and more") + kEnd, "transform-failed"},
      {file("photo", "\xFF\xD8\xFF\xDA and no whole picture") + kEnd, "transform-failed"},
      {part("note", std::string(1 << 20, 'x')) + kEnd, "too-large"},
      {file("cv", "x", "y", "X-A: " + std::string(5000, 'x') + "\r\n") + kEnd, "too-large"},
  };
  for (const auto& [body, reason] : cases) {
    Streaming early(kPolicy);
    early.send(body);
    EXPECT_EQ(early.refused(), reason) << body.substr(0, 100);
    EXPECT_FALSE(early.asked());
    EXPECT_FALSE(early.exchange.down.kept_alive);
    Streaming late(kPolicy);
    late.send(file("cv", kLong) + body);
    if (late.exchange.down.sent.empty()) late.exchange.up.handler->on_piece_sent();
    EXPECT_EQ(late.refused(), reason) << body.substr(0, 100);
    EXPECT_TRUE(late.broken_off());
    EXPECT_FALSE(late.exchange.down.kept_alive);
    EXPECT_EQ(late.exchange.all_requests(), 1U);
  }
}

TEST(Upload, AFaultOfTheStreamNeverComesToACleanEnd) {
  for (const auto& [status, reason] :
       {std::pair(BodyStatus::timeout, "timeout"), std::pair(BodyStatus::framing, "framing"),
        std::pair(BodyStatus::too_large, "too-large")}) {
    for (const bool begun : {false, true}) {
      Streaming s(kPolicy);
      s.send_pieces({file("cv", begun ? kLong : "x")}, false);
      if (begun) s.exchange.up.handler->on_piece_sent();
      s.exchange.transaction.on_body({status, {}});
      EXPECT_EQ(s.refused(), reason);
      EXPECT_EQ(s.asked(), begun);
      EXPECT_FALSE(s.exchange.up.ended);
      EXPECT_EQ(s.exchange.up.cancels, begun ? 1 : 0);
    }
  }
}

TEST(Upload, AClientThatGoesAwayBreaksTheUpstreamOff) {
  for (const bool waiting_for_it : {true, false}) {
    Streaming s(kPolicy);
    s.send_pieces({file("cv", kLong)}, false);
    if (waiting_for_it) {
      s.exchange.up.handler->on_piece_sent();
      s.exchange.transaction.on_body({BodyStatus::gone, {}});
    } else {
      s.exchange.transaction.on_client_gone();
    }
    EXPECT_TRUE(s.broken_off());
    EXPECT_EQ(s.exchange.down.sent, "");
    EXPECT_EQ(s.exchange.down.finishes, 1);
    EXPECT_EQ(s.exchange.requests(telemetry::Outcome::aborted), 1U);
  }
}

TEST(Upload, AnEarlyAnswerIsRelayedAndTheRestLeftUnread) {
  Streaming s(kPolicy);
  s.send_pieces({file("cv", kLong)}, false);
  s.exchange.up.handler->on_piece_sent();
  s.exchange.up.handler->on_response(s.exchange.response(413, BodyFraming::length, 2), "no", true);
  EXPECT_TRUE(s.exchange.down.sent.starts_with("HTTP/1.1 413 Said"));
  EXPECT_NE(s.exchange.down.sent.find("Connection: close"), std::string::npos);
  EXPECT_FALSE(s.exchange.down.kept_alive);
  EXPECT_EQ(s.exchange.down.finishes, 1);
  s.exchange.transaction.on_body({BodyStatus::more, "late"});
  EXPECT_FALSE(s.exchange.up.ended);
}

TEST(Upload, AnUpstreamThatFailsIsA502) {
  Streaming s(kPolicy);
  s.send_pieces({file("cv", kLong)}, false);
  s.exchange.up.handler->on_failure(UpstreamFailure::unreachable);
  EXPECT_EQ(s.refused(), "upstream-failed");
  EXPECT_FALSE(s.exchange.down.kept_alive);
  EXPECT_EQ(s.exchange.up.cancels, 0) << "its handle is dead";
}

TEST(Upload, FilesAreLimitedTogether) {
  Streaming s(kPolicy);
  auto& limits = const_cast<Limits&>(s.exchange.worker->snapshot->limits);
  limits.file_bytes = 300'000;
  s.send(file("cv", kLong) + file("cv", std::string(100'000, 'x')) + kEnd);
  if (!s.exchange.up.ended) s.exchange.up.handler->on_piece_sent();
  EXPECT_TRUE(s.exchange.up.ended);
  Streaming more(kPolicy);
  const_cast<Limits&>(more.exchange.worker->snapshot->limits).file_bytes = 300'000;
  more.send(file("cv", kLong) + file("cv", std::string(100'001, 'x')) + kEnd);
  if (more.exchange.down.sent.empty()) more.exchange.up.handler->on_piece_sent();
  EXPECT_EQ(more.refused(), "too-large");
  EXPECT_FALSE(more.exchange.up.ended);
}

TEST(Upload, ADeclaredLengthIsRefusedBeforeAnythingIsRead) {
  Streaming s(kPolicy);
  const_cast<Limits&>(s.exchange.worker->snapshot->limits).file_bytes = 1000;
  const_cast<Limits&>(s.exchange.worker->snapshot->limits).form_bytes = 1000;
  s.send(file("cv", kLong) + kEnd);
  EXPECT_EQ(s.refused(), "too-large");
  EXPECT_EQ(s.exchange.down.stream_limit, 0U) << "read_body was not called";
}

TEST(Upload, CodingsAreNotStreamed) {
  Streaming s(kPolicy);
  s.exchange.start(multipart_post("x", "Content-Encoding: gzip\r\n"), true);
  EXPECT_EQ(s.refused(), "unsupported-encoding");
}

TEST(Upload, RequiredPartsAreDemanded) {
  const std::string policy = policy_text(
      "      multipart.note: { do: keep, required: true }\n"
      "      multipart.cv: { file: pass, required: true }\n"
      "      multipart.more: { file: pass }\n");
  const auto outcome = [&policy](const std::string& body) {
    Streaming s(policy);
    s.send(body);
    return s.exchange.up.ended ? "sent" : s.refused();
  };
  EXPECT_EQ(outcome(part("note", "x") + file("more", "x") + file("cv", "x") + kEnd), "sent");
  EXPECT_EQ(outcome(file("cv", kLong) + part("note", "x") + kEnd), "missing-field");
  EXPECT_EQ(outcome(part("note", "x") + file("more", "x") + kEnd), "missing-field");
  EXPECT_EQ(outcome(part("note", "x") + file("cv", "", "") + kEnd), "missing-field")
      << "an input for a file that was left alone";
}

TEST(Upload, AnInputLeftAloneIsAnEmptyField) {
  Streaming s(kPolicy);
  s.send(file("cv", "", "") + file("gone", "", "") + part("both", "text") + kEnd);
  EXPECT_EQ(s.body(), file("cv", "", "") + file("gone", "", "") + part("both", "text") + kEnd);
}

// Readers of mail look for the name there too.
TEST(Upload, NoNameLeavesWithTheType) {
  const std::string rule = "      multipart.a: { file: pass }\n";
  const std::string kept = rule + "      multipart.a > file-name: { do: keep }\n";
  const auto sent = [](const std::string& rules, const std::string& type) {
    Streaming s(policy_text(rules));
    s.send(file("a", "1", "marie.pdf", "Content-Type: " + type + "\r\n") + kEnd);
    return s.asked() ? std::string("sent") : s.refused();
  };
  for (const char* type :
       {"application/pdf; name=\"marie.pdf\"", "application/pdf; NAME=marie", "text/plain; name*=x",
        "text/plain; charset=utf-8;; filename=marie.pdf", "application/pdf; name*0=marie"}) {
    EXPECT_EQ(sent(rule, type), "unsupported-type") << type;
    EXPECT_EQ(sent(kept, type), "sent") << type;
  }
  for (const char* type : {"application/pdf", "text/plain; charset=utf-8", "text/plain; names=1",
                           "application/pdf;", "text/plain; charset=utf-8; format=flowed "}) {
    EXPECT_EQ(sent(rule, type), "sent") << type;
  }
}

TEST(Upload, NamesBecomeWhatTheirRuleSays) {
  const std::string policy = policy_text(
      "      multipart.a: { file: pass }\n"
      "      multipart.a > file-name: { do: replace, with: upload }\n"
      "      multipart.b: { file: pass }\n"
      "      multipart.b > file-name: { kind: name, do: tokenise }\n"
      "      multipart.c: { file: pass }\n"
      "      multipart.c > file-name: { do: encrypt }\n"
      "      multipart.d: { file: pass }\n"
      "      multipart.d > file-name: { do: refuse }\n"
      "      multipart.e: { file: pass }\n"
      "      multipart.e > file-name: { kind: phone, do: pseudonymise, on-error: drop }\n"
      "      multipart.f: { file: pass }\n"
      "      multipart.f > file-name: { kind: phone, do: pseudonymise, on-error: mask }\n"
      "      multipart.g: { file: pass }\n"
      "      multipart.g > file-name: { kind: phone, do: pseudonymise }\n");
  Streaming s(policy);
  s.send(file("a", "1", "x.JPG") + file("b", "2") + file("c", "3", "a.dupont") + file("e", "4") +
         file("f", "5", "x.png") + kEnd);
  s.answer_vault();
  const std::string body = s.body();
  EXPECT_NE(body.find("filename=\"upload.jpg\"\r\n\r\n1"), std::string::npos) << body;
  EXPECT_NE(body.find("filename=\"pvv1"), std::string::npos);
  EXPECT_NE(body.find(".pdf\"\r\n\r\n2"), std::string::npos);
  EXPECT_NE(body.find("filename=\"pve_"), std::string::npos);
  EXPECT_EQ(body.find("dupont"), std::string::npos)
      << "an ending that says no type is part of the name";
  EXPECT_NE(body.find("filename=\"file.pdf\"\r\n\r\n4"), std::string::npos) << "on-error: drop";
  EXPECT_NE(body.find(".png\"\r\n\r\n5"), std::string::npos) << "on-error: mask";
  Streaming refused(policy);
  refused.send(file("d", "1") + kEnd);
  EXPECT_EQ(refused.refused(), "refused-field");
  Streaming failed(policy);
  failed.send(file("g", "1") + kEnd);
  EXPECT_EQ(failed.refused(), "transform-failed");
}

TEST(Upload, UnreadablePicturesPassWhereTheRuleSaysSo) {
  const std::string policy = policy_text(
      "      multipart.p: { file: pass, metadata: strip, unreadable: pass }\n"
      "      multipart.p > file-name: { do: keep }\n");
  for (const std::string& content :
       {std::string("GIF89a and more"), std::string("no picture"), std::string("x"), std::string(),
        std::string("\xFF\xD8\xFF\x02 broken at once"),
        std::string("\xFF\xD8\xFF\xE1\0\x03z and broken", 17),
        std::string("\xFF\xD8\xFF\xDA\0\x02 cut off", 15)}) {
    Streaming s(policy);
    s.send(file("p", content, "x.jpg") + kEnd);
    ASSERT_TRUE(s.exchange.up.ended) << s.refused();
    if (content.find("and broke") == std::string::npos) {
      EXPECT_EQ(s.body(), file("p", content, "x.jpg") + kEnd);
    }
  }
}

// Encrypted under a key that only the vault of the exchange could open: here it is enough that the
// format is kept, that nothing is clear, and that each file has a key of its own.
TEST(Upload, ContentsAreEncryptedOnTheirWay) {
  const std::string policy = policy_text(
      "      multipart.note: { do: keep }\n"
      "      multipart.id: { file: encrypt }\n"
      "      multipart.id > file-name: { do: keep }\n");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{5}, std::size_t{65'536}, std::size_t{300'000}}) {
    const std::string content = std::string(size, 'x');
    Streaming s(policy);
    s.send(part("note", "hi") +
           file("id", content, "a.pdf", "Content-Length: " + std::to_string(size) + "\r\n") +
           part("note", "between") + file("id", content, "b.pdf") + kEnd);
    while (s.asked() && !s.exchange.up.ended) s.exchange.up.handler->on_piece_sent();
    const std::string body = s.body();
    ASSERT_NE(body, "") << s.refused();
    EXPECT_EQ(body.find("xxxxxxxxxxxx"), std::string::npos);
    EXPECT_EQ(body.find("Content-Length"), std::string::npos);
    EXPECT_NE(body.find("\r\n\r\nhi\r\n"), std::string::npos);
    EXPECT_NE(body.find("\r\n\r\nbetween\r\n"), std::string::npos);
    const std::size_t first = body.find("\r\n\r\nparavent-file-1\npve_");
    const std::size_t second = body.find("\r\n\r\nparavent-file-1\npve_", first + 1);
    ASSERT_NE(second, std::string::npos);
    const auto token_at = [&body](std::size_t at) {
      const std::size_t begin = body.find("pve_", at);
      return body.substr(begin, body.find('\n', begin) - begin);
    };
    EXPECT_NE(token_at(first), token_at(second));
    const std::size_t content_begin = first + 4;
    const std::size_t content_end = body.find("\r\n--B\r\n", content_begin);
    EXPECT_EQ(content_end - content_begin,
              16 + token_at(first).size() + 1 + 24 + size + 17 * (size / 65'536 + 1));
    EXPECT_EQ(s.exchange.fields("multipart.id > content"), 2U);
  }
}

TEST(Upload, ABoundContentAsksForThePersonsKey) {
  const std::string policy = policy_text(
      "      multipart.email: { kind: email, do: tokenise }\n"
      "      multipart.id: { file: encrypt }\n"
      "      multipart.id > content: { do: encrypt, erasable: subject }\n",
      "    subject: multipart.email\n");
  Streaming s(policy);
  s.send(part("email", "jane@example.org") + file("id", kLong) + file("id", "second") + kEnd);
  ASSERT_EQ(s.exchange.vault.batches.size(), 1U);
  ASSERT_TRUE(s.exchange.vault.batches[0]->subject.has_value());
  EXPECT_TRUE(s.exchange.vault.batches[0]->subject->needs_key);
  s.answer_vault(ResolveStatus::sealed);
  EXPECT_EQ(s.refused(), "sealed");
}

TEST(Upload, TheQueryAndHeadersAreThoseOfTheFirstPiece) {
  const std::string policy = policy_text(
      "      query.q: { kind: email, do: tokenise, mode: derived }\n"
      "      header.X-Who: { kind: name, do: pseudonymise }\n"
      "      multipart.cv: { file: pass }\n");
  Streaming s(policy);
  s.exchange.down.pieces = {file("cv", "a") + file("cv", kLong) + file("cv", kLong) + kEnd};
  s.exchange.start(
      request_text("POST /f?q=jane%40example.org",
                   "X-Who: Jane\r\nDigest: x\r\nContent-Type: multipart/form-data; boundary=B\r\n",
                   std::string(600'000, 'x')),
      true);
  while (s.asked() && !s.exchange.up.ended) s.exchange.up.handler->on_piece_sent();
  EXPECT_TRUE(s.exchange.up.head.starts_with("POST /f?q=pvd1")) << s.exchange.up.head;
  EXPECT_NE(s.exchange.up.head.find("X-Who: pvh1"), std::string::npos);
  EXPECT_EQ(s.exchange.up.head.find("Digest"), std::string::npos);
  EXPECT_NE(s.body(), "");
}

}  // namespace
}  // namespace paravent::proxy::testing
