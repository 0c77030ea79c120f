// A transaction that carries exchanges of one connection after another: nothing of the earlier one
// is seen by the later one, and one that is under way is never lent.

#include "proxy/net/transaction_pool.h"

#include <gtest/gtest.h>

#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {
namespace {

const std::string kPolicy = policy_text(
    "      form.email: { kind: email, do: tokenise, mode: derived }\n"
    "      form.note: { do: keep }\n");

// Carries one form to its answer through a transaction of the pool.
void carry(net::TransactionPool& pool, const Exchange& world, const std::string& form,
           FakeDownstream& down, FakeUpstream& up) {
  auto transaction = pool.take(down, up);
  const ReadRequest read(form_post(form));
  down.received = {BodyStatus::complete, read.body()};
  transaction->start(read.head(), world.worker);
  ASSERT_EQ(transaction->phase(), Phase::forward);
  up.handler->on_response(world.response(200, BodyFraming::length, 2), "ok", true);
  pool.give(std::move(transaction));
}

TEST(TransactionPool, TheNextConnectionSeesNothingOfTheOneBefore) {
  const Exchange world(kPolicy);
  net::TransactionPool pool;
  FakeDownstream first_down;
  FakeDownstream second_down;
  FakeUpstream first_up;
  FakeUpstream second_up;
  carry(pool, world, "email=jane%40example.org&note=of+the+first", first_down, first_up);
  const std::string first_answer = first_down.sent;
  carry(pool, world, "note=of+the+second", second_down, second_up);
  EXPECT_EQ(second_up.body, "note=of+the+second");
  EXPECT_EQ(second_down.sent, first_answer);
  EXPECT_EQ(second_down.finishes, 1);
  // Whoever had it before is not spoken to.
  EXPECT_EQ(first_down.sent, first_answer);
  EXPECT_EQ(first_down.finishes, 1);
  EXPECT_EQ(first_up.exchanges, 1);
}

TEST(TransactionPool, WhatWasRefusedIsAsGoodAsNew) {
  const Exchange world(kPolicy);
  net::TransactionPool pool;
  FakeDownstream refused;
  FakeUpstream unasked;
  auto transaction = pool.take(refused, unasked);
  transaction->refuse_unread(Reason::timeout, world.worker);
  EXPECT_EQ(refused.finishes, 1);
  pool.give(std::move(transaction));
  FakeDownstream down;
  FakeUpstream up;
  carry(pool, world, "note=hi", down, up);
  EXPECT_EQ(unasked.exchanges, 0);
  EXPECT_TRUE(down.sent.starts_with("HTTP/1.1 200")) << down.sent;
}

TEST(TransactionPool, TheLastUsedIsTheNext) {
  net::TransactionPool pool;
  FakeDownstream down;
  FakeUpstream up;
  auto one = pool.take(down, up);
  auto two = pool.take(down, up);
  const Transaction* const last = two.get();
  pool.give(std::move(one));
  pool.give(std::move(two));
  EXPECT_EQ(pool.take(down, up).get(), last);
}

TEST(TransactionPoolDeathTest, AnExchangeUnderWayIsNotGivenBack) {
  const Exchange world(kPolicy);
  net::TransactionPool pool;
  FakeDownstream down;
  FakeUpstream up;
  auto transaction = pool.take(down, up);
  const ReadRequest read(form_post("note=hi"));
  down.received = {BodyStatus::complete, read.body()};
  transaction->start(read.head(), world.worker);
  EXPECT_DEATH(pool.give(std::move(transaction)), "");
}

}  // namespace
}  // namespace paravent::proxy::testing
