// Session tickets over real handshakes, while their keys grow old. No hour is waited for:
// TicketKeys is told the time by whoever asks, and here the test asks in between.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/tls/openssl_handles.h"
#include "proxy/net/tls/ticket_keys.h"
#include "proxy/net/tls/tls_stream.h"
#include "tests/proxy/net/tls_testing.h"

namespace paravent::proxy::net::tls {
namespace {

using namespace std::chrono_literals;
using Ticket = std::vector<std::uint8_t>;

struct FreeSession {
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

class Tickets : public testing::TestWithParam<int> {
 protected:
  // One visit of a client that is plain OpenSSL.
  struct Visit {
    bool resumed = false;
    Ticket ticket;  // the last one it was given
    Session session;
  };

  std::shared_ptr<const ServerContext> make_context() const {
    ServerOptions options;
    options.certificates = {made_.issue("a.example")};
    options.tickets = keys_;
    std::vector<std::string> warnings;
    return ServerContext::make(options, warnings).value();
  }

  // `earlier`: shows the ticket that it got then.
  Visit visit(const Visit* earlier = nullptr) {
    const auto sockets = socket_pair();
    const auto server = TlsStream::accept(context_, sockets[0].get());
    const Handle<SSL> client(SSL_new(clients_.get()));
    SSL_set_fd(client.get(), sockets[1].get());
    SSL_set_connect_state(client.get());
    if (earlier != nullptr) SSL_set_session(client.get(), earlier->session.get());
    EXPECT_EQ(shake_hands(*server, client.get()), HandshakeStatus::done);
    // Of TLS 1.3 the tickets come with the first answer.
    std::array<char, 2> text = {'h', 'i'};
    iovec part{text.data(), text.size()};
    EXPECT_EQ(server->send({&part, 1}).bytes, text.size());
    EXPECT_EQ(SSL_read(client.get(), text.data(), 2), 2);
    EXPECT_EQ(SSL_version(client.get()), GetParam());
    EXPECT_EQ(server->resumed(), SSL_session_reused(client.get()) == 1);
    Visit result{server->resumed(), {}, Session(SSL_get1_session(client.get()))};
    const unsigned char* ticket = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(result.session.get(), &ticket, &size);
    result.ticket.assign(ticket, ticket + size);
    SSL_shutdown(client.get());  // a session that ends without is not resumed
    return result;
  }

  // Lets the keys believe that so much time is over. The key in use by then is the one for new
  // tickets from now on.
  TicketKeys::Name pass(std::chrono::minutes time) {
    return keys_->current(TicketKeys::Clock::now() + time)->name;
  }
  // A ticket begins with its key's name (RFC 5077 4).
  static bool is_under(const Ticket& ticket, const TicketKeys::Name& name) {
    return ticket.size() > name.size() && std::equal(name.begin(), name.end(), ticket.begin());
  }

  const Certificates made_;
  std::shared_ptr<TicketKeys> keys_ = std::make_shared<TicketKeys>();
  std::shared_ptr<const ServerContext> context_ = make_context();
  const Handle<SSL_CTX> clients_ = [] {
    Handle<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), GetParam());
    SSL_CTX_set_max_proto_version(context.get(), GetParam());
    return context;
  }();
};

TEST_P(Tickets, OfThePresentKeyResume) {
  const Visit first = visit();
  EXPECT_FALSE(first.resumed);
  const Visit second = visit(&first);
  EXPECT_TRUE(second.resumed);
  // Under TLS 1.3 a ticket is for one connection; before that it serves for as long as its key.
  EXPECT_EQ(second.ticket == first.ticket, GetParam() == TLS1_2_VERSION);
}

TEST_P(Tickets, OfTheLastKeyResumeAndANewOneIsGiven) {
  const Visit first = visit();
  EXPECT_TRUE(is_under(first.ticket, pass(59min)));
  const TicketKeys::Name now = pass(61min);
  EXPECT_FALSE(is_under(first.ticket, now));
  const Visit second = visit(&first);
  EXPECT_TRUE(second.resumed);
  EXPECT_TRUE(is_under(second.ticket, now));
  EXPECT_TRUE(visit(&second).resumed);
}

TEST_P(Tickets, OfADroppedKeyAreForNothingAndANewOneIsGiven) {
  const Visit first = visit();
  const TicketKeys::Name now = pass(181min);
  const Visit second = visit(&first);
  EXPECT_FALSE(second.resumed);
  EXPECT_TRUE(is_under(second.ticket, now));
  EXPECT_TRUE(visit(&second).resumed);
}

// As those of another process are, or of this one before its last start.
TEST_P(Tickets, OfAKeyThatWasNeverHereAreForNothing) {
  const Visit first = visit();
  keys_ = std::make_shared<TicketKeys>();
  context_ = make_context();
  EXPECT_FALSE(visit(&first).resumed);
}

TEST_P(Tickets, OutliveTheCertificateThatTheyWereGivenUnder) {
  const Visit first = visit();
  context_ = make_context();
  EXPECT_TRUE(visit(&first).resumed);
}

INSTANTIATE_TEST_SUITE_P(Versions, Tickets, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace paravent::proxy::net::tls
