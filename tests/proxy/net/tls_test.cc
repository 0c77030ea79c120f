// TLS over socket pairs: both of our sides against each other, who is trusted, what is sent in how
// many pieces, and how connections end.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <vector>

#include "proxy/net/tls/tls_stream.h"
#include "tests/proxy/net/tls_testing.h"

namespace paravent::proxy::net::tls {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const ServerContext> server_of(const ServerOptions& options) {
  std::vector<std::string> warnings;
  auto made = ServerContext::make(options, warnings);
  EXPECT_TRUE(made) << made.error().sentence();
  return *made;
}

std::shared_ptr<const ClientContext> client_of(const ClientOptions& options) {
  std::vector<std::string> warnings;
  auto made = ClientContext::make(options, warnings);
  EXPECT_TRUE(made) << made.error().sentence();
  return *made;
}

// Both ends of one connection.
struct Pair {
  Pair(std::shared_ptr<const ServerContext> with, std::shared_ptr<const ClientContext> by)
      : server(TlsStream::accept(std::move(with), sockets[0].get())),
        client(TlsStream::connect(std::move(by), sockets[1].get())) {}

  // Until both are done or one has failed.
  bool shake() {
    auto here = HandshakeStatus::would_block;
    auto there = HandshakeStatus::would_block;
    for (int i = 0; i < 20; ++i) {
      client->on_readable(false);
      server->on_readable(false);
      if (there == HandshakeStatus::would_block) there = client->handshake();
      if (here == HandshakeStatus::would_block) here = server->handshake();
    }
    return here == HandshakeStatus::done && there == HandshakeStatus::done;
  }

  std::array<UniqueFd, 2> sockets = socket_pair();
  std::unique_ptr<TlsStream> server;
  std::unique_ptr<TlsStream> client;
};

TlsResult send_text(TlsStream& stream, std::string_view a, std::string_view b = {}) {
  std::array<iovec, 2> parts = {
      iovec{const_cast<char*>(a.data()), a.size()},
      iovec{const_cast<char*>(b.data()), b.size()},
  };
  return stream.send(parts);
}

std::string receive_text(TlsStream& stream, std::size_t room = 100'000) {
  std::string text(room, '\0');
  stream.on_readable(false);
  text.resize(stream.receive(text).bytes);
  return text;
}

TEST(Tls, BothSidesTalk) {
  const Certificates made;
  Pair pair(server_of({{made.issue("a.example")}, {}, {}, {}}),
            client_of({"a.example", made.authority(), {}, {}}));
  ASSERT_TRUE(pair.shake());
  EXPECT_FALSE(pair.server->has_client_certificate());
  EXPECT_EQ(send_text(*pair.client, "hello ", "world").bytes, 11U);
  EXPECT_EQ(receive_text(*pair.server), "hello world");
  std::array<char, 4> room{};
  EXPECT_TRUE(pair.server->receive(room).would_block);
  // A message of several records, taken in pieces.
  const std::string large(50'000, 'x');
  EXPECT_EQ(send_text(*pair.server, "head", large).bytes, 50'004U);
  std::string seen;
  for (std::string piece = "x"; !piece.empty(); seen += piece) {
    piece = receive_text(*pair.client, 777);
  }
  EXPECT_EQ(seen, "head" + large);
}

TEST(Tls, OneMessageIsOneRecord) {
  const Certificates made;
  Pair pair(server_of({{made.issue("a.example")}, {}, {}, {}}),
            client_of({"a.example", made.authority(), {}, {}}));
  ASSERT_TRUE(pair.shake());
  receive_text(*pair.client);  // the tickets
  send_text(*pair.server, std::string(300, 'h'), std::string(5000, 'b'));
  std::array<unsigned char, 8192> raw{};
  const ssize_t n = ::recv(pair.sockets[1].get(), raw.data(), raw.size(), 0);
  ASSERT_GT(n, 5);
  EXPECT_EQ(raw[0], 23);  // application data
  EXPECT_EQ(raw[3] * 256 + raw[4] + 5, n);
}

TEST(Tls, WhatTheSocketDoesNotTakeIsContinued) {
  const Certificates made;
  Pair pair(server_of({{made.issue("a.example")}, {}, {}, {}}),
            client_of({"a.example", made.authority(), {}, {}}));
  ASSERT_TRUE(pair.shake());
  std::string all;
  for (int i = 0; all.size() < 3'000'000; ++i) all += std::to_string(i) + ",";
  std::string_view left = all;
  std::string seen;
  bool blocked = false;
  while (!left.empty()) {
    const TlsResult sent = send_text(*pair.server, left.substr(0, 100), left.substr(100));
    ASSERT_FALSE(sent.failed);
    blocked = blocked || sent.bytes < left.size();
    left.remove_prefix(sent.bytes);
    // A copy: the next try comes from other memory.
    seen += receive_text(*pair.client, 60'000);
  }
  for (std::string piece = "x"; !piece.empty(); seen += piece) piece = receive_text(*pair.client);
  EXPECT_TRUE(blocked);
  EXPECT_EQ(seen.size(), all.size());
  EXPECT_TRUE(seen == all);
}

TEST(Tls, AnEndThatWasSaidIsToldFromOneThatWasNot) {
  const Certificates made;
  for (const bool said : {true, false}) {
    Pair pair(server_of({{made.issue("a.example")}, {}, {}, {}}),
              client_of({"a.example", made.authority(), {}, {}}));
    ASSERT_TRUE(pair.shake());
    send_text(*pair.server, "last");
    if (said) pair.server->close_notify();
    ::shutdown(pair.sockets[0].get(), SHUT_WR);
    pair.client->on_readable(true);
    std::array<char, 100> room{};
    EXPECT_EQ(pair.client->receive(room).bytes, 4U);
    EXPECT_TRUE(pair.client->more_to_read());
    const TlsResult end = pair.client->receive(room);
    EXPECT_EQ(end.end, said);
    EXPECT_EQ(end.failed, !said);
  }
}

TEST(Tls, TheUpstreamsCertificateMustBeForItsNameAndFromAKnownAuthority) {
  const Certificates made;
  const Certificates others;
  const auto server = server_of({{made.issue("a.example")}, {}, {}, {}});
  EXPECT_TRUE(Pair(server, client_of({"a.example", made.authority(), {}, {}})).shake());
  EXPECT_FALSE(Pair(server, client_of({"b.example", made.authority(), {}, {}})).shake());
  EXPECT_FALSE(Pair(server, client_of({"a.example", others.authority(), {}, {}})).shake());
  EXPECT_FALSE(Pair(server, client_of({"a.example", {}, {}, {}})).shake());  // the system's
  EXPECT_FALSE(Pair(server, client_of({"127.0.0.1", made.authority(), {}, {}})).shake());
  const auto address = server_of({{made.issue("127.0.0.1")}, {}, {}, {}});
  EXPECT_TRUE(Pair(address, client_of({"127.0.0.1", made.authority(), {}, {}})).shake());
  EXPECT_FALSE(Pair(address, client_of({"127.0.0.2", made.authority(), {}, {}})).shake());
  const auto old = server_of({{made.issue("old.example", -1)}, {}, {}, {}});
  EXPECT_FALSE(Pair(old, client_of({"old.example", made.authority(), {}, {}})).shake());
}

TEST(Tls, ClientCertificates) {
  const Certificates made;
  const Certificates others;
  const CertificateFiles good = made.issue("dpo");
  const CertificateFiles bad = others.issue("dpo");
  for (const auto asked : {ClientCertificate::requested, ClientCertificate::required}) {
    const auto server = server_of({{made.issue("a.example")}, asked, made.authority(), {}});
    Pair known(server, client_of({"a.example", made.authority(), good.certificate, good.key}));
    ASSERT_TRUE(known.shake());
    EXPECT_TRUE(known.server->has_client_certificate());
    Pair without(server, client_of({"a.example", made.authority(), {}, {}}));
    const bool shaken = without.shake();
    EXPECT_EQ(shaken, asked == ClientCertificate::requested);
    EXPECT_FALSE(shaken && without.server->has_client_certificate());
    Pair foreign(server, client_of({"a.example", made.authority(), bad.certificate, bad.key}));
    EXPECT_FALSE(foreign.shake());
  }
}

TEST(Tls, FaultsOfFilesAreSaid) {
  const Certificates made;
  const CertificateFiles a = made.issue("a.example");
  const CertificateFiles b = made.issue("b.example");
  const std::pair<ServerOptions, const char*> cases[] = {
      {{{}, {}, {}, {}}, "needs a certificate"},
      {{{{made.path("none"), a.key}}, {}, {}, {}}, "none cannot be read"},
      {{{{a.certificate, made.path("none")}}, {}, {}, {}}, "none cannot be read"},
      {{{{a.key, a.key}}, {}, {}, {}}, "no usable certificate"},
      {{{{a.certificate, a.certificate}}, {}, {}, {}}, "no usable private key"},
      {{{{a.certificate, b.key}}, {}, {}, {}}, "does not belong"},
      {{{a, {b.certificate, a.key}}, {}, {}, {}}, "does not belong"},
      {{{a}, ClientCertificate::required, {}, {}}, "client-ca"},
      {{{a}, ClientCertificate::required, a.key, {}}, "no certificate authority"},
  };
  for (const auto& [options, words] : cases) {
    std::vector<std::string> warnings;
    const auto refused = ServerContext::make(options, warnings);
    ASSERT_FALSE(refused) << words;
    EXPECT_EQ(refused.error().kind(), crypto::ErrorKind::configuration);
    EXPECT_NE(refused.error().sentence().find(words), std::string::npos)
        << refused.error().sentence();
  }
  std::vector<std::string> warnings;
  EXPECT_TRUE(ServerContext::make({{made.issue("old.example", -1)}, {}, {}, {}}, warnings));
  EXPECT_TRUE(ServerContext::make({{made.issue("soon.example", 5)}, {}, {}, {}}, warnings));
  std::string all;
  for (const std::string& one : warnings) all += one + "\n";
  EXPECT_NE(all.find("has expired"), std::string::npos) << all;
  EXPECT_NE(all.find("expires in"), std::string::npos) << all;
  EXPECT_NE(all.find("can be read by everybody"), std::string::npos) << all;
}

TEST(TicketKeys, AreMadeEveryHourAndOpenForThree) {
  TicketKeys keys;
  const auto start = TicketKeys::Clock::now();
  const auto first = keys.current(start);
  EXPECT_EQ(keys.current(start + 59min), first);
  const auto second = keys.current(start + 60min);
  EXPECT_NE(second, first);
  EXPECT_NE(second->name, first->name);
  EXPECT_FALSE(crypto::equal_constant_time(second->mac.bytes(), first->mac.bytes()));
  EXPECT_EQ(keys.find(first->name, start + 179min), first);
  EXPECT_EQ(keys.find(first->name, start + 180min), nullptr);
  EXPECT_EQ(keys.find(second->name, start + 180min), second);
  EXPECT_EQ(keys.find(TicketKeys::Name{}, start), nullptr);
}

// Bytes that are no handshake, or too many of them, end it; no more is read than the budget.
TEST(Tls, SenselessAndEndlessHandshakesFail) {
  const Certificates made;
  const auto server = server_of({{made.issue("a.example")}, {}, {}, {}});
  const auto fails = [&server](const std::string& bytes, bool endless) {
    auto sockets = socket_pair();
    auto stream = TlsStream::accept(server, sockets[0].get());
    for (int i = 0; i < 1000; ++i) {
      ::send(sockets[1].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      stream->on_readable(false);
      if (stream->handshake() == HandshakeStatus::failed) return true;
      if (!endless) return false;
    }
    return false;
  };
  EXPECT_TRUE(fails("GET / HTTP/1.1\r\n\r\n", false));
  EXPECT_TRUE(fails(std::string(100, '\0'), false));
  // A ClientHello of 128 KiB, in records of 512 bytes.
  std::string hello("\x16\x03\x01\x02\x00\x01\x01\xff\xff\x03\x03", 11);
  hello += std::string(512 - 6, 'x');
  auto sockets = socket_pair();
  auto stream = TlsStream::accept(server, sockets[0].get());
  ASSERT_GT(::send(sockets[1].get(), hello.data(), hello.size(), MSG_NOSIGNAL), 0);
  const std::string more = std::string("\x16\x03\x01\x02\x00", 5) + std::string(512, 'x');
  HandshakeStatus status = HandshakeStatus::would_block;
  int records = 0;
  for (; status == HandshakeStatus::would_block && records < 1000; ++records) {
    ::send(sockets[1].get(), more.data(), more.size(), MSG_NOSIGNAL);
    stream->on_readable(false);
    status = stream->handshake();
  }
  EXPECT_EQ(status, HandshakeStatus::failed);
  EXPECT_LT(records, 130);
}

}  // namespace
}  // namespace paravent::proxy::net::tls
