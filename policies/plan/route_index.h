// The route table of a PolicyPlan: exact paths by hash, then the path patterns; the first route in
// the order of the policies wins. Internal to policies/plan. Immutable; no allocation in look-ups.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/path_pattern.h"
#include "policies/plan/policy_plan.h"

namespace paravent::policies {

struct PolicyPlan::Index {
  struct Entry {
    const RoutePlan* route = nullptr;  // its id is the order
    std::vector<std::string> methods;  // empty: every method
    std::vector<std::string> hosts;    // empty: every host
    PathPattern path;

    bool takes_host(std::string_view host) const noexcept;
    bool takes_method(std::string_view method) const noexcept;
  };
  // An entry under the spelling that path_alias.h gives it.
  struct Alias {
    const Entry* entry = nullptr;
    PathPattern path;
    bool is_script = false;

    // `folded`: a path as fold_path() writes it.
    bool matches(std::string_view folded) const noexcept;
    // Whether a pattern in that spelling takes such paths alone. Allocates.
    bool covers(const PathPattern& folded) const;
  };
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t first = 0;  // exact[first, last) have a path of this hash, in order
    std::uint32_t last = 0;   // 0: free
  };

  // Entries in the order of the policies.
  explicit Index(std::vector<Entry> entries);

  // Calls `visit(entry)` for every entry whose host and path match, each of the two tables in
  // order.
  template <typename Visit>
  void for_path(std::string_view host, std::string_view path, const Visit& visit) const;

  // Calls `visit(entry)` for every entry whose path an application may take this one for. A host of
  // another name makes no other application where the upstream is the one of elsewhere.
  template <typename Visit>
  void for_alias(std::string_view host, std::string_view path, const Visit& visit) const;
  // Whether another spelling of the path belongs to a route in front of `taken` that takes this
  // method: whoever answers for it may read it as that route's. Not where `taken` is about nothing
  // but such spellings. REQUIRES: an entry of `patterns`.
  bool is_alias_of_earlier(const Entry& taken, std::string_view method, std::string_view host,
                           std::string_view path) const;

  std::vector<Entry> exact;
  std::vector<Entry> patterns;
  std::vector<Alias> aliases;
  std::vector<Slot> slots;
  std::uint32_t mask = 0;
  std::uint32_t first_route = 0;  // the smallest id of an entry's route
  const RoutePlan* elsewhere = nullptr;
  std::vector<std::string> elsewhere_methods;
};

}  // namespace paravent::policies
