#include "proxy/main/keepers/syslog_line.h"

#include <unistd.h>

#include <array>
#include <boost/json.hpp>

namespace paravent::proxy::main {
namespace {

namespace json = boost::json;

constexpr int kFacility = 13;

std::string_view text_of(const json::object& entry, std::string_view name) {
  const auto* value = entry.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

int severity_of(std::string_view event, std::string_view outcome) {
  if (event == "alarm") return 1;
  if (outcome == "failed") return 3;
  if (outcome == "refused" || event == "refusal") return 4;
  return 6;
}

// RFC 5424 6.3.3: the three characters that a value escapes; what would break the line is a space.
void append_value(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == ']') out.push_back('\\');
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
  }
}

// 6.2.4: printable ASCII, at most 255.
std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "-";
  std::string out;
  for (const char c : std::string_view(name.data())) {
    if (c > ' ' && c < 0x7F) out.push_back(c);
  }
  return out.empty() ? "-" : out;
}

}  // namespace

std::string syslog_line(const json::object& entry) {
  const std::string_view event = text_of(entry, "event");
  const std::string_view outcome = text_of(entry, "outcome");
  const std::string_view time = text_of(entry, "time");
  std::string out = "<" + std::to_string(kFacility * 8 + severity_of(event, outcome)) + ">1 ";
  out.append(time.empty() ? "-" : time).append(" ").append(host_name()).append(" paravent - ");
  out.append(event.empty() ? "-" : event).append(" [paravent@32473");
  for (const auto& [key, value] : entry) {
    const std::string_view name(key.data(), key.size());
    if (name == "time" || name == "event") continue;
    out.append(" ").append(name).append("=\"");
    if (value.is_string()) {
      append_value(text_of(entry, name), out);
    } else {
      append_value(json::serialize(value), out);
    }
    out.append("\"");
  }
  return out.append("] ").append(event).append(" ").append(outcome);
}

}  // namespace paravent::proxy::main
