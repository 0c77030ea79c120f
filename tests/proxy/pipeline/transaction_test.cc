// The nine phases with doubles on every side: what waits, what goes on, what is counted, and that a
// request which is refused never reaches the upstream.

#include <gtest/gtest.h>

#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {
namespace {

using crypto::vault::ResolveStatus;
using telemetry::Outcome;

const std::string kPolicy = policy_text(
    "      form.email: { kind: email, do: tokenise, mode: derived }\n"
    "      form.name: { kind: name, do: tokenise }\n"
    "      form.note: { do: keep }\n",
    "", "elsewhere: { methods: [GET, HEAD, PUT], upstream: http://127.0.0.1:9000, do: pass }\n");
const std::string kDerived = form_post("email=jane%40example.org&note=hi");
const std::string kMinted = form_post("name=Jane&note=hi");

TEST(Transaction, DerivedFieldsNeedNobody) {
  Exchange exchange(kPolicy);
  exchange.start(kDerived);
  EXPECT_EQ(exchange.transaction.phase(), Phase::forward);
  EXPECT_EQ(exchange.down.limits, std::vector<std::size_t>{1024 * 1024});
  EXPECT_TRUE(exchange.vault.batches.empty());
  EXPECT_EQ(exchange.up.exchanges, 1);
  EXPECT_TRUE(exchange.up.body.starts_with("email=pvd1")) << exchange.up.body;
  EXPECT_TRUE(exchange.up.body.ends_with("&note=hi"));
  EXPECT_EQ(exchange.up.body.find("jane"), std::string::npos);
  EXPECT_EQ(exchange.all_requests(), 0U);

  exchange.up.handler->on_response(exchange.response(200, BodyFraming::length, 2), "ok", true);
  EXPECT_EQ(exchange.down.sent, "HTTP/1.1 200 Said\r\nX-App: 1\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(exchange.down.last_sent);
  EXPECT_EQ(exchange.down.finishes, 1);
  EXPECT_TRUE(exchange.down.kept_alive);
  EXPECT_EQ(exchange.transaction.phase(), Phase::idle);
  EXPECT_EQ(exchange.requests(Outcome::forwarded), 1U);
  EXPECT_EQ(exchange.all_requests(), 1U);
  EXPECT_EQ(exchange.fields("form.email"), 1U);
  EXPECT_EQ(exchange.fields("form.name"), 0U);
  EXPECT_EQ(exchange.up.cancels, 0);
}

TEST(Transaction, TheBodyMayComeLater) {
  Exchange exchange(kPolicy);
  exchange.start(kDerived, true);
  EXPECT_EQ(exchange.transaction.phase(), Phase::receive);
  EXPECT_EQ(exchange.up.exchanges, 0);
  exchange.transaction.on_body({BodyStatus::complete, exchange.body()});
  EXPECT_EQ(exchange.transaction.phase(), Phase::forward);
  EXPECT_EQ(exchange.up.exchanges, 1);
  exchange.transaction.on_body(
      {BodyStatus::complete, exchange.body()});  // late: nothing waits for it
  EXPECT_EQ(exchange.up.exchanges, 1);
}

TEST(Transaction, ABodyThatDoesNotArriveIsRefused) {
  const std::tuple<BodyStatus, Reason, const char*> cases[] = {
      {BodyStatus::too_large, Reason::too_large, "413"},
      {BodyStatus::timeout, Reason::timeout, "408"},
      {BodyStatus::framing, Reason::framing, "400"}};
  for (const bool pending : {false, true}) {
    for (const auto& [status, reason, code] : cases) {
      Exchange exchange(kPolicy);
      const ReadRequest request(kDerived);
      exchange.down.received = pending ? ReceivedBody{} : ReceivedBody{status, {}};
      exchange.transaction.start(request.head(), exchange.worker);
      if (pending) exchange.transaction.on_body({status, {}});
      EXPECT_TRUE(exchange.down.sent.starts_with(std::string("HTTP/1.1 ") + code));
      EXPECT_EQ(exchange.down.finishes, 1);
      EXPECT_FALSE(exchange.down.kept_alive)
          << "what is left of the body stands where a head would";
      EXPECT_EQ(exchange.up.exchanges, 0);
      EXPECT_EQ(exchange.refusals(reason), 1U);
      EXPECT_EQ(exchange.requests(Outcome::refused), 1U);
      EXPECT_EQ(exchange.all_requests(), 1U);
    }
  }
}

TEST(Transaction, TheVaultAnswersLater) {
  Exchange exchange(kPolicy);
  exchange.start(kMinted);
  EXPECT_EQ(exchange.transaction.phase(), Phase::resolve);
  EXPECT_EQ(exchange.up.exchanges, 0);
  EXPECT_EQ(exchange.down.deadline, 5000U);
  ASSERT_EQ(exchange.vault.batches.size(), 1U);
  const auto& batch = *exchange.vault.batches[0];
  ASSERT_EQ(batch.jobs.size(), 1U);
  EXPECT_EQ(batch.value(batch.jobs[0]), "Jane");
  exchange.transaction.on_resolved();  // not yet: somebody else's wake-up
  EXPECT_EQ(exchange.transaction.phase(), Phase::resolve);
  exchange.vault.answer(ResolveStatus::ok);
  EXPECT_EQ(exchange.down.resumes, 1);
  exchange.transaction.on_resolved();
  EXPECT_EQ(exchange.transaction.phase(), Phase::forward);
  EXPECT_EQ(exchange.down.deadline, 0U);
  EXPECT_TRUE(exchange.up.body.starts_with("name=pvv1")) << exchange.up.body;
  EXPECT_EQ(exchange.fields("form.name"), 1U);
  exchange.transaction.on_deadline();  // long cleared
  EXPECT_EQ(exchange.transaction.phase(), Phase::forward);
}

TEST(Transaction, TheVaultsRefusalsAreOurs) {
  const std::pair<ResolveStatus, Reason> cases[] = {
      {ResolveStatus::sealed, Reason::sealed},
      {ResolveStatus::overloaded, Reason::overloaded},
      {ResolveStatus::store_unavailable, Reason::store_unavailable}};
  for (const auto& [status, reason] : cases) {
    Exchange exchange(kPolicy);
    exchange.start(kMinted);
    exchange.vault.answer(status);
    exchange.transaction.on_resolved();
    EXPECT_TRUE(exchange.down.sent.starts_with("HTTP/1.1 503 ")) << exchange.down.sent;
    EXPECT_NE(exchange.down.sent.find(reason_label(reason)), std::string::npos);
    EXPECT_EQ(exchange.down.sent.find("Jane"), std::string::npos);
    EXPECT_TRUE(exchange.down.kept_alive) << "the body was read: the connection is sound";
    EXPECT_EQ(exchange.up.exchanges, 0);
    EXPECT_EQ(exchange.refusals(reason), 1U);
    EXPECT_EQ(exchange.requests(Outcome::failed), 1U);
    EXPECT_EQ(exchange.fields("form.name"), 0U);
  }
}

TEST(Transaction, AVaultThatSaysNothing) {
  Exchange exchange(kPolicy);
  exchange.start(kMinted);
  exchange.transaction.on_deadline();
  EXPECT_EQ(exchange.refusals(Reason::store_unavailable), 1U);
  EXPECT_EQ(exchange.up.exchanges, 0);
  EXPECT_EQ(exchange.down.finishes, 1);
  // Its late answer finds nobody, and the next request is not mistaken for the last.
  exchange.start(kMinted);
  ASSERT_EQ(exchange.vault.batches.size(), 2U);
  exchange.vault.batches[0]->status = ResolveStatus::ok;
  exchange.transaction.on_resolved();
  EXPECT_EQ(exchange.transaction.phase(), Phase::resolve);
  EXPECT_EQ(exchange.up.exchanges, 0);
}

TEST(Transaction, SealedRoutesRefuseAndTheOthersPass) {
  Exchange exchange(kPolicy);
  auto sealed = std::make_shared<Snapshot>();
  sealed->plan = exchange.worker->snapshot->plan;
  sealed->keys_available = false;
  auto state = make_worker_state(sealed, &exchange.vault, nullptr, exchange.worker.get());
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ((*state)->counters, exchange.worker->counters);
  exchange.worker = *state;
  exchange.start(kDerived);
  EXPECT_EQ(exchange.refusals(Reason::sealed), 1U);
  EXPECT_TRUE(exchange.down.limits.empty())
      << "nobody reads the body of a request that cannot go on";
  EXPECT_FALSE(exchange.down.kept_alive);
  EXPECT_EQ(exchange.up.exchanges, 0);
  exchange.start(request_text("GET /page", ""));
  EXPECT_EQ(exchange.up.exchanges, 1);
}

TEST(Transaction, ASealedRouteThatNeedsNoKeyGoesOn) {
  Exchange exchange(policy_text("      form.note: { do: keep }\n      form.email: { do: drop }\n"));
  auto sealed = std::make_shared<Snapshot>();
  sealed->plan = exchange.worker->snapshot->plan;
  sealed->keys_available = false;
  auto state = make_worker_state(sealed, nullptr, nullptr, exchange.worker.get());
  ASSERT_TRUE(state.has_value());
  exchange.worker = *state;
  exchange.start(kDerived);
  EXPECT_EQ(exchange.up.exchanges, 1);
  EXPECT_EQ(exchange.up.body, "note=hi");
}

TEST(Transaction, WhatIsSealedWhileItsBodyOrItsTokenComesIsRefused) {
  {
    Exchange exchange(kPolicy);
    exchange.start(kDerived, true);
    exchange.worker->forget_keys();
    exchange.transaction.on_body({BodyStatus::complete, exchange.body()});
    EXPECT_EQ(exchange.refusals(Reason::sealed), 1U);
    EXPECT_EQ(exchange.up.exchanges, 0);
  }
  {
    Exchange exchange(kPolicy);
    exchange.start(kMinted);
    ASSERT_EQ(exchange.vault.batches.size(), 1U);
    exchange.worker->forget_keys();
    exchange.vault.batches[0]->status = ResolveStatus::ok;
    exchange.transaction.on_resolved();
    EXPECT_EQ(exchange.refusals(Reason::sealed), 1U);
    EXPECT_EQ(exchange.up.exchanges, 0);
  }
  Exchange exchange(kPolicy);
  exchange.worker->forget_keys();
  exchange.start(request_text("GET /page", ""));
  EXPECT_EQ(exchange.up.exchanges, 1) << "a route without keys goes on under the same state";
}

TEST(Transaction, ARefusedRequestNeverReachesTheUpstream) {
  const std::tuple<std::string, Reason, bool> cases[] = {
      {request_text("POST /nowhere", ""), Reason::no_route, false},
      {request_text("DELETE /f", ""), Reason::method, false},
      {request_text("PUT /f", ""), Reason::method, false},
      {request_text("POST /f", "Content-Type: image/png\r\n", "x"), Reason::unsupported_type, true},
      {form_post("a=%zz"), Reason::malformed_body, true},
      {form_post("a;b"), Reason::malformed_body, true},
      {form_post("other=1"), Reason::unlisted_field, true},
      {form_post("email=not+an+address"), Reason::transform_failed, true},
  };
  for (const auto& [text, reason, routed] : cases) {
    Exchange exchange(kPolicy);
    exchange.start(text);
    EXPECT_EQ(exchange.up.exchanges, 0) << text;
    EXPECT_TRUE(exchange.vault.batches.empty());
    EXPECT_EQ(exchange.down.finishes, 1);
    EXPECT_EQ(exchange.down.sends, 1);
    EXPECT_TRUE(exchange.down.last_sent);
    EXPECT_EQ(exchange.all_requests(), 1U);
    std::uint64_t counted = 0;
    for (std::size_t route = 0; route < exchange.worker->counters->route_count(); ++route) {
      counted +=
          exchange.worker->counters->refusals(route, static_cast<std::size_t>(reason)).read();
    }
    EXPECT_EQ(counted, 1U) << text;
    EXPECT_EQ(exchange.refusals(reason, false), routed ? 0U : 1U) << text;
    EXPECT_EQ(exchange.fields("form.email"), 0U);
  }
}

TEST(Transaction, AWrongMethodIsAnsweredWithTheRightOnes) {
  Exchange exchange(kPolicy);
  exchange.start(request_text("DELETE /f", ""));
  EXPECT_NE(exchange.down.sent.find("\r\nAllow: GET, HEAD, POST\r\n"), std::string::npos)
      << exchange.down.sent;
}

TEST(Transaction, ALaterRefusalFindsNothingOfTheEarlierRequest) {
  Exchange exchange(kPolicy);
  exchange.start(kDerived);
  exchange.up.handler->on_response(exchange.response(200, BodyFraming::none), "", true);
  exchange.start(form_post("other=1"));
  exchange.start(kDerived);
  EXPECT_EQ(exchange.up.exchanges, 2);
  EXPECT_TRUE(exchange.up.body.ends_with("&note=hi"));
  exchange.up.handler->on_response(exchange.response(200, BodyFraming::none), "", true);
  EXPECT_EQ(exchange.fields("form.email"), 2U);
  EXPECT_EQ(exchange.down.finishes, 3);
}

TEST(Transaction, WhatHasNoHeadIsRefusedAndCounted) {
  Exchange exchange(kPolicy);
  exchange.transaction.refuse_unread(Reason::headers_too_large, exchange.worker);
  EXPECT_TRUE(exchange.down.sent.starts_with("HTTP/1.1 431 "));
  EXPECT_FALSE(exchange.down.kept_alive);
  EXPECT_EQ(exchange.refusals(Reason::headers_too_large, false), 1U);
  EXPECT_EQ(exchange.requests(Outcome::refused, false), 1U);
}

TEST(Transaction, PassedRequestsAreCountedApart) {
  Exchange exchange(kPolicy);
  exchange.start(request_text("GET /page", ""));
  EXPECT_EQ(exchange.up.exchanges, 1);
  exchange.up.handler->on_response(exchange.response(200, BodyFraming::length, 1), "x", true);
  const auto& routes = exchange.worker->snapshot->plan->routes();
  ASSERT_EQ(routes.at(1)->name, "elsewhere");
  EXPECT_EQ(exchange.worker->counters->requests(1, Outcome::passed).read(), 1U);
  EXPECT_EQ(exchange.all_requests(), 1U);
}

TEST(ClientGone, InEveryPhase) {
  {
    Exchange exchange(kPolicy);
    exchange.start(kDerived, true);
    exchange.transaction.on_body({BodyStatus::gone, {}});
    EXPECT_EQ(exchange.down.finishes, 1);
    EXPECT_EQ(exchange.down.sent, "");
    EXPECT_EQ(exchange.requests(Outcome::aborted), 1U);
    EXPECT_EQ(exchange.up.exchanges, 0);
  }
  {
    Exchange exchange(kPolicy);
    exchange.start(kMinted);
    exchange.transaction.on_client_gone();
    EXPECT_EQ(exchange.down.finishes, 1);
    EXPECT_EQ(exchange.requests(Outcome::aborted), 1U);
    exchange.vault.answer(ResolveStatus::ok);
    exchange.transaction.on_resolved();
    EXPECT_EQ(exchange.up.exchanges, 0) << "a request whose client left went on";
    EXPECT_EQ(exchange.down.finishes, 1);
  }
  {
    Exchange exchange(kPolicy);
    exchange.start(kDerived);
    exchange.transaction.on_client_gone();
    EXPECT_EQ(exchange.up.cancels, 1);
    EXPECT_EQ(exchange.down.finishes, 1);
    EXPECT_FALSE(exchange.down.kept_alive);
    EXPECT_EQ(exchange.requests(Outcome::aborted), 1U);
  }
  {
    Exchange exchange(kPolicy);
    exchange.start(kDerived);
    exchange.down.send_status = SendStatus::gone;
    exchange.up.handler->on_response(exchange.response(200, BodyFraming::length, 9), "part", false);
    EXPECT_EQ(exchange.up.cancels, 1);
    EXPECT_EQ(exchange.requests(Outcome::aborted), 1U);
    EXPECT_EQ(exchange.all_requests(), 1U);
  }
  {
    Exchange exchange(kPolicy);
    exchange.start(kDerived);
    exchange.down.send_status = SendStatus::pending;
    exchange.up.handler->on_response(exchange.response(200, BodyFraming::length, 9), "part", false);
    EXPECT_EQ(exchange.down.finishes, 0);
    exchange.transaction.on_sent(false);
    EXPECT_EQ(exchange.up.cancels, 1);
    EXPECT_EQ(exchange.down.finishes, 1);
    EXPECT_EQ(exchange.requests(Outcome::aborted), 1U);
    exchange.transaction.on_client_gone();  // idle: nothing to end
    EXPECT_EQ(exchange.down.finishes, 1);
  }
}

TEST(ClientGone, DestroyingTheTransactionCancels) {
  Exchange exchange(kPolicy);
  const ReadRequest request(kDerived);
  {
    Transaction own(exchange.down, exchange.up);
    exchange.down.received = {BodyStatus::complete, request.body()};
    own.start(request.head(), exchange.worker);
    EXPECT_EQ(own.phase(), Phase::forward);
    EXPECT_EQ(exchange.up.cancels, 0);
  }
  EXPECT_EQ(exchange.up.cancels, 1);
}

}  // namespace
}  // namespace paravent::proxy::testing
