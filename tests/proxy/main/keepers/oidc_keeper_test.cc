// Keys of issuers from a file and over HTTP: rotation, an issuer that is away or answers nonsense,
// and that nobody's unknown key makes more than one question in a while.

#include "proxy/main/keepers/oidc_keeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "proxy/admin/admin_server.h"
#include "tests/proxy/admin/admin_testing.h"
#include "tests/proxy/admin/oidc_testing.h"

namespace paravent::proxy::main {
namespace {

using namespace std::chrono_literals;
using admin::SigningKey;

// Serves one text, and counts who asks.
class Publisher final : public admin::AdminHandler {
 public:
  Publisher() {
    admin::AdminServerOptions options;
    options.port = 0;
    options.threads = 1;
    server_ = admin::AdminServer::start(options, *this).value();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + "/keys?tenant=a";
  }
  admin::AdminResponse handle(const admin::AdminRequest& request) override {
    const std::scoped_lock lock(mutex_);
    ++asked_;
    good_ = good_ && request.method == "GET" && request.path == "/keys" &&
            request.query == "tenant=a" && request.authorization.empty();
    admin::AdminResponse response(status_, "application/jwk-set+json", text_);
    if (request.path == "/moved") response.status = 200;
    if (status_ == 302) response.headers.emplace_back("Location", "/moved");
    return response;
  }
  void answer(std::uint16_t status, std::string text) {
    const std::scoped_lock lock(mutex_);
    status_ = status;
    text_ = std::move(text);
  }
  int asked() {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(good_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::uint16_t status_ = 200;
  std::string text_;
  int asked_ = 0;
  bool good_ = true;
  std::unique_ptr<admin::AdminServer> server_;
};

config::OidcIssuerConfig issuer() {
  config::OidcIssuerConfig one;
  one.name = "login";
  one.issuer = "https://login.example";
  one.audience = "paravent";
  one.algorithms = {"EdDSA"};
  return one;
}

class Keeper : public testing::Test {
 protected:
  static std::string jwt(const SigningKey& key, const char* kid) {
    return admin::signed_jwt(key, admin::header_of(key, kid), admin::claims_of(1'800'000'000));
  }
  static bool enters(admin::OidcDesk& desk, const std::string& jwt) {
    return desk.verify(jwt, crypto::WallTime(std::chrono::seconds(1'800'000'000))).has_value();
  }
  // Until `what` holds, a minute at most.
  template <typename What>
  static bool soon(What what) {
    for (int i = 0; i < 6000; ++i) {
      if (what()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  SigningKey first_ = SigningKey::ed25519();
  SigningKey second_ = SigningKey::ed25519();
  crypto::SteadyClock clock_;
};

class SetClock final : public crypto::MonotonicClock {
 public:
  crypto::MonotonicTime now() const noexcept override {
    return crypto::MonotonicTime(std::chrono::seconds(seconds_.load()));
  }
  void set(int seconds) { seconds_ = seconds; }

 private:
  std::atomic<int> seconds_{1000};
};

// One issuer whose keys come over HTTP, at first the one key "one", which the keeper looks for and
// puts on record.
class Published : public Keeper {
 protected:
  Published() {
    publisher_.answer(200, admin::key_set(first_.jwk("one")));
    config_.keys_url = publisher_.url();
  }
  // As a gateway's start does.
  void start(std::chrono::milliseconds pause = 20ms) {
    desk_.emplace(issuers_of({config_}), *time_);
    auto keeper = OidcKeeper::start(
        {config_}, *desk_, pause,
        [this](std::size_t place, const admin::KeyNames&) {
          EXPECT_EQ(place, 0U);
          ++sets_;
          while (blocked_) std::this_thread::sleep_for(1ms);
          return writable_.load();
        },
        [this](std::size_t place) {
          EXPECT_EQ(place, 0U);
          ++tries_;
          if (writable_) ++told_;
          return writable_.load();
        });
    ASSERT_TRUE(keeper);
    keeper_ = std::move(*keeper);
  }
  bool first_enters() { return enters(*desk_, jwt(first_, "one")); }
  bool second_enters() { return enters(*desk_, jwt(second_, "two")); }
  std::uint64_t failures() { return desk_->states().front().failures; }

  Publisher publisher_;
  config::OidcIssuerConfig config_ = issuer();
  SetClock set_clock_;
  const crypto::MonotonicClock* time_ = &clock_;
  // The record.
  std::atomic<bool> writable_ = true;
  std::atomic<bool> blocked_ = false;
  std::atomic<int> sets_ = 0;   // that were to be put on it
  std::atomic<int> tries_ = 0;  // to say that a set is too old
  std::atomic<int> told_ = 0;   // of these, said
  std::optional<admin::OidcDesk> desk_;
  std::unique_ptr<OidcKeeper> keeper_;
};

TEST_F(Keeper, ReadsAFileBeforeAnybodyAsks) {
  const admin::TempFolder folder;
  auto config = issuer();
  config.keys_file = (folder.path() / "jwks.json").string();
  admin::OidcDesk desk(issuers_of({config}), clock_);
  const auto missing = OidcKeeper::start({config}, desk);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), crypto::ErrorKind::configuration);
  std::ofstream(config.keys_file) << "{\"keys\":[]}";
  EXPECT_FALSE(OidcKeeper::start({config}, desk));
  std::ofstream(config.keys_file) << admin::key_set(first_.jwk("one"));
  std::filesystem::permissions(config.keys_file, std::filesystem::perms(0666));
  EXPECT_FALSE(OidcKeeper::start({config}, desk)) << "anybody could be let in by anybody";
  std::filesystem::permissions(config.keys_file, std::filesystem::perms(0644));
  const auto keeper = OidcKeeper::start({config}, desk, 20ms);
  ASSERT_TRUE(keeper);
  EXPECT_TRUE(enters(desk, jwt(first_, "one")));
  // Rotation: the new key is found because somebody comes with it.
  std::ofstream(config.keys_file) << admin::key_set(second_.jwk("two"));
  EXPECT_TRUE(soon([&] { return enters(desk, jwt(second_, "two")); }));
  EXPECT_FALSE(enters(desk, jwt(first_, "one"))) << "it was taken out of the set";
  // A set that is broken or gone leaves the last good one.
  std::ofstream(config.keys_file) << "{";
  EXPECT_TRUE(soon([&] {
    enters(desk, jwt(first_, "one"));
    return desk.states().front().failures > 0;
  }));
  EXPECT_TRUE(enters(desk, jwt(second_, "two")));
}

TEST_F(Published, FetchesInTheBackground) {
  publisher_.answer(503, "away");
  start();
  EXPECT_FALSE(first_enters());
  EXPECT_TRUE(soon([&] { return failures() > 0; }));
  for (const auto& [status, text] :
       {std::pair<std::uint16_t, std::string>{302, admin::key_set(first_.jwk("one"))},
        {200, std::string(admin::kMostKeySetBytes + 1, ' ')},
        {200, "<html>"}}) {
    publisher_.answer(status, text);
    const std::uint64_t before = failures();
    EXPECT_TRUE(soon([&] { return failures() > before + 1; }));
    EXPECT_EQ(desk_->states().front().keys, 0U);
  }
  publisher_.answer(200, admin::key_set(first_.jwk("one")));
  EXPECT_TRUE(soon([&] { return first_enters(); }));
  publisher_.answer(500, "");
  EXPECT_FALSE(second_enters());
  EXPECT_TRUE(first_enters()) << "the last good set stays";
}

TEST_F(Published, AsksOnceHoweverManyUnknownKeysCome) {
  start(1h);
  ASSERT_TRUE(soon([&] { return first_enters(); }));
  publisher_.answer(200, admin::key_set(second_.jwk("two")));
  for (int i = 0; i < 300; ++i) {
    const std::string kid = "unknown-" + std::to_string(i);
    EXPECT_FALSE(enters(*desk_, jwt(second_, kid.c_str())));
  }
  EXPECT_FALSE(second_enters());
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(publisher_.asked(), 1);
}

TEST_F(Published, AsksAgainWhenThePauseIsOver) {
  start(100ms);
  ASSERT_TRUE(soon([&] { return first_enters(); }));
  publisher_.answer(200, admin::key_set(first_.jwk("one") + "," + second_.jwk("two")));
  EXPECT_TRUE(soon([&] { return second_enters(); }));
  EXPECT_TRUE(first_enters());
  EXPECT_LE(publisher_.asked(), 3);
}

// What can be read is taken over: a key that is withdrawn, or whose private half got out, is gone.
TEST_F(Published, WithdrawnKeysAreGone) {
  for (const std::string& next :
       {std::string(R"({"keys":[]})"), admin::key_set(first_.jwk("one", R"(,"use":"enc")")),
        admin::key_set(first_.jwk("one", R"(,"d":"AA")"))}) {
    publisher_.answer(200, admin::key_set(first_.jwk("one")));
    keeper_.reset();
    start(1h);  // nobody looks who was not told to
    ASSERT_TRUE(soon([&] { return first_enters(); }));
    publisher_.answer(200, next);
    EXPECT_TRUE(first_enters()) << "nobody has looked yet";
    keeper_->read_again();  // as a reload does
    EXPECT_TRUE(soon([&] { return !first_enters(); })) << next;
    EXPECT_EQ(desk_->states().front().keys, 0U);
    EXPECT_TRUE(soon([&] { return failures() > 0; })) << "counted behind the change itself";
  }
}

// Takes connections and says nothing.
TEST_F(Keeper, IssuersThatHangKeepNobodyWaiting) {
  Publisher publisher;
  publisher.answer(200, admin::key_set(first_.jwk("one")));
  std::vector<config::OidcIssuerConfig> configs;
  for (const char* name : {"dead-1", "dead-2", "login"}) {
    auto& one = configs.emplace_back(issuer());
    one.name = name;
    one.issuer = std::string("https://") + name + ".example";
    one.refresh_seconds = 1;
    one.keys_url = "http://127.0.0.1:1/keys";
  }
  configs.back() = issuer();
  configs.back().keys_url = publisher.url();
  admin::OidcDesk desk(issuers_of(configs), clock_);
  // Whatever fails is due again at once.
  const auto keeper = OidcKeeper::start(configs, desk, 0ms);
  ASSERT_TRUE(keeper);
  EXPECT_TRUE(soon([&] { return enters(desk, jwt(first_, "one")); }));
  EXPECT_TRUE(soon([&] { return desk.states().front().failures > 3; }));
}

// Where nobody listens, a gateway starts all the same and nobody enters.
TEST_F(Published, AnIssuerThatIsAwayStopsNothing) {
  config_.keys_url = "http://127.0.0.1:1/keys";
  start();
  EXPECT_TRUE(soon([&] { return failures() > 1; }));
  EXPECT_FALSE(first_enters());
}

// HTTPS without trust in the certificate is no way to a key.
TEST_F(Published, TrustsNoAuthorityThatIsNotTold) {
  config_.keys_url = "https" + publisher_.url().substr(4);  // it speaks no TLS at all
  start();
  EXPECT_TRUE(soon([&] { return failures() > 0; }));
  EXPECT_EQ(desk_->states().front().keys, 0U);
}

// A key that is new signs nothing before it is on record; one that was withdrawn goes all the same.
TEST_F(Published, NewKeysWaitForTheRecord) {
  config_.refresh_seconds = 1;
  start();
  ASSERT_TRUE(soon([&] { return first_enters(); }));
  EXPECT_GT(sets_, 0);
  writable_ = false;
  publisher_.answer(200, admin::key_set(second_.jwk("two")));
  keeper_->read_again();
  EXPECT_TRUE(soon([&] { return !first_enters(); }));
  EXPECT_FALSE(second_enters());
  EXPECT_TRUE(soon([&] { return failures() > 1; }));
  writable_ = true;
  EXPECT_TRUE(soon([&] { return second_enters(); }));
}

// A set that nobody could renew: told once, as soon as it can be, and nothing of it is trusted when
// the issuer answers again before that is on record.
TEST_F(Published, SaysWhenASetBecameTooOld) {
  time_ = &set_clock_;
  start();
  ASSERT_TRUE(soon([&] { return first_enters(); }));
  publisher_.answer(503, "away");
  writable_ = false;
  const auto most = std::chrono::hours(config_.most_age_hours);
  set_clock_.set(1001 + static_cast<int>(std::chrono::seconds(most).count()));
  EXPECT_TRUE(desk_->key_names(0).empty());
  keeper_->read_again();
  ASSERT_TRUE(soon([&] { return tries_ > 2; })) << "it is tried again";
  EXPECT_EQ(told_, 0);
  EXPECT_TRUE(desk_->states().front().stale);
  writable_ = true;
  ASSERT_TRUE(soon([&] { return told_ > 0; }));
  const std::uint64_t before = failures();
  keeper_->read_again();
  ASSERT_TRUE(soon([&] { return failures() > before; }));
  EXPECT_EQ(told_, 1) << "once";
  // While nothing can be written nobody comes in by the keys that were trusted before, either.
  writable_ = false;
  publisher_.answer(200, admin::key_set(first_.jwk("one")));
  keeper_->read_again();
  EXPECT_TRUE(soon([&] { return !desk_->states().front().stale; }));
  EXPECT_FALSE(first_enters());
  writable_ = true;
  keeper_->read_again();
  EXPECT_TRUE(soon([&] { return first_enters(); }));
}

// However long the record takes, what was withdrawn signs nothing meanwhile.
TEST_F(Published, WithdrawingWaitsForNothing) {
  start();
  ASSERT_TRUE(soon([&] { return first_enters(); }));
  blocked_ = true;
  publisher_.answer(200, admin::key_set(second_.jwk("two")));
  keeper_->read_again();
  EXPECT_TRUE(soon([&] { return !first_enters(); }));
  EXPECT_FALSE(second_enters());
  blocked_ = false;
  EXPECT_TRUE(soon([&] { return second_enters(); }));
}

}  // namespace
}  // namespace paravent::proxy::main
