// GpsGrid: a position becomes the middle of the cell it lies in.
//
// Latitudes go to the nearest multiple of the step. Longitudes go to the nearest multiple of the
// step times a whole number that grows with the row's latitude (1 below 45 degrees, 2 below 66, and
// so on), so that cells stay about as wide as high: the sides differ by at most the square root of
// two (but where the multiple would not divide the circle: then a smaller one). The rows at the
// poles are one cell each. The longitude -180 is written 180, and a cell may lie across that seam.
//
// Results have as many decimals as the step and are exact. Idempotent; latitudes are monotone, and
// longitudes of one row but for the seam. A longitude without its latitude cannot be scaled: it has
// the plain step. Immutable once made; any thread.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy {

class GpsGrid {
 public:
  enum class Axis : std::uint8_t { both, latitude, longitude };

  // Degrees: 0.000001 to 45, at most 6 decimals. `configuration`: it is not.
  static crypto::Result<GpsGrid> create(std::string_view step, Axis axis);

  // "48.8584,2.2945" -> "48.86,2.30". No heap once `out` has room. `malformed`, and `out` as it
  // was: no coordinate, or none on the globe.
  crypto::Status append(std::string_view value, std::string& out) const;

 private:
  struct Row {
    std::int64_t below;           // of the latitude's magnitude
    std::int64_t longitude_step;  // 0: one cell
  };

  GpsGrid() = default;

  std::int64_t snap_latitude(std::int64_t latitude) const noexcept;
  std::int64_t longitude_step(std::int64_t snapped_latitude) const noexcept;
  void append_degrees(std::int64_t degrees, std::string& out) const;

  Axis axis_ = Axis::both;
  std::uint32_t decimals_ = 0;
  std::int64_t step_ = 0;  // this and all degrees inside: in units of 10^-7
  std::vector<Row> rows_;
};

}  // namespace paravent::proxy
