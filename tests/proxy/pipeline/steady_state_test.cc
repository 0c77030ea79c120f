// No heap allocation per request once the buffers have grown: whole transactions over doubles that
// allocate nothing themselves. A binary of its own, because it replaces operator new.

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "tests/proxy/pipeline/transaction_testing.h"

namespace {
std::size_t allocations = 0;  // a test's own count; one thread but for the vault's, which sleeps
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
// The other forms too: a library that uses one of them must not meet the sanitizer's on the way
// back.
void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace paravent::proxy::testing {
namespace {

std::size_t allocated_by(Exchange& exchange, const ReadRequest& request, int times) {
  const ResponseHead answer = exchange.response(200, BodyFraming::length, 2);
  const std::size_t before = allocations;
  for (int i = 0; i < times; ++i) {
    exchange.down.sent.clear();
    exchange.down.limits.clear();
    exchange.down.received = {BodyStatus::complete, request.body()};
    exchange.transaction.start(request.head(), exchange.worker);
    if (exchange.transaction.phase() == Phase::forward) {
      exchange.up.handler->on_response(answer, "ok", true);
    }
  }
  return allocations - before;
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

}  // namespace
}  // namespace paravent::proxy::testing
