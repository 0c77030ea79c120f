// Pages of a list: `?after=KEY&count=N`, and `"next":"KEY"` in the answer while there are more.
// Without a query a list comes as it always did. Pure.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
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

// `key_of` an item: what tells it from every other. nullopt: nothing in the list has the key that
// the page begins behind.
template <typename Item, typename KeyOf>
std::optional<Paged<Item>> page_in(std::span<const Item> all, const Page& page, KeyOf key_of) {
  if (!page.after.empty()) {
    const auto last = std::find_if(all.begin(), all.end(),
                                   [&](const Item& item) { return key_of(item) == page.after; });
    if (last == all.end()) return std::nullopt;
    all = all.subspan(static_cast<std::size_t>(last - all.begin()) + 1);
  }
  Paged<Item> paged{all.first(std::min(page.count, all.size())), {}};
  if (paged.items.size() < all.size()) paged.next = key_of(paged.items.back());
  return paged;
}

// What closes `{"NAME":[...]`.
inline std::string end_of_page(const std::string& next) {
  if (next.empty()) return "]}\n";
  std::string out = "],\"next\":";
  body::encode_json_string(next, out);
  return out + "}\n";
}

inline constexpr std::string_view kNoSuchPlace =
    "The query's after names nothing that is listed any more; begin anew.";

}  // namespace paravent::proxy::admin
