#include "proxy/admin/utc_text.h"

#include <array>
#include <ctime>

#include "crypto/keys/epoch.h"

namespace paravent::proxy::admin {

std::string utc_text(crypto::WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm utc{};
  std::array<char, 40> text{};
  if (::gmtime_r(&seconds, &utc) == nullptr) return "9999-12-31T23:59:59Z";
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text.data(), size};
}

std::optional<crypto::WallTime> day_from(std::string_view text) {
  const auto day = crypto::parse_epoch(text);
  if (!day || day->length != crypto::EpochLength::day) return std::nullopt;
  return crypto::epoch_start(*day);
}

}  // namespace paravent::proxy::admin
