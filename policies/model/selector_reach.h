// SelectorReach: which fields a rule's selector takes, in a form in which the rules of one route
// are compared: whether two are about the same field, and whether one leaves anything to another.
//
// Immutable; borrows the selector, which must outlive it.

#pragma once

#include <string>
#include <vector>

#include "policies/model/selector.h"

namespace paravent::policies {

class SelectorReach {
 public:
  // `php_names`: whether the route's names are read as PHP reads them.
  SelectorReach(const FieldSelector& selector, bool php_names);

  // Whether both take exactly the same, however they are spelled.
  bool same_as(const SelectorReach& other) const;
  // Whether nothing is left to `later`, which stands behind this one: both are looked for in the
  // order of the policy, and every field of `later` is one of this one's too. False where the two
  // cannot be compared; never true in error.
  bool leaves_nothing_to(const SelectorReach& later) const;

 private:
  const FieldSelector& selector_;
  bool php_names_;
  std::string name_;  // flat carriers
  bool in_order_;     // has wildcards: names without them are looked for first
  // json: nullptr stands for any run of steps, before the key of a `..key`.
  std::vector<const SelectorStep*> steps_;
};

}  // namespace paravent::policies
