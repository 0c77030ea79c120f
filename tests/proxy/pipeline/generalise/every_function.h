// Every function of the folder under one signature, with settings that exercise it: for the laws
// that hold for all of them, and for the fuzz target.

#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/pipeline/generalise/bins.h"
#include "proxy/pipeline/generalise/dates.h"
#include "proxy/pipeline/generalise/department.h"
#include "proxy/pipeline/generalise/gps_grid.h"
#include "proxy/pipeline/generalise/language.h"
#include "proxy/pipeline/generalise/truncate_address.h"
#include "proxy/pipeline/generalise/truncate_text.h"
#include "proxy/pipeline/generalise/url_rule.h"
#include "proxy/pipeline/generalise/user_agent.h"

namespace paravent::proxy::testing {

struct Function {
  std::string name;
  bool idempotent = true;
  std::function<crypto::Status(std::string_view, std::string&)> append;
};

// The value, where a test's own settings cannot be wrong.
template <typename T>
T must(crypto::Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

inline void add_dates(std::vector<Function>& all) {
  for (const char* name : {"UTC", "Europe/Paris", "America/New_York"}) {
    const auto zone = must(TimeZone::create(name));
    for (const DateUnit unit : {DateUnit::day, DateUnit::month, DateUnit::year}) {
      all.push_back({"floor_date", true, [zone, unit](std::string_view text, std::string& out) {
                       return floor_date(text, unit, zone, out);
                     }});
    }
    const std::chrono::local_days today(std::chrono::days(20'778));  // 2026-11-21
    for (const AgeBands bands : {AgeBands{}, AgeBands{7, 90}, AgeBands{1, 3}}) {
      all.push_back({"age_band", true, [=](std::string_view text, std::string& out) {
                       return age_band(text, zone, today, bands, out);
                     }});
    }
  }
  for (const std::int32_t days : {-30, 1, 400}) {
    all.push_back({"shift_date", false, [days](std::string_view text, std::string& out) {
                     return shift_date(text, days, out);
                   }});
  }
}

inline void add_numbers(std::vector<Function>& all) {
  for (const char* step : {"1", "100", "0.5", "0.07", "1000000000"}) {
    const auto bins = must(Bins::by_step(step));
    all.push_back({"bins by step", true, [bins](std::string_view text, std::string& out) {
                     return bins.append(text, out);
                   }});
  }
  const std::string_view edges[] = {"-2.5", "0", "18", "65"};
  const auto bins = must(Bins::by_edges(edges));
  all.push_back({"bins by edges", true, [bins](std::string_view text, std::string& out) {
                   return bins.append(text, out);
                 }});
  for (const char* step : {"0.01", "0.7", "24", "0.000001"}) {
    for (const auto axis :
         {GpsGrid::Axis::both, GpsGrid::Axis::latitude, GpsGrid::Axis::longitude}) {
      const auto grid = must(GpsGrid::create(step, axis));
      all.push_back({"grid", true, [grid](std::string_view text, std::string& out) {
                       return grid.append(text, out);
                     }});
    }
  }
}

inline void add_texts(std::vector<Function>& all) {
  all.push_back({"department_of", true, department_of});
  all.push_back({"main_language", true, main_language});
  for (const std::uint32_t bits : {0U, 8U, 16U, 24U, 31U}) {
    all.push_back({"truncate_address", true, [bits](std::string_view text, std::string& out) {
                     return truncate_address(text, bits, bits * 4, out);
                   }});
  }
  all.push_back({"truncate_text", true, [](std::string_view text, std::string& out) {
                   out.append(truncate_text(text, 5));
                   return crypto::Status{};
                 }});
  all.push_back({"browser_family", true, [](std::string_view text, std::string& out) {
                   append_browser_family(text, out);
                   return crypto::Status{};
                 }});
  all.push_back({"browser_version", true, [](std::string_view text, std::string& out) {
                   append_browser_version(text, out);
                   return crypto::Status{};
                 }});
  const std::string keep[] = {"utm_source", "id", ""};
  const std::string templates[] = {"/user/*/orders", "/*", "/a/*/"};
  for (const std::size_t used : {0U, 3U}) {
    const auto rule =
        must(UrlRule::create(std::span(keep).first(used), std::span(templates).first(used)));
    all.push_back({"url", true, [rule](std::string_view text, std::string& out) {
                     return rule.append(text, out);
                   }});
  }
}

inline const std::vector<Function>& every_function() {
  static const std::vector<Function> functions = [] {
    std::vector<Function> all;
    add_dates(all);
    add_numbers(all);
    add_texts(all);
    return all;
  }();
  return functions;
}

// The name of the law that `function` breaks on `value`; empty when it breaks none. A refusal is
// `malformed`, has no sentence and leaves nothing behind; a result is its own result.
inline std::string broken_law(const Function& function, std::string_view value) {
  std::string once = "kept";
  const crypto::Status status = function.append(value, once);
  if (!once.starts_with("kept")) return "touched what was there";
  if (!status) {
    if (status.error().kind() != crypto::ErrorKind::malformed) return "another kind of error";
    if (!status.error().sentence().empty()) return "a sentence on the data path";
    return once == "kept" ? "" : "a refusal left something behind";
  }
  if (!function.idempotent) return "";
  once.erase(0, 4);
  std::string twice;
  if (!function.append(once, twice)) return "its own result is refused";
  return once == twice ? "" : "not idempotent";
}

}  // namespace paravent::proxy::testing
