// What leaves together: the messages of a handshake, and a session's tickets with the first answer.

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/tls/socket_bio.h"
#include "proxy/net/tls/ticket_keys.h"
#include "proxy/net/tls/tls_stream.h"
#include "tests/proxy/net/tls_testing.h"

namespace paravent::proxy::net::tls {
namespace {

// Without waiting for anything.
std::string arrived(int fd) {
  std::string text(300'000, '\0');
  const ssize_t n = ::recv(fd, text.data(), text.size(), MSG_DONTWAIT);
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return text;
}

// A server of ours and a client that is plain OpenSSL.
class Flights : public testing::Test {
 protected:
  Flights() {
    ServerOptions options;
    options.certificates = {made_.issue("a.example")};
    options.tickets = std::make_shared<TicketKeys>();
    std::vector<std::string> warnings;
    auto context = ServerContext::make(options, warnings);
    EXPECT_TRUE(context) << context.error().sentence();
    server_ = TlsStream::accept(*context, sockets_[0].get());
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context_.get(), 0);
  }

  void connect(int version) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    client_.reset(SSL_new(context_.get()));
    SSL_set_fd(client_.get(), sockets_[1].get());
    SSL_set_connect_state(client_.get());
  }

  // Until both are done or one has failed.
  HandshakeStatus shake() {
    auto here = HandshakeStatus::would_block;
    for (int i = 0; i < 20; ++i) {
      connected_ = SSL_do_handshake(client_.get()) == 1;
      server_->on_readable(false);
      if (here == HandshakeStatus::would_block) here = server_->handshake();
    }
    return here;
  }

  void answer(std::string_view text) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    EXPECT_EQ(server_->send({&part, 1}).bytes, text.size());
  }

  Certificates made_;
  std::array<UniqueFd, 2> sockets_ = socket_pair();
  std::unique_ptr<TlsStream> server_;
  Handle<SSL_CTX> context_;
  Handle<SSL> client_;
  bool connected_ = false;
};

TEST_F(Flights, TicketsLeaveWithTheFirstAnswerInOnePiece) {
  connect(TLS1_3_VERSION);
  ASSERT_EQ(shake(), HandshakeStatus::done);
  ASSERT_TRUE(connected_);
  char byte = 0;
  EXPECT_EQ(::recv(sockets_[1].get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1) << "sent too early";
  answer("hello");
  std::array<char, 16> room{};
  ASSERT_EQ(SSL_read(client_.get(), room.data(), room.size()), 5);
  SSL_SESSION* const session = SSL_get0_session(client_.get());
  EXPECT_EQ(SSL_SESSION_is_resumable(session), 1);
  answer("again");
  EXPECT_EQ(arrived(sockets_[1].get()).size(), 5U + 5 + 1 + 16);  // one record and nothing else
}

TEST_F(Flights, WhoHasNoAnswerGetsThemWithTheEnd) {
  connect(TLS1_3_VERSION);
  ASSERT_EQ(shake(), HandshakeStatus::done);
  server_->close_notify();
  std::array<char, 16> room{};
  EXPECT_EQ(SSL_read(client_.get(), room.data(), room.size()), 0);
  EXPECT_EQ(SSL_get_error(client_.get(), 0), SSL_ERROR_ZERO_RETURN);
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(client_.get())), 1);
}

// Of TLS 1.2 the client waits for the server's last message before it asks for anything.
TEST_F(Flights, OlderHandshakesWaitForNoAnswer) {
  connect(TLS1_2_VERSION);
  EXPECT_EQ(shake(), HandshakeStatus::done);
  EXPECT_TRUE(connected_);
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(client_.get())), 1);
}

TEST_F(Flights, WhyAHandshakeFailedIsSaid) {
  connect(TLS1_1_VERSION);
  EXPECT_EQ(shake(), HandshakeStatus::failed);
  const std::string alert = arrived(sockets_[1].get());
  const unsigned long said = ERR_peek_last_error();
  EXPECT_TRUE(alert.starts_with("\x15") ||
              ERR_GET_REASON(said) == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
      << ERR_reason_error_string(said);
  ERR_clear_error();
}

class HeldBytes : public testing::Test {
 protected:
  HeldBytes() {
    state_.fd = sockets_[0].get();
    state_.budget = 100;
    state_.holding = true;
    bio_ = make_socket_bio(*methods_, state_);
  }

  bool write(std::string_view text) {
    std::size_t put = 0;
    return BIO_write_ex(bio_.get(), text.data(), text.size(), &put) == 1 && put == text.size();
  }
  bool read() {
    char byte = 0;
    std::size_t got = 0;
    return BIO_read_ex(bio_.get(), &byte, 1, &got) == 1;
  }

  std::array<UniqueFd, 2> sockets_ = socket_pair();
  SocketState state_;
  Handle<BIO_METHOD> methods_ = make_socket_methods();
  Handle<BIO> bio_;
};

TEST_F(HeldBytes, LeaveTogetherWhenSomethingIsToBeRead) {
  ASSERT_TRUE(write("one"));
  ASSERT_TRUE(write("two"));
  EXPECT_EQ(arrived(sockets_[1].get()), "");
  EXPECT_FALSE(read());
  EXPECT_TRUE(BIO_should_read(bio_.get()));
  EXPECT_EQ(arrived(sockets_[1].get()), "onetwo");
}

TEST_F(HeldBytes, AreNotMoreThanAFlight) {
  ASSERT_TRUE(write(std::string(10'000, 'a')));
  ASSERT_TRUE(write(std::string(10'000, 'b')));
  EXPECT_EQ(arrived(sockets_[1].get()), std::string(10'000, 'a') + std::string(10'000, 'b'));
  EXPECT_EQ(state_.held.capacity(), 0U);
}

TEST_F(HeldBytes, AFullSocketGetsThemLater) {
  const std::string junk(4096, 'j');
  std::size_t filled = 0;
  for (ssize_t n = 0; n >= 0; n = ::send(state_.fd, junk.data(), junk.size(), MSG_DONTWAIT)) {
    filled += static_cast<std::size_t>(n);
  }
  ASSERT_TRUE(write("held"));
  EXPECT_FALSE(read());
  EXPECT_TRUE(BIO_should_read(bio_.get()));
  EXPECT_EQ(flush_held(state_), FlushStatus::would_block);
  // Neither does what is written behind them overtake.
  state_.holding = false;
  EXPECT_FALSE(write("more"));
  EXPECT_TRUE(BIO_should_write(bio_.get()));
  std::string seen;
  while (seen.size() < filled) seen += arrived(sockets_[1].get());
  ASSERT_TRUE(write("more"));
  EXPECT_EQ(arrived(sockets_[1].get()), "heldmore");
}

TEST_F(HeldBytes, ABrokenSocketFails) {
  ASSERT_TRUE(write("held"));
  sockets_[1].reset();
  EXPECT_FALSE(read());
  EXPECT_FALSE(BIO_should_retry(bio_.get()));
  EXPECT_EQ(flush_held(state_), FlushStatus::failed);
}

}  // namespace
}  // namespace paravent::proxy::net::tls
