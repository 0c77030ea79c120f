#include "crypto/keys/context_row.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "crypto/base/encoding.h"

namespace paravent::crypto {
namespace {

ContextRow sample() {
  ContextRow row;
  row.key_id = 0x01020304;
  row.tenant_id = std::string(16, 't');
  row.domain_id = std::string(16, 'd');
  row.purpose_id = std::string(16, 'p');
  row.space_id = std::string(16, 's');
  row.epoch = {EpochLength::month, 682};
  row.algorithm = Algorithm::derived;
  row.key_version = 3;
  row.normaliser_id = 0x0102;
  return row;
}

std::string repeated(std::string_view hex_byte, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out.append(hex_byte);
  return out;
}

// Spelled out byte by byte: it is inside every tag and every derived key.
TEST(ContextString, IsExactlyTheSpecifiedBytes) {
  EXPECT_EQ(to_hex(as_bytes(context_string(sample()))),
            "50565431"
            "02"
            "0010" +
                repeated("74", 16) + "0010" + repeated("64", 16) + "0010" + repeated("70", 16) +
                "0010" + repeated("73", 16) +
                "0000"
                "00000003"
                "0102");
}

TEST(ContextString, DependsOnEveryPartButKeyIdAndEpoch) {
  const std::string base = context_string(sample());
  ContextRow row = sample();
  row.key_id = 9;
  row.epoch = {};
  EXPECT_EQ(context_string(row), base);
  std::vector<std::string> all = {base};
  const auto changed = [&](auto change) {
    ContextRow other = sample();
    change(other);
    all.push_back(context_string(other));
  };
  changed([](ContextRow& r) { r.tenant_id[0] = 'x'; });
  changed([](ContextRow& r) { r.domain_id[0] = 'x'; });
  changed([](ContextRow& r) { r.purpose_id.clear(); });
  changed([](ContextRow& r) { r.space_id[15] = 'x'; });
  changed([](ContextRow& r) { r.scope_id = "x"; });
  changed([](ContextRow& r) { r.algorithm = Algorithm::pseudonym; });
  changed([](ContextRow& r) { r.key_version = 4; });
  changed([](ContextRow& r) { r.normaliser_id = 0; });
  // Moving a byte across a border must not give the same string.
  changed([](ContextRow& r) {
    r.tenant_id += 'd';
    r.domain_id.erase(0, 1);
  });
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST(ContextRow, ComesBackFromItsStoredForm) {
  for (const auto length :
       {EpochLength::none, EpochLength::day, EpochLength::week, EpochLength::month}) {
    ContextRow row = sample();
    row.epoch = {length, length == EpochLength::none ? 0 : 17};
    row.scope_id = std::string("\0scope", 6);
    const auto decoded = decode_context_row(as_bytes(encode_context_row(row)));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, row);
  }
}

TEST(ContextRow, StoredFormIsFixed) {
  ContextRow row = sample();
  row.tenant_id = "t";
  row.domain_id = row.purpose_id = row.space_id = "";
  EXPECT_EQ(to_hex(as_bytes(encode_context_row(row))),
            "01"
            "02"
            "01020304"
            "00000003"
            "0102"
            "03"
            "000002aa"
            "0001"
            "74"
            "0000000000000000");
}

TEST(ContextRow, EveryTruncationAndExtensionIsRefused) {
  const std::string stored = encode_context_row(sample());
  for (std::size_t size = 0; size < stored.size(); ++size) {
    EXPECT_FALSE(decode_context_row(as_bytes(stored.substr(0, size))).has_value()) << size;
  }
  EXPECT_FALSE(decode_context_row(as_bytes(stored + '\0')).has_value());
}

TEST(ContextRow, RefusesWhatItDoesNotKnow) {
  const std::string stored = encode_context_row(sample());
  const auto with = [&](std::size_t offset, std::string_view bytes) {
    std::string changed = stored;
    changed.replace(offset, bytes.size(), bytes);
    return decode_context_row(as_bytes(changed)).has_value();
  };
  EXPECT_TRUE(with(0, "\x01"));
  EXPECT_FALSE(with(0, "\x02"));                            // version
  EXPECT_FALSE(with(1, std::string_view("\0", 1)));         // algorithm
  EXPECT_FALSE(with(1, "\x0c"));                            // algorithm
  EXPECT_FALSE(with(12, "\x04"));                           // epoch length
  EXPECT_FALSE(with(12, std::string_view("\0", 1)));        // none with an index
  EXPECT_FALSE(with(13, "\xff"));                           // negative index
  EXPECT_FALSE(with(13, "\x7f"));                           // beyond 9999
  EXPECT_FALSE(with(17, std::string_view("\xff\xff", 2)));  // identifier longer than the rest
  ContextRow row = sample();
  row.tenant_id.clear();
  EXPECT_FALSE(decode_context_row(as_bytes(encode_context_row(row))).has_value());
  // An identifier over the limit, with all its bytes there.
  std::string oversized = stored.substr(0, 17);
  append_lp(oversized, std::string(kContextIdMaxSize + 1, 't'));
  oversized += std::string(8, '\0');
  EXPECT_FALSE(decode_context_row(as_bytes(oversized)).has_value());
}

TEST(ContextRowDeathTest, OversizedIdentifierEndsTheProcess) {
  ContextRow row = sample();
  row.space_id = std::string(kContextIdMaxSize + 1, 's');
  EXPECT_DEATH({ (void)context_string(row); }, "");
}

}  // namespace
}  // namespace paravent::crypto
