// Pages of a list.

#include "proxy/admin/page.h"

#include <gtest/gtest.h>

#include <vector>

namespace paravent::proxy::admin {
namespace {

std::optional<Paged<std::string>> page(const std::vector<std::string>& all, const Page& wanted) {
  return page_in<std::string>(all, wanted, [](const std::string& one) { return one; });
}

TEST(Page, EveryItemOnceInOrder) {
  const std::vector<std::string> all{"e", "a", "d", "b", "c"};
  for (std::size_t count = 1; count <= 6; ++count) {
    std::vector<std::string> seen;
    Page wanted{"", count};
    for (std::size_t pages = 0;; ++pages) {
      ASSERT_LT(pages, 6U);
      const auto got = page(all, wanted);
      ASSERT_TRUE(got);
      EXPECT_LE(got->items.size(), count);
      seen.insert(seen.end(), got->items.begin(), got->items.end());
      if (got->next.empty()) break;
      wanted.after = got->next;
    }
    EXPECT_EQ(seen, all) << count;
  }
}

TEST(Page, OfNothingAndBehindTheLast) {
  const auto none = page({}, {"", 5});
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->items.empty());
  EXPECT_TRUE(none->next.empty());
  EXPECT_FALSE(page({}, {"a", 5}));
  const auto behind = page({"a"}, {"a", 5});
  ASSERT_TRUE(behind);
  EXPECT_TRUE(behind->items.empty());
  EXPECT_FALSE(page({"a"}, {"b", 5}));
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
