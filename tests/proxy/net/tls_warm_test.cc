// Which streams keep their buffers, told by OpenSSL's large blocks that are alive.

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/tls/openssl_handles.h"
#include "proxy/net/tls/tls_stream.h"
#include "proxy/net/tls/warm_streams.h"
#include "tests/proxy/net/tls_testing.h"

namespace paravent::proxy::net::tls {
namespace {

// A record's plaintext has up to so many bytes (RFC 8446 5.1), and its buffer some more.
constexpr std::size_t kRecordSize = 16'384;
std::set<void*> large;

void* allocate(std::size_t size, const char*, int) {
  void* const block = std::malloc(size);
  if (size >= kRecordSize && block != nullptr) large.insert(block);
  return block;
}

void release(void* block, const char*, int) {
  large.erase(block);
  std::free(block);
}

void* reallocate(void* block, std::size_t size, const char* file, int line) {
  if (size == 0) {
    release(block, file, line);
    return nullptr;
  }
  large.erase(block);
  void* const moved = std::realloc(block, size);
  if (size >= kRecordSize && moved != nullptr) large.insert(moved);
  return moved;
}

// A server's stream of ours and a client that is plain OpenSSL and keeps no buffers.
struct Pair {
  Pair(const std::shared_ptr<const ServerContext>& context, SSL_CTX* clients, WarmStreams* warm) {
    server = TlsStream::accept(context, sockets[0].get());
    if (warm != nullptr) server->keep_warm(*warm);
    client.reset(SSL_new(clients));
    SSL_set_fd(client.get(), sockets[1].get());
    SSL_set_connect_state(client.get());
    auto here = HandshakeStatus::would_block;
    for (int i = 0; i < 20 && here == HandshakeStatus::would_block; ++i) {
      SSL_do_handshake(client.get());
      server->on_readable(false);
      here = server->handshake();
    }
    EXPECT_EQ(here, HandshakeStatus::done);
    SSL_do_handshake(client.get());
  }

  std::string receive() {
    std::array<char, 64> room{};
    server->on_readable(false);
    const TlsResult got = server->receive(room);
    return {room.data(), got.bytes};
  }

  // One message there and one back.
  void exchange(std::string_view text) {
    ASSERT_EQ(SSL_write(client.get(), text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
    ASSERT_EQ(receive(), text);
    std::string answer(text);
    iovec part{answer.data(), answer.size()};
    ASSERT_EQ(server->send({&part, 1}).bytes, answer.size());
    std::array<char, 64> room{};
    ASSERT_EQ(SSL_read(client.get(), room.data(), room.size()), static_cast<int>(text.size()));
  }

  std::array<UniqueFd, 2> sockets = socket_pair();
  std::unique_ptr<TlsStream> server;
  Handle<SSL> client;
};

class TlsWarm : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(CRYPTO_set_mem_functions(allocate, reallocate, release), 1);
  }
  TlsWarm() {
    ServerOptions options;
    options.certificates = {made_.issue("a.example")};
    std::vector<std::string> warnings;
    auto context = ServerContext::make(options, warnings);
    EXPECT_TRUE(context) << context.error().sentence();
    context_ = *context;
    clients_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_mode(clients_.get(), SSL_MODE_RELEASE_BUFFERS);
    before_ = large.size();
  }
  std::unique_ptr<Pair> pair(WarmStreams* warm) {
    return std::make_unique<Pair>(context_, clients_.get(), warm);
  }
  std::size_t buffers() const { return large.size() - before_; }

  Certificates made_;
  std::shared_ptr<const ServerContext> context_;
  Handle<SSL_CTX> clients_;
  std::size_t before_ = 0;
  WarmStreams warm_;
};

TEST_F(TlsWarm, AStreamKeepsItsBuffersUntilATickHasPassedWithoutAUse) {
  const auto one = pair(&warm_);
  EXPECT_EQ(buffers(), 0U) << "after the handshake alone";
  one->exchange("hello");
  EXPECT_EQ(buffers(), 2U);
  const std::set<void*> own = large;
  one->exchange("again");
  EXPECT_EQ(large, own) << "the same two";
  warm_.end_tick();
  EXPECT_EQ(buffers(), 2U) << "it was used since the tick before";
  one->exchange("and again");
  warm_.end_tick();
  EXPECT_EQ(buffers(), 2U);
  warm_.end_tick();
  EXPECT_EQ(buffers(), 0U);
  EXPECT_EQ(warm_.size(), 0U);
  one->exchange("later");
  EXPECT_EQ(buffers(), 2U);
}

TEST_F(TlsWarm, OneThatNobodyKeepsWarmHasNone) {
  const auto one = pair(nullptr);
  one->exchange("hello");
  EXPECT_EQ(buffers(), 0U);
}

TEST_F(TlsWarm, OfManyThoseUsedLastAreWarm) {
  std::vector<std::unique_ptr<Pair>> all;
  for (std::size_t i = 0; i < WarmStreams::kMost + 5; ++i) all.push_back(pair(&warm_));
  for (const auto& one : all) one->exchange("hello");
  EXPECT_EQ(warm_.size(), WarmStreams::kMost);
  EXPECT_EQ(buffers(), 2 * WarmStreams::kMost);
  // Those that had to let go, and the others.
  warm_.end_tick();
  for (const auto& one : all) one->exchange("again");
  EXPECT_EQ(warm_.size(), WarmStreams::kMost);
  EXPECT_EQ(buffers(), 2 * WarmStreams::kMost);
}

TEST_F(TlsWarm, OneThatGoesIsForgotten) {
  std::vector<std::unique_ptr<Pair>> all;
  for (int i = 0; i < 3; ++i) all.push_back(pair(&warm_));
  for (const auto& one : all) one->exchange("hello");
  all.erase(all.begin() + 1);
  EXPECT_EQ(warm_.size(), 2U);
  all.erase(all.begin());
  for (const auto& one : all) one->exchange("again");
  warm_.end_tick();
  warm_.end_tick();
  EXPECT_EQ(warm_.size(), 0U);
  EXPECT_EQ(buffers(), 0U);
}

TEST_F(TlsWarm, HalfOfARecordIsNotLost) {
  const auto one = pair(&warm_);
  one->exchange("hello");
  // What the client writes, in two pieces.
  std::array<UniqueFd, 2> aside = socket_pair();
  SSL_set_fd(one->client.get(), aside[0].get());
  ASSERT_EQ(SSL_write(one->client.get(), "in two", 6), 6);
  std::array<char, 256> record{};
  const ssize_t size = ::recv(aside[1].get(), record.data(), record.size(), 0);
  ASSERT_GT(size, 10);
  ASSERT_EQ(::send(one->sockets[1].get(), record.data(), 10, 0), 10);
  EXPECT_EQ(one->receive(), "");
  warm_.end_tick();
  warm_.end_tick();
  EXPECT_EQ(warm_.size(), 0U);
  ASSERT_EQ(
      ::send(one->sockets[1].get(), record.data() + 10, static_cast<std::size_t>(size) - 10, 0),
      size - 10);
  EXPECT_EQ(one->receive(), "in two");
}

}  // namespace
}  // namespace paravent::proxy::net::tls
