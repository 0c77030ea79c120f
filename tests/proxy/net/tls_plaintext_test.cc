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

#include "proxy/net/tls/client_context.h"
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

// The protocol's version, whether our stream keeps its buffers, and whether it is the one that
// connects, as to an upstream.
struct Kind {
  int version;
  bool warm;
  bool connects;
};

// One of our streams, and one of plain OpenSSL at the other end. It wipes as ours should, so that
// what is found is of ours.
class TlsPlaintext : public testing::TestWithParam<Kind> {
 protected:
  static void SetUpTestSuite() {
    static const bool ours = CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
    ASSERT_TRUE(ours);
  }
  void SetUp() override {
    const CertificateFiles files = made_.issue("a.example");
    if (GetParam().connects) {
      connect(files);
    } else {
      accept(files);
    }
    ASSERT_NE(ours_, nullptr);
    if (GetParam().warm) ours_->keep_warm(warm_);
    ASSERT_EQ(shake_hands(*ours_, theirs_.get()), HandshakeStatus::done);
    ASSERT_EQ(SSL_is_init_finished(theirs_.get()), 1);
    found = large_freed = 0;
  }

  void make_theirs(const SSL_METHOD* method) {
    contexts_.reset(SSL_CTX_new(method));
    SSL_CTX_set_options(contexts_.get(), SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_min_proto_version(contexts_.get(), GetParam().version);
    SSL_CTX_set_max_proto_version(contexts_.get(), GetParam().version);
  }
  void accept(const CertificateFiles& files) {
    ServerOptions options;
    options.certificates = {files};
    std::vector<std::string> warnings;
    auto context = ServerContext::make(options, warnings);
    ASSERT_TRUE(context) << context.error().sentence();
    ours_ = TlsStream::accept(*context, sockets_[0].get());
    make_theirs(TLS_client_method());
    theirs_.reset(SSL_new(contexts_.get()));
    SSL_set_fd(theirs_.get(), sockets_[1].get());
    SSL_set_connect_state(theirs_.get());
  }
  void connect(const CertificateFiles& files) {
    ClientOptions options;
    options.server_name = "a.example";
    options.ca = made_.authority();
    std::vector<std::string> warnings;
    auto context = ClientContext::make(options, warnings);
    ASSERT_TRUE(context) << context.error().sentence();
    ours_ = TlsStream::connect(*context, sockets_[0].get());
    make_theirs(TLS_server_method());
    ASSERT_EQ(SSL_CTX_use_certificate_chain_file(contexts_.get(), files.certificate.c_str()), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey_file(contexts_.get(), files.key.c_str(), SSL_FILETYPE_PEM), 1);
    theirs_.reset(SSL_new(contexts_.get()));
    SSL_set_fd(theirs_.get(), sockets_[1].get());
    SSL_set_accept_state(theirs_.get());
  }

  std::string text() const { return "email=" + std::string(kSecret) + "&name=Ad"; }
  void they_send(const std::string& what) {
    ASSERT_EQ(SSL_write(theirs_.get(), what.data(), static_cast<int>(what.size())),
              static_cast<int>(what.size()));
  }
  // Into room that is looked through by nobody.
  std::string we_receive(std::size_t most) {
    std::string room(most, '\0');
    ours_->on_readable(false);
    const TlsResult got = ours_->receive(room);
    room.resize(got.bytes);
    return room;
  }
  // Whatever it holds has to have been looked at.
  void ours_goes() {
    ours_.reset();
    EXPECT_GT(large_freed, 0U) << "no record's block was freed: the test looks at the wrong place";
    EXPECT_EQ(found, 0U);
  }

  Certificates made_;
  std::array<UniqueFd, 2> sockets_ = socket_pair();
  WarmStreams warm_;
  Handle<SSL_CTX> contexts_;
  std::unique_ptr<TlsStream> ours_;
  Handle<SSL> theirs_;
};

TEST_P(TlsPlaintext, OfWhatWasRead) {
  they_send(text());
  EXPECT_EQ(we_receive(1000), text());
  ours_goes();
}

TEST_P(TlsPlaintext, OfWhatWasReadInPieces) {
  they_send(text());
  EXPECT_EQ(we_receive(4) + we_receive(20) + we_receive(1000), text());
  ours_goes();
}

TEST_P(TlsPlaintext, OfWhatNobodyCameToRead) {
  they_send(text());
  EXPECT_EQ(we_receive(4), text().substr(0, 4));
  ours_goes();
}

TEST_P(TlsPlaintext, OfSeveralRecordsThatCameAtOnce) {
  for (int i = 0; i < 5; ++i) they_send(text());
  EXPECT_EQ(we_receive(text().size()), text());
  EXPECT_EQ(we_receive(7), text().substr(0, 7));
  ours_goes();
}

TEST_P(TlsPlaintext, OfWhatCameAfterTheBuffersWereGivenBack) {
  they_send(text());
  EXPECT_EQ(we_receive(1000), text());
  warm_.end_tick();
  warm_.end_tick();
  EXPECT_EQ(found, 0U);
  they_send(text());
  EXPECT_EQ(we_receive(5), text().substr(0, 5));
  ours_goes();
}

TEST_P(TlsPlaintext, OfWhatWasSent) {
  std::string answer = text();
  iovec part{answer.data(), answer.size()};
  ASSERT_EQ(ours_->send({&part, 1}).bytes, answer.size());
  ours_goes();
}

TEST_P(TlsPlaintext, OfWhatTheSocketDidNotTake) {
  std::string answer;
  while (answer.size() < 3'000'000) answer += text();
  iovec part{answer.data(), answer.size()};
  ASSERT_LT(ours_->send({&part, 1}).bytes, answer.size());
  ours_goes();
}

// What the test would find if nobody wiped.
TEST_P(TlsPlaintext, IsFoundWhereItIs) {
  SSL_clear_options(theirs_.get(), SSL_OP_CLEANSE_PLAINTEXT);
  std::string answer = text();
  iovec part{answer.data(), answer.size()};
  ASSERT_EQ(ours_->send({&part, 1}).bytes, answer.size());
  std::array<char, 200> room{};
  ASSERT_EQ(SSL_read(theirs_.get(), room.data(), room.size()), static_cast<int>(answer.size()));
  theirs_.reset();
  EXPECT_GT(found, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, TlsPlaintext,
    testing::Values(Kind{TLS1_3_VERSION, false, false}, Kind{TLS1_3_VERSION, true, false},
                    Kind{TLS1_2_VERSION, false, false}, Kind{TLS1_2_VERSION, true, false},
                    Kind{TLS1_3_VERSION, false, true}, Kind{TLS1_3_VERSION, true, true},
                    Kind{TLS1_2_VERSION, false, true}, Kind{TLS1_2_VERSION, true, true}),
    [](const auto& kind) {
      return std::string(kind.param.version == TLS1_3_VERSION ? "Tls13" : "Tls12") +
             (kind.param.warm ? "Warm" : "") + (kind.param.connects ? "Connecting" : "");
    });

}  // namespace
}  // namespace paravent::proxy::net::tls
