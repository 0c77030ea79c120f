// Pages of a list: `?after=KEY&count=N`, and `"next":"KEY"` in the answer while there are more.
// Without a query a list comes whole. A page begins by the list's order, not beside an item: what
// is taken away or comes between two pages throws no reader back. Pure.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/admin/query_members.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostPerPage = 1000;
inline constexpr std::array<std::string_view, 2> kPageMembers{"after", "count"};

struct Page {
  std::string after;  // the key of the last item of the page before; empty: from the beginning
  std::size_t count = kMostPerPage;
};

// ErrorKind::malformed: other members, or a count that is not 1 to 1000.
inline crypto::Result<Page> page_of(std::string_view query) {
  const auto members = QueryMembers::read(query, kPageMembers);
  if (!members) return members.error();
  const auto count = members->number("count", kMostPerPage);
  if (!count) return count.error();
  if (*count < 1 || *count > kMostPerPage) {
    return crypto::Error(crypto::ErrorKind::malformed, "The query's count is 1 to 1000.");
  }
  return Page{members->text("after"), static_cast<std::size_t>(*count)};
}

template <typename Item>
struct Paged {
  std::span<const Item> items;
  std::string next;  // empty: these were the last
};

// `key_of` an item: what tells it from every other. `is_behind`: whether an item stands behind the
// place that page.after names, in the order that `all` is in; asked only where it names one.
template <typename Item, typename KeyOf, typename IsBehind>
Paged<Item> page_in(std::span<const Item> all, const Page& page, KeyOf key_of, IsBehind is_behind) {
  if (!page.after.empty()) {
    const auto first = std::partition_point(all.begin(), all.end(),
                                            [&](const Item& item) { return !is_behind(item); });
    all = all.subspan(static_cast<std::size_t>(first - all.begin()));
  }
  Paged<Item> paged{all.first(std::min(page.count, all.size())), {}};
  if (paged.items.size() < all.size()) paged.next = key_of(paged.items.back());
  return paged;
}

// Of a list that is in the order of its keys: any text names a place there.
template <typename Item, typename KeyOf>
Paged<Item> page_in(std::span<const Item> all, const Page& page, KeyOf key_of) {
  return page_in(all, page, key_of, [&](const Item& item) { return key_of(item) > page.after; });
}

// What closes `{"NAME":[...]`.
inline std::string end_of_page(const std::string& next) {
  if (next.empty()) return "]}\n";
  std::string out = "],\"next\":";
  body::encode_json_string(next, out);
  return out + "}\n";
}

inline constexpr std::string_view kNoSuchPlace =
    "The query's after names nothing that was ever listed; begin anew.";

}  // namespace paravent::proxy::admin
