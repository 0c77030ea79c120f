#include "proxy/pipeline/generalise/bins.h"

#include <algorithm>

#include "proxy/pipeline/generalise/decimal.h"
#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;

constexpr std::int64_t kMostBound = 1'000'000'000'000'000;  // 10^15

// A bound of a policy, exact; none when it has an exponent or too many digits.
std::optional<std::int64_t> read_bound(std::string_view text, std::uint32_t decimals) {
  if (decimals > 15 || text.find_first_of("eE") != std::string_view::npos) return std::nullopt;
  const auto units = generalise::read_decimal(text, decimals);
  if (!units || *units > kMostBound || *units < -kMostBound) return std::nullopt;
  return units;
}

}  // namespace

crypto::Result<Bins> Bins::by_step(std::string_view step) {
  Bins bins;
  bins.decimals_ = generalise::decimals_of(step);
  const auto units = read_bound(step, bins.decimals_);
  if (!units || *units <= 0) {
    return Error(ErrorKind::configuration, "The step of the bins is not a number above zero.");
  }
  bins.step_ = *units;
  return bins;
}

crypto::Result<Bins> Bins::by_edges(std::span<const std::string_view> edges) {
  Bins bins;
  for (const std::string_view edge : edges) {
    bins.decimals_ = std::max(bins.decimals_, generalise::decimals_of(edge));
  }
  for (const std::string_view edge : edges) {
    const auto units = read_bound(edge, bins.decimals_);
    if (!units) return Error(ErrorKind::configuration, "An edge of the bins is not a number.");
    if (!bins.edges_.empty() && *units <= bins.edges_.back()) {
      return Error(ErrorKind::configuration, "The edges of the bins do not ascend.");
    }
    bins.edges_.push_back(*units);
  }
  if (edges.empty()) return Error(ErrorKind::configuration, "The bins have no edges.");
  return bins;
}

crypto::Status Bins::append(std::string_view value, std::string& out) const {
  value = generalise::trimmed(value);
  if (const auto units = generalise::read_decimal(value, decimals_)) {
    if (!append_bin(*units, out)) return Error(ErrorKind::malformed);
    return {};
  }
  if (append_own(value, out)) return {};
  return Error(ErrorKind::malformed);
}

void Bins::append_range(std::int64_t first, std::int64_t last, std::string& out) const {
  generalise::append_decimal(first, decimals_, out);
  if (first == last) return;
  out.push_back('-');
  generalise::append_decimal(last, decimals_, out);
}

bool Bins::append_bin(std::int64_t units, std::string& out) const {
  if (step_ != 0) {
    const std::int64_t first = generalise::floor_div(units, step_) * step_;
    const std::int64_t last = first + step_ - 1;
    // Our own label has to be readable again.
    if (first < -generalise::kMostUnits || last > generalise::kMostUnits) return false;
    append_range(first, last, out);
    return true;
  }
  const auto above = std::upper_bound(edges_.begin(), edges_.end(), units);
  if (above == edges_.begin()) {
    out.push_back('<');
    generalise::append_decimal(edges_.front(), decimals_, out);
  } else if (above == edges_.end()) {
    generalise::append_decimal(edges_.back(), decimals_, out);
    out.push_back('+');
  } else {
    append_range(*std::prev(above), *above - 1, out);
  }
  return true;
}

// The bin that a label names begins with a number of that bin; the label is ours when that number
// leads to the very same text.
bool Bins::append_own(std::string_view value, std::string& out) const {
  std::string_view number = value;
  const bool lowest = value.starts_with('<');
  if (lowest) {
    number.remove_prefix(1);
  } else {
    const std::size_t end = value.find_first_of("-+", 1);
    number = value.substr(0, end);
  }
  const auto units = generalise::read_decimal(number, decimals_);
  if (!units) return false;
  const std::size_t start = out.size();
  const bool known = append_bin(lowest ? *units - 1 : *units, out);
  if (known && std::string_view(out).substr(start) == value) return true;
  out.resize(start);
  return false;
}

}  // namespace paravent::proxy
