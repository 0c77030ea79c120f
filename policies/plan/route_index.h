// The route table of a PolicyPlan; the first route in the order of the policies wins. Internal to
// policies/plan. Immutable; look-ups allocate nothing unless a path is longer than any protected
// one.
//
// Many routes cost what few do: a request is compared with those of its host and with those of
// every host, and among these by the hash of its path (path_table.h). Only the patterns of these
// are asked in turn.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/path_pattern.h"
#include "policies/plan/path_table.h"
#include "policies/plan/policy_plan.h"

namespace paravent::policies {

class PolicyPlan::Index {
 public:
  struct Entry {
    const RoutePlan* route = nullptr;  // its id is the order
    std::vector<std::string> methods;  // empty: every method
    std::vector<std::string> hosts;    // empty: every host
    PathPattern path;

    bool takes_method(std::string_view method) const noexcept;
  };
  struct Elsewhere {
    const RoutePlan* route = nullptr;  // null: there is none
    std::vector<std::string> methods;
  };

  // Entries in the order of the policies.
  Index(std::vector<Entry> entries, Elsewhere elsewhere);
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  const Elsewhere& elsewhere() const noexcept { return elsewhere_; }

  // Calls `visit(entry)` for every entry whose host and path match, in no order.
  template <typename Visit>
  void for_path(std::string_view host, std::string_view path, const Visit& visit) const;

  // Calls `visit(entry)` for every entry whose path an application may take this one for, in no
  // order, and more than once for some. A host of another name makes no other application where the
  // upstream is the one of elsewhere.
  template <typename Visit>
  void for_alias(std::string_view host, std::string_view path, const Visit& visit) const;
  // Whether another spelling of the path belongs to a route in front of `taken` that takes this
  // method: whoever answers for it may read it as that route's. Not where `taken` is about nothing
  // but such spellings. REQUIRES: an entry of this index.
  bool is_alias_of_earlier(const Entry& taken, std::string_view method, std::string_view host,
                           std::string_view path) const;

 private:
  // An entry's path under the spelling that path_alias.h gives it.
  struct Alias {
    PathPattern path;
    bool is_path = false;  // false: that spelling is none
    bool is_script = false;

    // Whether a pattern in that spelling takes such paths alone. Allocates.
    bool covers(const PathPattern& folded) const;
  };
  // Tables of entries, by their numbers.
  struct Scope {
    PathTable paths;
    PathTable aliases;
  };

  void add_alias(const Entry& entry);
  const Scope* scope_of(std::string_view host) const noexcept;
  template <typename Visit>
  void for_alias_in(const PathTable& table, std::string_view folded, const Visit& visit) const;

  std::vector<Entry> entries_;
  std::vector<Alias> aliases_;      // of each entry
  std::size_t longest_script_ = 0;  // of the aliases
  Elsewhere elsewhere_;
  Scope of_every_host_;
  TextTable hosts_;  // which of of_host_
  std::vector<Scope> of_host_;
  PathTable beside_elsewhere_;  // aliases of those of some hosts, at the same upstream
};

}  // namespace paravent::policies
