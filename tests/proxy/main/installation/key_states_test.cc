// What a restore with older keys would undo, from the list of states in a data backup.

#include "proxy/main/installation/key_states.h"

#include <gtest/gtest.h>

#include <vector>

namespace paravent::proxy::main {
namespace {

using crypto::vault::Id;
using crypto::vault::KeyInfo;
using crypto::vault::KeyState;

KeyInfo key(std::uint8_t n, KeyState state) {
  KeyInfo out;
  out.record.id = Id{n};
  out.record.condition.state = state;
  return out;
}

TEST(KeyStates, ReadAsTheyAreWritten) {
  const std::vector<KeyInfo> keys{key(2, KeyState::active),
                                  key(1, KeyState::destroyed),
                                  key(3, KeyState::suspended),
                                  key(4, KeyState::deactivated),
                                  key(5, KeyState::compromised),
                                  key(6, KeyState::pre_activation),
                                  key(7, KeyState::destroyed_compromised)};
  const std::string text = key_states_text(keys);
  const auto read = parse_key_states(text);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), keys.size());
  for (const KeyInfo& one : keys) EXPECT_EQ(read->at(one.record.id), one.record.condition.state);
  EXPECT_TRUE(parse_key_states(key_states_text({}))->empty());
}

TEST(KeyStates, OneSpellingOnly) {
  const std::vector<KeyInfo> keys{key(1, KeyState::active), key(2, KeyState::destroyed)};
  const std::string good = key_states_text(keys);
  ASSERT_TRUE(parse_key_states(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto cut = parse_key_states(std::string_view(good).substr(0, size));
    // A cut between two lines is a shorter list; the backup's manifest has the hash of the whole.
    EXPECT_EQ(cut.has_value(), size > 0 && good[size - 1] == '\n') << size;
  }
  const std::size_t first = good.find('\n') + 1;
  const std::size_t second = good.find('\n', first) + 1;
  const std::string one = good.substr(first, second - first);
  const std::string two = good.substr(second);
  const std::string head = good.substr(0, first);
  for (const std::string& bad :
       {head + two + one, head + one + one, head + one + "\n", head + "x" + one.substr(1),
        head + one.substr(0, 33) + "alive\n", one, good + " ", std::string()}) {
    EXPECT_FALSE(parse_key_states(bad)) << bad;
  }
}

TEST(KeyStates, WhatWouldBeUndone) {
  const KeyStates then{{Id{1}, KeyState::destroyed},   {Id{2}, KeyState::destroyed_compromised},
                       {Id{3}, KeyState::suspended},   {Id{4}, KeyState::compromised},
                       {Id{5}, KeyState::deactivated}, {Id{6}, KeyState::active},
                       {Id{7}, KeyState::destroyed},   {Id{8}, KeyState::destroyed},
                       {Id{9}, KeyState::active},      {Id{10}, KeyState::suspended}};
  // Alive, out of use only, in use, in use, not yet over, newer, as it was; and three not there.
  const std::vector<KeyInfo> now{key(1, KeyState::active),   key(2, KeyState::compromised),
                                 key(3, KeyState::active),   key(4, KeyState::suspended),
                                 key(5, KeyState::active),   key(6, KeyState::destroyed),
                                 key(7, KeyState::destroyed)};
  const UndoneStates undone = undone_states(then, now);
  EXPECT_EQ(undone.destroyed, 2U);
  EXPECT_EQ(undone.out_of_use, 2U);
  EXPECT_EQ(undone.lacking, 2U);
}

}  // namespace
}  // namespace paravent::proxy::main
