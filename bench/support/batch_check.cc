#include "bench/support/batch_check.h"

#include "bench/support/token_shape.h"

namespace paravent::bench {
namespace {

// As the forms' witness: header 6 + SIV 16 + bucket 64 as Bech32m, and a pseudonym.
constexpr std::size_t kDerived = 148;
constexpr std::size_t kPseudonym = 52;

}  // namespace

BatchCheck::BatchCheck(Expectation expectation, const std::vector<Batch>& batches)
    : expectation_(expectation) {
  for (const Batch& batch : batches) {
    for (const auto& event : batch.values) clear_.insert(event.begin(), event.end());
  }
}

void BatchCheck::inspect(std::string_view body) { ++(is_right(body) ? good_ : bad_); }

bool BatchCheck::is_right(std::string_view body) const {
  if (!body.starts_with('{') || !body.ends_with('}')) return false;
  for (std::size_t which = 0; which < kBatchKeys.size(); ++which) {
    const std::string key = "\"" + std::string(kBatchKeys[which]) + "\":\"";
    std::size_t found = 0;
    for (std::size_t at = body.find(key); at != std::string_view::npos; at = body.find(key, at)) {
      at += key.size();
      const std::size_t end = body.find('"', at);
      if (end == std::string_view::npos) return false;
      if (!is_right_value(static_cast<BatchValue>(which), body.substr(at, end - at))) return false;
      ++found;
    }
    if (found != kBatchEvents) return false;
  }
  return true;
}

bool BatchCheck::is_right_value(BatchValue which, std::string_view value) const {
  if (expectation_ == Expectation::clear) return clear_.contains(std::string(value));
  if (expectation_ == Expectation::changed) {
    return is_base64url(value) && !clear_.contains(std::string(value));
  }
  switch (which) {
    case BatchValue::email:
      return is_bech32m(value, "pvd", kDerived);
    case BatchValue::name:
      return is_bech32m(value, "pvh", kPseudonym);
    case BatchValue::note:
      return is_encrypted_text(value);
  }
  return false;
}

}  // namespace paravent::bench
