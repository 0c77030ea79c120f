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
    return *scanners_[depth];
  }
  ElementFilters& filters_at(std::size_t depth) {
    make(depth);
    return *filters_[depth];
  }
  policies::JsonWalk& walk_at(std::size_t depth) {
    make(depth);
    return *walks_[depth];
  }

 private:
  void make(std::size_t depth) {
    while (scanners_.size() <= depth) {
      scanners_.push_back(std::make_unique<JsonScanner>(hash_key_));
      filters_.push_back(std::make_unique<ElementFilters>());
      walks_.push_back(std::make_unique<policies::JsonWalk>());
    }
  }

  std::uint64_t hash_key_;
  std::vector<std::unique_ptr<JsonScanner>> scanners_;
  std::vector<std::unique_ptr<ElementFilters>> filters_;
  std::vector<std::unique_ptr<policies::JsonWalk>> walks_;
};

}  // namespace paravent::proxy::body
