#include "policies/plan/path_table.h"

namespace paravent::policies {

void TextTable::add(std::string_view text, std::uint32_t number) {
  items_.push_back({text, hash_of(text), number, 0});
  if (slots_.size() < items_.size() * 2) {
    slots_.assign(slots_.empty() ? 4 : slots_.size() * 2, 0);
    for (std::uint32_t i = 0; i < items_.size(); ++i) link(i);
  } else {
    link(static_cast<std::uint32_t>(items_.size() - 1));
  }
}

void TextTable::link(std::uint32_t item) noexcept {
  std::uint32_t& slot = slots_[items_[item].hash & (slots_.size() - 1)];
  items_[item].next = slot;
  slot = item + 1;
}

void PathTable::add(const PathPattern& path, std::uint32_t number) {
  if (path.is_exact()) {
    exact_.add(path.text(), number);
  } else {
    patterns_.push_back({&path, number});
  }
}

}  // namespace paravent::policies
