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
    EXPECT_EQ(shake_hands(*server, client.get()), HandshakeStatus::done);
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
  // Two ticks without a use.
  void rest() {
    warm_.end_tick();
    warm_.end_tick();
  }

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

// Within the record's head, at its end (CVE-2024-4741), and within its body.
class TlsWarmHalf : public TlsWarm, public testing::WithParamInterface<int> {};

TEST_P(TlsWarmHalf, OfARecordIsNotLost) {
  const auto one = pair(&warm_);
  one->exchange("hello");
  // What the client writes, in two pieces.
  std::array<UniqueFd, 2> aside = socket_pair();
  SSL_set_fd(one->client.get(), aside[0].get());
  ASSERT_EQ(SSL_write(one->client.get(), "in two", 6), 6);
  std::array<char, 256> record{};
  const ssize_t size = ::recv(aside[1].get(), record.data(), record.size(), 0);
  ASSERT_GT(size, 10);
  const auto first = static_cast<std::size_t>(GetParam());
  ASSERT_EQ(::send(one->sockets[1].get(), record.data(), first, 0), GetParam());
  EXPECT_EQ(one->receive(), "");
  rest();
  EXPECT_EQ(warm_.size(), 0U);
  EXPECT_EQ(warm_.stuck(), 1U);
  EXPECT_EQ(buffers(), 2U) << "what has arrived lies in one of them";
  const std::size_t left = static_cast<std::size_t>(size) - first;
  ASSERT_EQ(::send(one->sockets[1].get(), record.data() + first, left, 0), size - GetParam());
  EXPECT_EQ(one->receive(), "in two");
  EXPECT_EQ(warm_.stuck(), 0U);
  rest();
  EXPECT_EQ(buffers(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Places, TlsWarmHalf, testing::Values(3, 5, 10));

TEST_F(TlsWarm, WhatIsLeftOfARecordThatWasReadInPartIsNotLost) {
  const auto one = pair(&warm_);
  ASSERT_EQ(SSL_write(one->client.get(), "read in two", 11), 11);
  std::array<char, 4> room{};
  one->server->on_readable(false);
  ASSERT_EQ(one->server->receive(room).bytes, 4U);
  rest();
  EXPECT_EQ(warm_.stuck(), 1U);
  EXPECT_EQ(one->receive(), " in two");
  rest();
  EXPECT_EQ(buffers(), 0U);
}

TEST_F(TlsWarm, WhatTheSocketDidNotTakeIsNotLost) {
  const auto one = pair(&warm_);
  std::string large_text(3'000'000, 'x');
  iovec part{large_text.data(), large_text.size()};
  std::size_t sent = one->server->send({&part, 1}).bytes;
  ASSERT_LT(sent, large_text.size());
  rest();
  EXPECT_EQ(warm_.stuck(), 1U);
  std::string got;
  std::string room(65'536, '\0');
  for (int turn = 0; got.size() < large_text.size() && turn < 10'000; ++turn) {
    const int n = SSL_read(one->client.get(), room.data(), static_cast<int>(room.size()));
    if (n > 0) got.append(room.data(), static_cast<std::size_t>(n));
    if (sent == large_text.size()) continue;
    iovec more{large_text.data() + sent, large_text.size() - sent};
    sent += one->server->send({&more, 1}).bytes;
  }
  EXPECT_TRUE(got == large_text) << got.size();
  rest();
  EXPECT_EQ(warm_.stuck(), 0U);
  EXPECT_EQ(buffers(), 0U);
}

// Who cannot let go is counted: so many, and no further stream keeps its buffers.
TEST_F(TlsWarm, WhoIsStuckIsBounded) {
  std::vector<std::unique_ptr<Pair>> stuck;
  for (std::size_t i = 0; i < WarmStreams::kMost; ++i) {
    stuck.push_back(pair(&warm_));
    stuck.back()->exchange("hello");
    ASSERT_EQ(SSL_write(stuck.back()->client.get(), "read in two", 11), 11);
    std::array<char, 4> room{};
    stuck.back()->server->on_readable(false);
    ASSERT_EQ(stuck.back()->server->receive(room).bytes, 4U);
  }
  rest();
  ASSERT_EQ(warm_.stuck(), WarmStreams::kMost);
  const std::size_t taken = buffers();
  EXPECT_LE(taken, 2 * WarmStreams::kMost);
  const auto one = pair(&warm_);
  one->exchange("hello");
  EXPECT_EQ(buffers(), taken) << "as without warmth";
  stuck.pop_back();
  one->exchange("hello");
  EXPECT_EQ(warm_.size(), 1U);
  EXPECT_EQ(warm_.stuck(), WarmStreams::kMost - 1);
}

}  // namespace
}  // namespace paravent::proxy::net::tls
