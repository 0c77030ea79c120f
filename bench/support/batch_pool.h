// The batches of analytics events that the load generator sends: JSON of about 16 KiB, twenty
// events as a browser's tracker collects them, three personal values in each (e-mail address, name,
// a free text), sixty in all. Made from a seed like the forms (form_pool.h).

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::bench {

inline constexpr std::size_t kBatchEvents = 20;
inline constexpr std::size_t kDefaultBatches = 256;

enum class BatchValue : std::uint8_t { email, name, note };
inline constexpr std::array<std::string_view, 3> kBatchKeys = {"email", "name", "note"};

struct Batch {
  std::array<std::array<std::string, 3>, kBatchEvents> values;  // clear, by BatchValue
  std::string body;
};

std::vector<Batch> make_batches(std::uint64_t seed, std::size_t count);

}  // namespace paravent::bench
