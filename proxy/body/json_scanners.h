// JsonScanners: one JsonScanner, with its ElementFilters and JsonWalk, for each depth of nesting,
// since the scan of an outer text waits while one inside of it is scanned. Made when first needed,
// then kept. Owned by one thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "policies/plan/json_walk.h"
#include "proxy/body/element_filters.h"
#include "proxy/body/json.h"

namespace paravent::proxy::body {

class JsonScanners {
 public:
  // `hash_key`: see JsonScanner.
  explicit JsonScanners(std::uint64_t hash_key) : hash_key_(hash_key) { at(0); }

  JsonScanner& at(std::size_t depth) {
    make(depth);
    return levels_[depth]->scanner;
  }
  ElementFilters& filters_at(std::size_t depth) {
    make(depth);
    return levels_[depth]->filters;
  }
  policies::JsonWalk& walk_at(std::size_t depth) {
    make(depth);
    return levels_[depth]->walk;
  }

 private:
  void make(std::size_t depth) {
    while (levels_.size() <= depth) levels_.push_back(std::make_unique<Level>(hash_key_));
  }

  struct Level {
    explicit Level(std::uint64_t hash_key) : scanner(hash_key) {}
    JsonScanner scanner;
    ElementFilters filters;
    policies::JsonWalk walk;
  };

  std::uint64_t hash_key_;
  std::vector<std::unique_ptr<Level>> levels_;
};

}  // namespace paravent::proxy::body
