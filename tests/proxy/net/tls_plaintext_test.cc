// No plaintext is left in what OpenSSL frees: its blocks are looked through as it lets go of them.

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/tls/openssl_handles.h"
#include "proxy/net/tls/tls_stream.h"
#include "proxy/net/tls/warm_streams.h"
#include "tests/proxy/net/tls_testing.h"

namespace paravent::proxy::net::tls {
namespace {

constexpr std::string_view kSecret = "adele.martin@example.fr";
constexpr std::size_t kLarge = 16'384;

std::size_t large_freed = 0;  // blocks of a record's size
std::size_t found = 0;        // blocks with kSecret in them

void look_at(void* block) {
  if (block == nullptr) return;
  const std::string_view all(static_cast<const char*>(block), ::malloc_usable_size(block));
  if (all.size() >= kLarge) ++large_freed;
  if (all.find(kSecret) != std::string_view::npos) ++found;
}

// Zeroed: what another program part left is not OpenSSL's.
void* allocate(std::size_t size, const char*, int) { return std::calloc(1, size); }

void release(void* block, const char*, int) {
  look_at(block);
  std::free(block);
}

void* reallocate(void* block, std::size_t size, const char* file, int line) {
  if (size == 0) {
    release(block, file, line);
    return nullptr;
  }
  void* const moved = std::calloc(1, size);
  if (block == nullptr || moved == nullptr) return moved;
  std::memcpy(moved, block, std::min(size, ::malloc_usable_size(block)));
  release(block, file, line);
  return moved;
}

// By the protocol's version, and whether the server's stream keeps its buffers.
struct Kind {
  int version;
  bool warm;
};

class TlsPlaintext : public testing::TestWithParam<Kind> {
 protected:
  static void SetUpTestSuite() {
    static const bool ours = CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
    ASSERT_TRUE(ours);
  }
  void SetUp() override {
    ServerOptions options;
    options.certificates = {made_.issue("a.example")};
    std::vector<std::string> warnings;
    auto context = ServerContext::make(options, warnings);
    ASSERT_TRUE(context) << context.error().sentence();
    // The client is of ours as well in what it wipes: only the server is asked about.
    clients_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_options(clients_.get(), SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_min_proto_version(clients_.get(), GetParam().version);
    SSL_CTX_set_max_proto_version(clients_.get(), GetParam().version);
    server_ = TlsStream::accept(*context, sockets_[0].get());
    if (GetParam().warm) server_->keep_warm(warm_);
    client_.reset(SSL_new(clients_.get()));
    SSL_set_fd(client_.get(), sockets_[1].get());
    SSL_set_connect_state(client_.get());
    auto here = HandshakeStatus::would_block;
    for (int i = 0; i < 20 && here == HandshakeStatus::would_block; ++i) {
      SSL_do_handshake(client_.get());
      server_->on_readable(false);
      here = server_->handshake();
    }
    ASSERT_EQ(here, HandshakeStatus::done);
    SSL_do_handshake(client_.get());
    found = large_freed = 0;
  }

  std::string text() const { return "email=" + std::string(kSecret) + "&name=Ad"; }
  void client_sends(const std::string& what) {
    ASSERT_EQ(SSL_write(client_.get(), what.data(), static_cast<int>(what.size())),
              static_cast<int>(what.size()));
  }
  // Into room that is looked through by nobody.
  std::string server_receives(std::size_t most) {
    std::string room(most, '\0');
    server_->on_readable(false);
    const TlsResult got = server_->receive(room);
    room.resize(got.bytes);
    return room;
  }
  // Whatever it holds has to have been looked at.
  void server_goes() {
    server_.reset();
    EXPECT_GT(large_freed, 0U) << "no record's block was freed: the test looks at the wrong place";
    EXPECT_EQ(found, 0U);
  }

  Certificates made_;
  std::array<UniqueFd, 2> sockets_ = socket_pair();
  WarmStreams warm_;
  Handle<SSL_CTX> clients_;
  std::unique_ptr<TlsStream> server_;
  Handle<SSL> client_;
};

TEST_P(TlsPlaintext, OfWhatWasRead) {
  client_sends(text());
  EXPECT_EQ(server_receives(1000), text());
  server_goes();
}

TEST_P(TlsPlaintext, OfWhatWasReadInPieces) {
  client_sends(text());
  EXPECT_EQ(server_receives(4) + server_receives(20) + server_receives(1000), text());
  server_goes();
}

TEST_P(TlsPlaintext, OfWhatNobodyCameToRead) {
  client_sends(text());
  EXPECT_EQ(server_receives(4), text().substr(0, 4));
  server_goes();
}

TEST_P(TlsPlaintext, OfSeveralRecordsThatCameAtOnce) {
  for (int i = 0; i < 5; ++i) client_sends(text());
  EXPECT_EQ(server_receives(text().size()), text());
  EXPECT_EQ(server_receives(7), text().substr(0, 7));
  server_goes();
}

TEST_P(TlsPlaintext, OfWhatCameAfterTheBuffersWereGivenBack) {
  client_sends(text());
  EXPECT_EQ(server_receives(1000), text());
  warm_.end_tick();
  warm_.end_tick();
  EXPECT_EQ(found, 0U);
  client_sends(text());
  EXPECT_EQ(server_receives(5), text().substr(0, 5));
  server_goes();
}

TEST_P(TlsPlaintext, OfWhatWasSent) {
  std::string answer = text();
  iovec part{answer.data(), answer.size()};
  ASSERT_EQ(server_->send({&part, 1}).bytes, answer.size());
  server_goes();
}

TEST_P(TlsPlaintext, OfWhatTheSocketDidNotTake) {
  std::string answer;
  while (answer.size() < 3'000'000) answer += text();
  iovec part{answer.data(), answer.size()};
  ASSERT_LT(server_->send({&part, 1}).bytes, answer.size());
  server_goes();
}

// What the test would find if nobody wiped.
TEST_P(TlsPlaintext, IsFoundWhereItIs) {
  SSL_clear_options(client_.get(), SSL_OP_CLEANSE_PLAINTEXT);
  std::string answer = text();
  iovec part{answer.data(), answer.size()};
  ASSERT_EQ(server_->send({&part, 1}).bytes, answer.size());
  std::array<char, 200> room{};
  ASSERT_EQ(SSL_read(client_.get(), room.data(), room.size()), static_cast<int>(answer.size()));
  client_.reset();
  EXPECT_GT(found, 0U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, TlsPlaintext,
                         testing::Values(Kind{TLS1_3_VERSION, false}, Kind{TLS1_3_VERSION, true},
                                         Kind{TLS1_2_VERSION, false}, Kind{TLS1_2_VERSION, true}),
                         [](const auto& kind) {
                           return std::string(kind.param.version == TLS1_3_VERSION ? "Tls13"
                                                                                   : "Tls12") +
                                  (kind.param.warm ? "Warm" : "");
                         });

}  // namespace
}  // namespace paravent::proxy::net::tls
