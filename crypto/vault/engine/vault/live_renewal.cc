#include "crypto/vault/engine/vault/live_renewal.h"

#include <utility>

#include "crypto/base/secret_arena.h"
#include "crypto/vault/engine/keys/key_tree.h"

namespace paravent::crypto::vault {

Status LiveRenewal::prepare(const Renewal& renewal) {
  auto next = std::make_shared<LiveContexts>(*live_.load());
  for (const auto& [left, wrap] : next->wraps) {
    const auto moved = renewal.moved.find(left);
    if (moved == renewal.moved.end()) continue;
    auto outer = renewal.tree.wrapping_key_under(moved->second);
    if (!outer) {
      successors_.clear();
      return outer.error();
    }
    successors_.emplace(left, std::make_shared<const TenantWrap>(
                                  TenantWrap{wrap->tenant, moved->second, std::move(*outer)}));
  }
  if (successors_.empty()) return {};
  for (const auto& [left, wrap] : successors_) next->wraps.emplace(wrap->parent, wrap);
  live_.store(std::move(next));
  return {};
}

void LiveRenewal::finish(std::uint32_t /*number*/) {
  if (successors_.empty()) return;
  auto next = std::make_shared<LiveContexts>(*live_.load());
  for (auto& [key_id, subject] : next->subjects) {
    const auto successor = successors_.find(subject->wrap->parent);
    if (successor == successors_.end()) continue;
    LiveSubject moved = *subject;
    moved.wrap = successor->second;
    subject = share_in_arena(std::move(moved));
  }
  live_.store(std::move(next));
  successors_.clear();
}

void LiveRenewal::cancel() {
  if (successors_.empty()) return;
  auto next = std::make_shared<LiveContexts>(*live_.load());
  for (const auto& [left, wrap] : successors_) next->wraps.erase(wrap->parent);
  live_.store(std::move(next));
  successors_.clear();
}

}  // namespace paravent::crypto::vault
