// No heap allocation per request once the buffers have grown: whole transactions over doubles that
// allocate nothing themselves.

#include <gtest/gtest.h>

#include "tests/proxy/pipeline/transaction_testing.h"
#include "tests/support/allocation_counter.h"

namespace paravent::proxy::testing {
namespace {

std::uint64_t allocated_by(Exchange& exchange, const ReadRequest& request, int times) {
  const ResponseHead answer = exchange.response(200, BodyFraming::length, 2);
  const std::uint64_t before = paravent::testing::allocations();
  for (int i = 0; i < times; ++i) {
    exchange.down.sent.clear();
    exchange.down.limits.clear();
    exchange.down.received = {BodyStatus::complete, request.body()};
    exchange.transaction.start(request.head(), exchange.worker);
    if (exchange.transaction.phase() == Phase::forward) {
      exchange.up.handler->on_response(answer, "ok", true);
    }
  }
  return paravent::testing::allocations() - before;
}

TEST(SteadyState, TransactionsAllocateNothing) {
  Exchange exchange(
      policy_text("      form.email: { kind: email, do: tokenise, mode: derived }\n"
                  "      form.phone: { kind: phone, do: tokenise, mode: derived }\n"
                  "      form.name: { kind: name, do: pseudonymise }\n"
                  "      form.message: { do: encrypt }\n"
                  "      form.submit: { do: keep }\n"
                  "      header.User-Agent: { do: generalise, to: browser-family }\n"
                  "      json.email: { kind: email, do: tokenise, mode: derived }\n"
                  "      cookie.id: { do: drop }\n",
                  "    unlisted: encrypt\n    client-address: truncate\n",
                  "elsewhere: { methods: [GET], upstream: http://127.0.0.1:9000, do: pass }\n"));
  const std::string form =
      "email=jane%40example.org&phone=%2B33612345678&name=Jane+Doe&message=Hello+there&submit=1&x="
      "y";
  const std::string agent = "User-Agent: Mozilla/5.0 Firefox/128.0\r\nCookie: id=1; b=2\r\n";
  const ReadRequest protect(form_post(form, agent));
  const ReadRequest json(json_post(R"({"email":"jane@example.org","n":[1,2,{"k":"v"}]})", agent));
  const ReadRequest refused(json_post(R"({"email":"jane"})"));
  const ReadRequest pass(request_text("GET /f?page=2", ""));
  for (const ReadRequest* request : {&protect, &json, &refused, &pass}) {
    SCOPED_TRACE(std::string(request->head().method_text) + " " + std::string(request->body()));
    allocated_by(exchange, *request, 5);
    EXPECT_EQ(allocated_by(exchange, *request, 50), 0U);
    EXPECT_FALSE(exchange.down.sent.empty());
  }
  EXPECT_EQ(exchange.fields("form.email"), 55U);
  // The count does count: a longer value than any before needs room.
  const ReadRequest longer(form_post("message=" + std::string(20'000, 'x')));
  EXPECT_GT(allocated_by(exchange, longer, 1), 0U);
}

// All but shifted-date: it needs a subject, and a route with one asks the vault for each request.
TEST(SteadyState, NoTransformationAllocates) {
  Exchange exchange(policy_text(
      "      form.who: { do: encrypt }\n"
      "      form.cid: { do: pseudonymise, shape: digits.digits, scope: request, space: cid }\n"
      "      form.with: { do: pseudonymise, scope: relationship, relationship: form.who }\n"
      "      form.ip: { kind: ip, do: tokenise, mode: ipcrypt-ndx }\n"
      "      form.net: { kind: ip, do: truncate, ipv4-bits: 24 }\n"
      "      form.order: { do: tokenise, mode: derived, shape: preserve, space: o, because: x }\n"
      "      form.born: { do: generalise, to: year }\n"
      "      form.age: { do: generalise, to: age-band }\n"
      "      form.place: { do: generalise, to: grid }\n"
      "      form.sum: { do: generalise, to: bins, step: '100' }\n"
      "      form.cp: { do: generalise, to: department }\n"
      "      form.page: { do: generalise, to: url, keep-query: [a], templates: ['/u/*'] }\n"
      "      form.hidden: { do: mask, show-first: 2 }\n"
      "      header.User-Agent: { do: generalise, to: browser-version }\n"
      "      header.Accept-Language: { do: generalise, to: language }\n",
      "    client-address: pseudonym\n"));
  const ReadRequest request(
      form_post("who=Jane&cid=17&with=acme&ip=192.0.2.7&net=2002:c633:6407::1&order=2026112100&"
                "born=21%2F11%2F1984&age=1950-01-01&place=48.85,2.35&sum=249.9&"
                "cp=20200&page=https://shop.example/u/7?a=1%26b=2&hidden=Jean-Baptiste",
                "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0\r\n"
                "Accept-Language: fr-CA,fr;q=0.9\r\n"));
  allocated_by(exchange, request, 5);
  EXPECT_EQ(allocated_by(exchange, request, 50), 0U);
  EXPECT_EQ(exchange.fields("form.hidden"), 55U) << exchange.down.sent;
}

}  // namespace
}  // namespace paravent::proxy::testing
