// Hash flooding: whoever does not know the hash key cannot fill one stretch of the table. What is
// looked at is the longest row of taken slots, which bounds each search, and not time.

#include "proxy/body/key_set.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/body/json_scanners.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

constexpr std::uint64_t kKnown = 42;
constexpr std::uint64_t kSecret = 43;
// So many keys make a table of 1024 slots, and choosing them takes half a million hashes.
constexpr std::size_t kMany = 400;
constexpr std::uint64_t kSlots = 1024;
// Keys that nobody chose make rows of some ten in a table that is at most half full.
constexpr std::size_t kSpread = 64;

// What an attacker computes who knows the hash key: keys of the first object that fall into one
// slot, of the table as it is in the end and of each smaller one that it grew from.
std::vector<std::string> colliding_keys() {
  const KeySet known(kKnown);
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < kMany; ++i) {
    std::string key = "field" + std::to_string(i);
    if (known.hash_of(1, key) % kSlots == 7) keys.push_back(std::move(key));
  }
  return keys;
}

std::size_t longest_run(std::uint64_t hash_key, const std::vector<std::string>& keys) {
  KeySet set(hash_key);
  set.begin_text();
  set.open_object();
  for (const std::string& key : keys) EXPECT_TRUE(set.add(key)) << key;
  return set.longest_run();
}

TEST(KeySet, KeysThatCollideUnderOneHashKeyAreSpreadUnderAnother) {
  const std::vector<std::string> keys = colliding_keys();
  EXPECT_GE(longest_run(kKnown, keys), kMany) << "the keys were not chosen well";
  EXPECT_LT(longest_run(kSecret, keys), kSpread);
}

// Nor is it of use to fill the stretch from many objects, each of which may have its keys once.
TEST(KeySet, EqualKeysOfManyObjectsAreSpread) {
  std::vector<std::string> keys;
  for (int i = 0; i < 20; ++i) keys.push_back("field" + std::to_string(i));
  KeySet set(kSecret);
  set.begin_text();
  for (int object = 0; object < 200; ++object) {
    set.open_object();
    for (const std::string& key : keys) EXPECT_TRUE(set.add(key));
    set.close_object();
  }
  EXPECT_LT(set.longest_run(), kSpread);
}

std::size_t longest_run(JsonScanner& scanner, const std::vector<std::string>& keys) {
  std::string text = "{";
  for (const std::string& key : keys) text += "\"" + key + "\":1,";
  text.back() = '}';
  class : public JsonVisitor {
    bool on_container(JsonPath, bool) override { return true; }
    bool on_value(JsonPath, const Field&) override { return true; }
  } nobody;
  EXPECT_EQ(scanner.scan(text, {}, nobody), ScanStatus::ok);
  return scanner.keys().longest_run();
}

// The scanners at every depth use the key that they were made with.
TEST(KeySet, TheScannersOfJsonHandTheirHashKeyOn) {
  const std::vector<std::string> keys = colliding_keys();
  for (const std::size_t depth : {0U, 3U}) {
    JsonScanners known(kKnown);
    EXPECT_GE(longest_run(known.at(depth), keys), kMany);
    JsonScanners secret(kSecret);
    EXPECT_LT(longest_run(secret.at(depth), keys), kSpread);
  }
}

}  // namespace
}  // namespace paravent::proxy::body::test
