#include "proxy/pipeline/generalise/gps_grid.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "proxy/pipeline/generalise/decimal.h"
#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;

constexpr std::uint32_t kDecimals = 7;  // about a centimetre
constexpr std::int64_t kDegree = 10'000'000;
constexpr std::int64_t kPole = 90 * kDegree;
constexpr std::int64_t kSeam = 180 * kDegree;

struct Scale {
  std::int64_t multiple;  // of the step
  std::int64_t below;     // used for latitudes under this one
};

// Between the multiples a and b the row changes where 1/cos(latitude) is the geometric mean of
// both. Written out, because a cosine may round differently on the next machine.
constexpr std::array<Scale, 19> kScales = {{
    {1, 450'000'000},   {2, 659'051'574},   {3, 732'213'451},   {4, 770'790'336},
    {5, 794'802'651},   {6, 817'010'789},   {8, 835'807'159},   {10, 847'623'431},
    {12, 857'254'606},  {15, 866'901'861},  {20, 873'839'085},  {24, 878'642'178},
    {30, 883'457'835},  {40, 888'303'736},  {60, 892'202'791},  {90, 894'486'626},
    {120, 896'101'486}, {180, 897'749'203}, {360, 900'000'001},
}};

// The nearest multiple of `step`; of two equally near ones the greater.
std::int64_t nearest(std::int64_t degrees, std::int64_t step) noexcept {
  return generalise::floor_div(degrees + step / 2, step) * step;
}

std::int64_t snap_longitude(std::int64_t longitude, std::int64_t step) noexcept {
  if (step == 0) return 0;
  if (longitude == -kSeam) longitude = kSeam;  // the same line
  std::int64_t snapped = nearest(longitude, step);
  if (2 * kSeam % step == 0) {
    if (snapped > kSeam) snapped -= 2 * kSeam;
    if (snapped < -kSeam) snapped += 2 * kSeam;
  } else {
    // The cells do not close the circle; the last ones on either side end at the seam.
    snapped = std::clamp(snapped, -kSeam, kSeam);
  }
  return snapped == -kSeam ? kSeam : snapped;
}

std::optional<std::int64_t> read_degrees(std::string_view text, std::int64_t most) {
  const auto degrees = generalise::read_decimal(generalise::trimmed(text), kDecimals);
  if (!degrees || *degrees > most || *degrees < -most) return std::nullopt;
  return degrees;
}

}  // namespace

crypto::Result<GpsGrid> GpsGrid::create(std::string_view step, Axis axis) {
  const Error wrong(ErrorKind::configuration,
                    "The step of the grid is not a number of degrees from 0.000001 to 45 with at "
                    "most 6 decimals.");
  GpsGrid grid;
  grid.axis_ = axis;
  grid.decimals_ = generalise::decimals_of(step);
  const auto units = generalise::read_decimal(step, kDecimals);
  if (!units || *units <= 0 || *units > 45 * kDegree || grid.decimals_ >= kDecimals ||
      step.find_first_of("eE") != std::string_view::npos) {
    return wrong;
  }
  grid.step_ = *units;
  std::int64_t usable = *units;
  const bool divides = 2 * kSeam % *units == 0;
  for (const Scale& scale : kScales) {
    const std::int64_t wanted = *units * scale.multiple;
    if (wanted > kSeam) break;
    if (!divides || 2 * kSeam % wanted == 0) usable = wanted;
    grid.rows_.push_back({scale.below, usable});
  }
  grid.rows_.back().below = kPole + 1;
  return grid;
}

crypto::Status GpsGrid::append(std::string_view value, std::string& out) const {
  if (axis_ == Axis::latitude) {
    const auto latitude = read_degrees(value, kPole);
    if (!latitude) return Error(ErrorKind::malformed);
    append_degrees(snap_latitude(*latitude), out);
    return {};
  }
  if (axis_ == Axis::longitude) {
    const auto longitude = read_degrees(value, kSeam);
    if (!longitude) return Error(ErrorKind::malformed);
    append_degrees(snap_longitude(*longitude, step_), out);
    return {};
  }
  const std::size_t comma = value.find(',');
  if (comma == std::string_view::npos) return Error(ErrorKind::malformed);
  const auto latitude = read_degrees(value.substr(0, comma), kPole);
  const auto longitude = read_degrees(value.substr(comma + 1), kSeam);
  if (!latitude || !longitude) return Error(ErrorKind::malformed);
  const std::int64_t row = snap_latitude(*latitude);
  append_degrees(row, out);
  out.push_back(',');
  append_degrees(snap_longitude(*longitude, longitude_step(row)), out);
  return {};
}

std::int64_t GpsGrid::snap_latitude(std::int64_t latitude) const noexcept {
  return std::clamp(nearest(latitude, step_), -kPole, kPole);
}

std::int64_t GpsGrid::longitude_step(std::int64_t snapped_latitude) const noexcept {
  if (snapped_latitude == snap_latitude(kPole) || snapped_latitude == snap_latitude(-kPole))
    return 0;
  const std::int64_t magnitude = std::abs(snapped_latitude);
  const auto row = std::find_if(rows_.begin(), rows_.end(),
                                [magnitude](const Row& one) { return magnitude < one.below; });
  return row->longitude_step;
}

void GpsGrid::append_degrees(std::int64_t degrees, std::string& out) const {
  std::int64_t unit = 1;
  for (std::uint32_t i = decimals_; i < kDecimals; ++i) unit *= 10;
  generalise::append_decimal(degrees / unit, decimals_, out);
}

}  // namespace paravent::proxy
