// The analytics batch of the comparison: 20 events in about 16 KiB of JSON, of each of which a
// name, an e-mail address and a city are protected; and the responder's judgement on one that
// arrives.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "bench/support/body_check.h"
#include "bench/support/form_pool.h"

namespace paravent::bench {

inline constexpr std::size_t kBatchEvents = 20;

// The events' people are `forms`, from `first` on, around the end.
std::string make_batch(std::span<const Form> forms, std::size_t first);

// clear: as make_batch makes them; tokens: two derived tokens and a pseudonym in each event, and no
// address left. REQUIRES: not Expectation::changed.
bool batch_is_right(Expectation expectation, std::string_view body);

}  // namespace paravent::bench
