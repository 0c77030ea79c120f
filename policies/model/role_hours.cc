#include "policies/model/role_hours.h"

#include <algorithm>
#include <string>
#include <utility>

namespace paravent::policies {
namespace {

constexpr std::size_t kMostWindows = 14;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::uint8_t read_days(MapReader& map, const YamlNode& node) {
  std::uint8_t days = 0;
  for (const auto& word : read_texts(node, map.key("days"), false, map.diagnostics())) {
    const auto found = std::find(kDayNames.begin(), kDayNames.end(), word.value);
    if (found == kDayNames.end()) {
      map.diagnostics().error(word.at, map.key("days"), in_quotes(word.value) + " is no day",
                              "mon, tue, wed, thu, fri, sat, sun");
      continue;
    }
    const auto bit = 1U << static_cast<unsigned>(found - kDayNames.begin());
    days = static_cast<std::uint8_t>(days | bit);
  }
  return days;
}

std::optional<std::uint16_t> read_time(MapReader& map, std::string_view key, bool is_end) {
  map.require(key, "A time of day, for example '08:00'");
  const auto text = map.text(key);
  if (!text) return std::nullopt;
  const auto minutes = parse_time_of_day(text->value, is_end);
  if (!minutes) {
    map.diagnostics().error(text->at, map.key(key), in_quotes(text->value) + " is no time of day",
                            is_end ? "HH:MM, from 00:00 to 24:00" : "HH:MM, from 00:00 to 23:59");
  }
  return minutes;
}

HourWindow read_window(const YamlNode& node, std::string key, Diagnostics& out) {
  HourWindow window;
  MapReader map(node, std::move(key), out);
  if (!map.is_map()) return window;
  if (const YamlNode* days = map.find("days")) {
    window.days = read_days(map, *days);
    if (window.days == 0 && days->is_sequence() && days->items.empty()) {
      out.error(days->at, map.key("days"), "no day is named", "Leave days out for every day");
    }
  }
  const auto from = read_time(map, "from", false);
  const auto until = read_time(map, "until", true);
  if (from) window.from = *from;
  if (until) window.until = *until;
  if (from && until && *from == *until) {
    out.error(map.at(), map.key(), "it ends where it begins",
              "Write from: '00:00', until: '24:00' for a whole day");
  }
  map.finish();
  return window;
}

}  // namespace

std::optional<std::uint16_t> parse_time_of_day(std::string_view text, bool is_end) noexcept {
  if (text.size() != 5 || !is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' ||
      !is_digit(text[3]) || !is_digit(text[4])) {
    return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  const bool is_midnight = is_end && hours == 24 && minutes == 0;
  if ((hours > 23 && !is_midnight) || minutes > 59) return std::nullopt;
  return static_cast<std::uint16_t>(hours * 60 + minutes);
}

std::vector<HourWindow> read_hours(MapReader& role) {
  std::vector<HourWindow> windows;
  const YamlNode* node = role.find("hours");
  if (node == nullptr) return windows;
  const std::string key = role.key("hours");
  if (!node->is_sequence()) {
    windows.push_back(read_window(*node, key, role.diagnostics()));
    return windows;
  }
  if (node->items.empty() || node->items.size() > kMostWindows) {
    role.diagnostics().error(
        node->at, key, "expected 1 to 14 windows",
        "Write for example { days: [mon, tue], from: '08:00', until: '18:00' }");
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    windows.push_back(
        read_window(node->items[i], key + "[" + std::to_string(i) + "]", role.diagnostics()));
  }
  return windows;
}

bool is_within(const std::vector<HourWindow>& windows, unsigned day, unsigned minute) noexcept {
  const unsigned day_before = (day + 6) % 7;
  return std::any_of(windows.begin(), windows.end(), [&](const HourWindow& window) {
    const bool today = ((window.days >> day) & 1U) != 0;
    const bool yesterday = ((window.days >> day_before) & 1U) != 0;
    if (window.from < window.until) {
      return today && minute >= window.from && minute < window.until;
    }
    return (today && minute >= window.from) || (yesterday && minute < window.until);
  });
}

}  // namespace paravent::policies
