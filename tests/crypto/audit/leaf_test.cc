// The entry's encoding: round trip, every byte covered, one spelling, nothing clear.

#include "crypto/audit/leaf.h"

#include <gtest/gtest.h>

#include "crypto/audit/detail.h"
#include "crypto/audit/entry_sealer.h"
#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {
namespace {

constexpr const char* kOrigin = "paravent.invalid/x/installation";

AuditDetail full_detail() {
  AuditDetail detail;
  detail.operator_name = "Marie Curie";
  detail.role = "dpo";
  detail.purpose = "contact";
  detail.reason = "request 17";
  detail.subject = std::string("\0\1\2", 3);
  detail.object = "key 01020304";
  detail.remark = "kind";
  detail.grant = "0123456789abcdef";
  detail.tokens = {{1, sha256(as_bytes("a"))}, {0xFFFFFFFF, sha256(as_bytes("b"))}};
  detail.credential = "1f0c9a2b7d44";
  return detail;
}

TEST(Detail, RoundTripInBlocksOfSixtyFour) {
  const Bytes salt(32, 9);
  for (const AuditDetail& detail : {AuditDetail(), full_detail()}) {
    const std::string plain = encode_detail(detail, salt);
    EXPECT_EQ(plain.size() % 64, 0U);
    const auto decoded = decode_detail(as_bytes(plain));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, detail);
  }
}

TEST(Detail, OneSpelling) {
  const Bytes salt(32, 9);
  const std::string good = encode_detail(full_detail(), salt);
  ASSERT_TRUE(decode_detail(as_bytes(good)).has_value());
  EXPECT_FALSE(decode_detail(as_bytes(good + std::string(64, '\0'))).has_value());
  EXPECT_FALSE(decode_detail(as_bytes(good.substr(0, good.size() - 64))).has_value());
  EXPECT_FALSE(decode_detail(as_bytes(good.substr(0, good.size() - 1))).has_value());
  std::string padded = good;
  padded.back() = '\1';
  EXPECT_FALSE(decode_detail(as_bytes(padded)).has_value());
  const auto with_fields = [&](const std::string& fields) {
    std::string plain(as_text(salt));
    append_u16be(plain, static_cast<std::uint16_t>(fields.size()));
    plain += fields;
    plain.resize((plain.size() + 63) / 64 * 64, '\0');
    return decode_detail(as_bytes(plain)).has_value();
  };
  const std::string a("\1\0\1a", 4);
  const std::string b("\2\0\1b", 4);
  EXPECT_TRUE(with_fields(a + b));
  EXPECT_FALSE(with_fields(b + a));
  EXPECT_FALSE(with_fields(a + a));
  EXPECT_FALSE(with_fields(std::string("\1\0\0", 3)));
  EXPECT_FALSE(with_fields(std::string("\0\0\1a", 4)));
  EXPECT_FALSE(with_fields(std::string("\x0B\0\1a", 4)));
  const std::string credential("\x0A\0\1c", 4);
  EXPECT_TRUE(with_fields(a + credential));
  EXPECT_FALSE(with_fields(credential + a));
  EXPECT_FALSE(with_fields(credential + credential));
  EXPECT_FALSE(with_fields(std::string("\x0A\0\0", 3)));
  EXPECT_FALSE(with_fields(std::string("\1\0\2a", 4)));
  EXPECT_FALSE(with_fields(std::string("\x09\0\1a", 4)));
  EXPECT_FALSE(with_fields(std::string("\1\0", 2)));
}

TEST(Detail, Limits) {
  AuditDetail detail;
  detail.reason.assign(kMaxDetailField, 'r');
  EXPECT_TRUE(check_detail(detail).has_value());
  detail.reason.push_back('r');
  EXPECT_FALSE(check_detail(detail).has_value());
  detail.reason.clear();
  detail.credential.assign(kMaxDetailField + 1, 'c');
  EXPECT_FALSE(check_detail(detail).has_value());
  detail.credential.clear();
  detail.tokens.resize(kMaxDetailTokens);
  EXPECT_TRUE(check_detail(detail).has_value());
  detail.tokens.resize(kMaxDetailTokens + 1);
  EXPECT_FALSE(check_detail(detail).has_value());
}

TEST(Entry, SealedAndOpenedWithItsKeyOnly) {
  TestKeys keys;
  TestClock clock;
  EntrySealer sealer(kOrigin, keys);
  const PublicPart open{clock.now(), 41, EventKind::reveal, Outcome::done};
  const auto sealed = sealer.seal(open, full_detail());
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(sealed->bytes.find("Marie"), std::string::npos);
  EXPECT_EQ(sealed->bytes.find("request"), std::string::npos);
  const auto record = EntryOpener(kOrigin, keys).open(41, as_bytes(sealed->bytes));
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->open, open);
  EXPECT_EQ(record->detail, full_detail());
  EXPECT_FALSE(EntryOpener(kOrigin, keys).open(42, as_bytes(sealed->bytes)).has_value());
  // Another log's key or name: the detail stays closed, the entry is not damaged.
  EXPECT_FALSE(EntryOpener("other", keys).open(41, as_bytes(sealed->bytes))->detail.has_value());
  keys.gone.insert(epoch_at(EpochLength::month, clock.now()).index);
  EXPECT_FALSE(EntryOpener(kOrigin, keys).open(41, as_bytes(sealed->bytes))->detail.has_value());
}

TEST(Entry, EqualDetailsDoNotLookEqual) {
  TestKeys keys;
  TestClock clock;
  EntrySealer sealer(kOrigin, keys);
  const PublicPart open{clock.now(), 0, EventKind::start, Outcome::done};
  const auto a = sealer.seal(open, full_detail());
  const auto b = sealer.seal(open, full_detail());
  const auto first = decode_entry(as_bytes(a->bytes));
  const auto second = decode_entry(as_bytes(b->bytes));
  EXPECT_NE(first->leaf.detail_commitment, second->leaf.detail_commitment);
  EXPECT_NE(first->leaf.ciphertext_hash, second->leaf.ciphertext_hash);
}

TEST(Entry, EveryByteIsCoveredByTheLeafHash) {
  TestKeys keys;
  TestClock clock;
  const auto sealed =
      EntrySealer(kOrigin, keys).seal({clock.now(), 3, EventKind::refusal, Outcome::refused}, {});
  const std::string& good = sealed->bytes;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string altered = good;
      altered[i] = static_cast<char>(altered[i] ^ static_cast<char>(1U << bit));
      const auto decoded = decode_entry(as_bytes(altered));
      if (decoded) {
        EXPECT_NE(hash_leaf(decoded->leaf_bytes), sealed->leaf_hash) << i;
      }
    }
    EXPECT_FALSE(decode_entry(as_bytes(good).first(i)).has_value()) << i;
  }
  EXPECT_FALSE(decode_entry(as_bytes(good + "x")).has_value());
  EXPECT_FALSE(decode_entry(as_bytes(good + std::string(64, 'x'))).has_value());
}

TEST(Entry, EventNumbersAreAClosedSet) {
  EXPECT_EQ(event_name(EventKind::init), "init");
  EXPECT_EQ(event_name(EventKind::reveal), "reveal");
  EXPECT_EQ(event_name(EventKind::backup), "backup");
  EXPECT_EQ(outcome_name(Outcome::failed), "failed");
  EXPECT_FALSE(event_from_number(0).has_value());
  EXPECT_FALSE(event_from_number(21).has_value());
  EXPECT_FALSE(outcome_from_number(0).has_value());
  EXPECT_FALSE(outcome_from_number(4).has_value());
}

TEST(Entry, TheClockMustStandInRange) {
  TestKeys keys;
  EntrySealer sealer(kOrigin, keys);
  for (const std::int64_t ms : {std::int64_t{-1}, std::int64_t{253402300800000}}) {
    const WallTime time{std::chrono::milliseconds(ms)};
    EXPECT_FALSE(sealer.seal({time, 0, EventKind::start, Outcome::done}, {}).has_value());
  }
}

}  // namespace
}  // namespace paravent::crypto::audit
