// Pages of a list.

#include "proxy/admin/page.h"

#include <gtest/gtest.h>

#include <vector>

namespace paravent::proxy::admin {
namespace {

std::string itself(const std::string& one) { return one; }

Paged<std::string> page(const std::vector<std::string>& all, const Page& wanted) {
  return page_in<std::string>(all, wanted, itself);
}

// Newest first, as grants are.
Paged<std::string> page_down(const std::vector<std::string>& all, const Page& wanted) {
  return page_in<std::string>(all, wanted, itself,
                              [&](const std::string& one) { return one < wanted.after; });
}

std::vector<std::string> items(const Paged<std::string>& paged) {
  return {paged.items.begin(), paged.items.end()};
}

using Texts = std::vector<std::string>;

TEST(Page, EveryItemOnceInOrder) {
  const Texts up{"a", "b", "c", "d", "e"};
  const Texts down{"e", "d", "c", "b", "a"};
  for (const bool falls : {false, true}) {
    const Texts& all = falls ? down : up;
    for (std::size_t count = 1; count <= 6; ++count) {
      std::vector<std::string> seen;
      Page wanted{"", count};
      for (std::size_t pages = 0;; ++pages) {
        ASSERT_LT(pages, 6U);
        const auto got = falls ? page_down(all, wanted) : page(all, wanted);
        EXPECT_LE(got.items.size(), count);
        seen.insert(seen.end(), got.items.begin(), got.items.end());
        if (got.next.empty()) break;
        wanted.after = got.next;
      }
      EXPECT_EQ(seen, all) << count;
    }
  }
}

TEST(Page, GoesOnWhereTheListHasChanged) {
  const Texts up{"a", "b", "c", "d"};
  EXPECT_EQ(page(up, {"", 2}).next, "b");
  const Texts others_up{"a", "aa", "bb", "c", "d"};  // b is gone, two have come
  EXPECT_EQ(items(page(others_up, {"b", 9})), (Texts{"bb", "c", "d"}));
  const Texts others_down{"f", "e", "c", "bb", "a"};  // d is gone
  EXPECT_EQ(items(page_down(others_down, {"d", 2})), (Texts{"c", "bb"}));
  EXPECT_EQ(page_down(others_down, {"d", 2}).next, "bb");
}

TEST(Page, OfNothingAndBehindTheLast) {
  const auto none = page({}, {"", 5});
  EXPECT_TRUE(none.items.empty());
  EXPECT_TRUE(none.next.empty());
  EXPECT_TRUE(page({}, {"a", 5}).items.empty());
  const Texts one{"a"};
  EXPECT_TRUE(page(one, {"a", 5}).items.empty());
  const auto behind = page(one, {"b", 5});
  EXPECT_TRUE(behind.items.empty());
  EXPECT_TRUE(behind.next.empty());
}

TEST(Page, QueriesAreStrict) {
  EXPECT_EQ(page_of("")->count, kMostPerPage);
  EXPECT_EQ(page_of("count=7&after=x%40y")->after, "x@y");
  EXPECT_EQ(page_of("count=1000")->count, 1000U);
  for (const char* wrong :
       {"count=0", "count=1001", "count=01", "count=-1", "count=", "count=1&count=1", "from=3"}) {
    EXPECT_FALSE(page_of(wrong)) << wrong;
  }
}

TEST(Page, ItsEndNamesTheNext) {
  EXPECT_EQ(end_of_page(""), "]}\n");
  EXPECT_EQ(end_of_page("a\"b"), "],\"next\":\"a\\\"b\"}\n");
}

}  // namespace
}  // namespace paravent::proxy::admin
