#include "crypto/reveal/sealed_opener.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

#include "crypto/tokens/content_key.h"
#include "tests/crypto/primitives/timing_class.h"
#include "tests/crypto/tokens/golden_forms.h"
#include "tests/crypto/tokens/naughty_strings.h"
#include "tests/crypto/tokens/protector_fixture.h"

namespace paravent::crypto::reveal {
namespace {

using testing::private_key_of;
using testing::protector_of;
using testing::row_of;
using testing::sealed_key_of;

constexpr Algorithm kSealed[] = {Algorithm::sealed, Algorithm::sealed_single};

class HandClock final : public MonotonicClock {
 public:
  explicit HandClock(const MonotonicTime& time) : time_(time) {}
  MonotonicTime now() const noexcept override { return time_; }

 private:
  const MonotonicTime& time_;
};

std::string sealed_text(const ProtectionKey& key, std::string_view value, Kind kind = Kind::email) {
  return testing::protect(*protector_of(key), {.kind = kind}, value);
}

Bytes encapsulation_of(const std::string& token) {
  const Bytes payload = parse_token(token)->payload;
  return {payload.begin(), payload.begin() + kEncapsulationSize};
}

TEST(SealedOpener, OpensTheGoldenTokens) {
  int opened = 0;
  for (const testing::GoldenForm& golden : testing::golden_forms()) {
    if (!golden.sealed()) continue;
    const auto token = parse_token(golden.token);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->algorithm, golden.row.algorithm);
    EXPECT_EQ(token->key_id, golden.row.key_id);
    const auto value =
        open_sealed(SecretBytes::copy_of(golden.parent), context_string(golden.row), *token);
    ASSERT_TRUE(value);
    EXPECT_EQ(as_text(value->bytes()), golden.value);
    ++opened;
  }
  EXPECT_EQ(opened, 20);
}

TEST(SealedOpener, NaughtyStringsComeBack) {
  for (const Algorithm algorithm : kSealed) {
    const auto key = sealed_key_of(row_of(algorithm, Kind::text));
    const auto protector = protector_of(key);
    const SecretBytes private_key = private_key_of();
    for (const auto& string : testing::naughty_strings()) {
      if (string.empty()) continue;
      const auto token = parse_token(testing::protect(*protector, {.kind = Kind::text}, string));
      ASSERT_TRUE(token);
      const auto value = open_sealed(private_key, key.ctx, *token);
      ASSERT_TRUE(value);
      EXPECT_EQ(as_text(value->bytes()), string);
    }
  }
}

void expect_refused(const Result<SecretBytes>& answer, std::size_t where) {
  ASSERT_FALSE(answer) << where;
  EXPECT_EQ(answer.error().kind(), ErrorKind::refused);
  EXPECT_TRUE(answer.error().sentence().empty());
}

TEST(SealedOpener, EveryAlteredByteIsOneError) {
  for (const Algorithm algorithm : kSealed) {
    const auto key = sealed_key_of(row_of(algorithm, Kind::email));
    const auto token = *parse_token(sealed_text(key, "a@b.example"));
    const SecretBytes private_key = private_key_of();
    ASSERT_TRUE(open_sealed(private_key, key.ctx, token));
    for (std::size_t i = 0; i < token.payload.size(); ++i) {
      ParsedToken bad = token;
      bad.payload[i] = static_cast<std::uint8_t>(bad.payload[i] ^ 1U);
      expect_refused(open_sealed(private_key, key.ctx, bad), i);
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{16}, std::size_t{48},
                                   std::size_t{120}, token.payload.size() - 1}) {
      ParsedToken cut = token;
      cut.payload.resize(std::min(size, cut.payload.size() - 1));
      expect_refused(open_sealed(private_key, key.ctx, cut), size);
    }
    ParsedToken moved = token;
    moved.key_id ^= 1U;
    expect_refused(open_sealed(private_key, key.ctx, moved), 0);
    ParsedToken renamed = token;
    renamed.algorithm =
        algorithm == Algorithm::sealed ? Algorithm::sealed_single : Algorithm::sealed;
    expect_refused(open_sealed(private_key, key.ctx, renamed), 0);
    renamed.algorithm = Algorithm::encrypted;
    expect_refused(open_sealed(private_key, key.ctx, renamed), 0);
    auto row = row_of(algorithm, Kind::email);
    row.purpose_id.back() = 'x';
    expect_refused(open_sealed(private_key, context_string(row), token), 0);
    expect_refused(open_sealed(private_key_of(6), key.ctx, token), 0);
    expect_refused(open_sealed(SecretBytes(31), key.ctx, token), 0);
    expect_refused(open_sealed(SecretBytes(), key.ctx, token), 0);
  }
}

// Wherever it was altered: encapsulated key, nonce, value, tag, header, context table.
TEST(SealedOpener, WhatDoesNotOpenTakesOneTime) {
  for (const Algorithm algorithm : kSealed) {
    const auto key = sealed_key_of(row_of(algorithm, Kind::text));
    const std::string value(400, 'x');
    const auto token = *parse_token(sealed_text(key, value, Kind::text));
    const SecretBytes private_key = private_key_of();
    std::vector<ParsedToken> altered(7, token);
    const std::size_t places[] = {5, 40, 100, 130, 300, token.payload.size() - 1};
    for (std::size_t i = 0; i < std::size(places); ++i) {
      std::uint8_t& byte = altered[i].payload[places[i]];
      byte = static_cast<std::uint8_t>(byte ^ 1U);
    }
    altered[6].key_id ^= 1U;
    std::string other_ctx = key.ctx;
    other_ctx.back() = other_ctx.back() == 'x' ? 'y' : 'x';
    std::vector<std::function<void()>> runs;
    for (const ParsedToken& bad : altered) {
      runs.emplace_back([&] { EXPECT_FALSE(open_sealed(private_key, key.ctx, bad)); });
    }
    runs.emplace_back([&] { EXPECT_FALSE(open_sealed(private_key, other_ctx, token)); });
    EXPECT_TRUE(testing::one_timing_class(runs, 1.35));
  }
}

TEST(SealedOpener, SlotsOfOneRecipientShareAContentKeyForASecond) {
  // The real clock may be a tick behind.
  static_assert(ContentKey::kLife + CoarseClock::kTick == std::chrono::seconds(1));
  std::vector<ProtectionKey> keys;
  keys.push_back(sealed_key_of(row_of(Algorithm::sealed, Kind::email, 1)));
  keys.push_back(sealed_key_of(row_of(Algorithm::sealed, Kind::text, 2)));
  keys.push_back(sealed_key_of(row_of(Algorithm::sealed, Kind::email, 3), 6));
  MonotonicTime now{};
  const auto protector =
      *FieldProtector::create(keys, {}, {nullptr, std::make_unique<HandClock>(now)});
  const auto seal = [&](std::uint32_t slot) {
    return testing::protect(*protector, {.kind = Kind::email}, "a@b.example", slot);
  };
  const std::string first = seal(0);
  const Bytes encapsulation = encapsulation_of(first);
  EXPECT_NE(seal(0), first) << "equal values give unequal texts";
  EXPECT_EQ(encapsulation_of(seal(0)), encapsulation);
  EXPECT_EQ(encapsulation_of(seal(1)), encapsulation);
  EXPECT_NE(encapsulation_of(seal(2)), encapsulation) << "another recipient";
  now += ContentKey::kLife - std::chrono::milliseconds(1);
  EXPECT_EQ(encapsulation_of(seal(1)), encapsulation);
  now += std::chrono::milliseconds(1);
  const std::string later = seal(1);
  EXPECT_NE(encapsulation_of(later), encapsulation) << "a second is over";
  const auto value = open_sealed(private_key_of(), keys[1].ctx, *parse_token(later));
  ASSERT_TRUE(value);
  EXPECT_EQ(as_text(value->bytes()), "a@b.example");

  // The timer erases as well, and without one the same key would still be there.
  protector->erase_old_keys();
  EXPECT_EQ(encapsulation_of(seal(0)), encapsulation_of(later)) << "not old yet";
  now += std::chrono::seconds(1);
  protector->erase_old_keys();
  now -= std::chrono::seconds(1);
  EXPECT_NE(encapsulation_of(seal(0)), encapsulation_of(later));
}

TEST(SealedOpener, AContentKeyServes65536Values) {
  const auto key = sealed_key_of(row_of(Algorithm::sealed, Kind::text));
  const MonotonicTime now{};
  const auto protector = *FieldProtector::create(std::span<const ProtectionKey>(&key, 1), {},
                                                 {nullptr, std::make_unique<HandClock>(now)});
  std::string text = testing::protect(*protector, {.kind = Kind::text}, "x");
  const std::string prefix = text.substr(0, 100);  // header and the ephemeral key
  for (int i = 1; i < 65536; ++i) {
    text.clear();
    ASSERT_TRUE(protector->protect(0, Kind::text, "x", text));
    ASSERT_TRUE(text.starts_with(prefix)) << i;
  }
  text.clear();
  ASSERT_TRUE(protector->protect(0, Kind::text, "x", text));
  EXPECT_FALSE(text.starts_with(prefix));
}

// A cloned machine repeats its random bytes: values and contexts still get nonces of their own.
TEST(SealedOpener, RepeatedRandomBytesDoNotRepeatANonce) {
  std::vector<ProtectionKey> keys;
  keys.push_back(sealed_key_of(row_of(Algorithm::sealed, Kind::email, 1)));
  keys.push_back(sealed_key_of(row_of(Algorithm::sealed, Kind::email, 2)));
  const auto protector = *FieldProtector::create(
      keys, {}, {std::make_unique<testing::FixedRandom>(Bytes(32, 3)), nullptr});
  std::set<Bytes> nonces;
  for (std::uint32_t slot = 0; slot < 2; ++slot) {
    for (const char* value : {"a@b.example", "c@d.example"}) {
      const Bytes payload =
          parse_token(testing::protect(*protector, {.kind = Kind::email}, value, slot))->payload;
      const auto begin = payload.begin() + kEncapsulationSize;
      nonces.emplace(begin, begin + kNonceSize);
    }
  }
  EXPECT_EQ(nonces.size(), 4U);
}

TEST(SealedOpener, SinglesShareNothing) {
  const auto key = sealed_key_of(row_of(Algorithm::sealed_single, Kind::email));
  const auto protector = protector_of(key);
  std::set<std::string> ephemerals;
  for (int i = 0; i < 20; ++i) {
    const auto token =
        parse_token(testing::protect(*protector, {.kind = Kind::email}, "a@b.example"));
    ephemerals.emplace(as_text(ByteView(token->payload).first(kSingleEncapsulationSize)));
  }
  EXPECT_EQ(ephemerals.size(), 20U);
}

TEST(SealedOpener, LargeValuesAndLimits) {
  for (const Algorithm algorithm : kSealed) {
    const auto key = sealed_key_of(row_of(algorithm, Kind::text));
    const auto protector = protector_of(key);
    const std::string large(kMaxEncryptedValue, 'x');
    const auto token = parse_token(testing::protect(*protector, {.kind = Kind::text}, large));
    ASSERT_TRUE(token);
    const auto value = open_sealed(private_key_of(), key.ctx, *token);
    ASSERT_TRUE(value);
    EXPECT_TRUE(as_text(value->bytes()) == large);
    for (const std::string& bad : {std::string(), large + "x"}) {
      std::string out = "kept";
      const Status status = protector->protect(0, Kind::text, bad, out);
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
      EXPECT_EQ(out, "kept");
    }
    EXPECT_TRUE(parse_token(testing::protect(*protector, {.kind = Kind::text}, "small")));
  }
}

}  // namespace
}  // namespace paravent::crypto::reveal
