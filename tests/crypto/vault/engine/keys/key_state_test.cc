// The life of a key: every state by every operation (NIST SP 800-57 part 1 rev. 5, section 7).

#include "crypto/vault/engine/keys/key_state.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "crypto/vault/engine/keys/key_record.h"

namespace paravent::crypto::vault {
namespace {

using enum KeyState;

constexpr std::array<KeyOperation, kKeyOperations> kOperations{
    KeyOperation::protect,    KeyOperation::open,
    KeyOperation::activate,   KeyOperation::disable,
    KeyOperation::enable,     KeyOperation::deactivate,
    KeyOperation::compromise, KeyOperation::override_compromise,
    KeyOperation::destroy};

struct Row {
  KeyCondition from;
  // In the order above. "-": refused; "=": allowed, and nothing changes; "a" active, "s" suspended,
  // "d" deactivated, "c" compromised, "o" compromised under an override, "x" destroyed, "X"
  // destroyed-compromised.
  std::string_view cells;
};

constexpr std::array kMatrix{
    //                                     protect open activate disable enable deactivate
    //                                     compromise
    //                                     override destroy
    Row{{pre_activation, false, false}, "--a---c-x"},
    Row{{active, false, false}, "==-s-dc-x"},
    Row{{suspended, false, false}, "----a-c-x"},
    Row{{suspended, false, true}, "----d-c-x"},
    Row{{deactivated, false, true}, "-=-s--c-x"},
    Row{{compromised, false, false}, "-------oX"},
    Row{{compromised, true, false}, "-=-c----X"},
    Row{{compromised, true, true}, "-=-c----X"},
    Row{{destroyed, false, false}, "------X--"},
    Row{{destroyed_compromised, false, false}, "---------"},
};

KeyState state_of(char cell) {
  switch (cell) {
    case 'a':
      return active;
    case 's':
      return suspended;
    case 'd':
      return deactivated;
    case 'x':
      return destroyed;
    case 'X':
      return destroyed_compromised;
    default:
      return compromised;
  }
}

TEST(KeyState, EveryStateByEveryOperation) {
  for (const Row& row : kMatrix) {
    ASSERT_EQ(row.cells.size(), kOperations.size());
    for (std::size_t i = 0; i < kOperations.size(); ++i) {
      const char cell = row.cells[i];
      const auto next = after(row.from, kOperations[i]);
      const std::string what = std::string(key_state_name(row.from.state)) + " " +
                               std::string(key_operation_name(kOperations[i])) +
                               (row.from.overridden ? " (override)" : "");
      EXPECT_EQ(next.has_value(), cell != '-') << what;
      EXPECT_EQ(may_use(row.from, kOperations[i]), cell == '=') << what;
      if (!next || cell == '=') continue;
      EXPECT_EQ(next->state, state_of(cell)) << what;
      EXPECT_EQ(next->overridden, cell == 'o') << what;
      EXPECT_EQ(next->ended, row.from.ended || next->state == deactivated) << what;
    }
  }
}

TEST(KeyState, NamesAndNumbersGoTogether) {
  for (std::uint8_t number = 1; number <= kKeyStates; ++number) {
    const auto state = key_state_from_number(number);
    ASSERT_TRUE(state);
    EXPECT_FALSE(key_state_name(*state).empty());
  }
  EXPECT_FALSE(key_state_from_number(0));
  EXPECT_FALSE(key_state_from_number(kKeyStates + 1));
}

TEST(KeyState, EachTransitionIsDatedAndStored) {
  KeyRecord record;
  record.id = Id{1};
  record.tenant = Id{2};
  record.condition.state = pre_activation;
  record.wrapped.fill(7);
  record.check.fill(7);
  const auto day = [](int n) { return WallTime(std::chrono::hours(24 * n)); };
  ASSERT_TRUE(apply(record, KeyOperation::activate, day(1)));
  ASSERT_TRUE(apply(record, KeyOperation::deactivate, day(2)));
  ASSERT_TRUE(apply(record, KeyOperation::disable, day(3)));
  ASSERT_TRUE(apply(record, KeyOperation::compromise, day(4)));
  EXPECT_FALSE(apply(record, KeyOperation::enable, day(5)));
  ASSERT_TRUE(apply(record, KeyOperation::override_compromise, day(5)));
  auto stored = decode_key_record(record.id, encode_key_record(record));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->condition, (KeyCondition{compromised, true, true}));
  EXPECT_EQ(stored->since, record.since);
  EXPECT_EQ(record.since[3], day(2));
  EXPECT_EQ(record.since[4], day(4));

  ASSERT_TRUE(apply(record, KeyOperation::destroy, day(6)));
  stored = decode_key_record(record.id, encode_key_record(record));
  ASSERT_TRUE(stored);
  // The flag of a compromise outlives the key, and nothing but metadata is left of it.
  EXPECT_EQ(stored->condition.state, destroyed_compromised);
  EXPECT_EQ(stored->since[6], day(6));
  EXPECT_EQ(stored->wrapped, decltype(stored->wrapped){});
  EXPECT_EQ(stored->check, decltype(stored->check){});
  record.wrapped[5] = 1;
  EXPECT_FALSE(decode_key_record(record.id, encode_key_record(record)));
}

}  // namespace
}  // namespace paravent::crypto::vault
