#include "proxy/main/keepers/issuers_told.h"

#include <algorithm>

namespace paravent::proxy::main {
namespace {

constexpr std::string_view kFirstLine = "paravent-oidc-told-v1\n";
constexpr std::string_view kEnd = "end\n";
constexpr std::string_view kWord = "told ";
constexpr std::size_t kMostName = 512;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostName &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool read_line(std::string_view line, IssuersTold& told) {
  if (!line.starts_with(kWord)) return false;
  line.remove_prefix(kWord.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  std::pair<std::string, std::string> one(line.substr(0, space), line.substr(space + 1));
  if (!is_name(one.first) || !is_name(one.second)) return false;
  // In order, so that there is one spelling of a list.
  if (!told.empty() && one <= *told.rbegin()) return false;
  told.insert(std::move(one));
  return told.size() <= kMostIssuersTold;
}

}  // namespace

std::string issuers_told_text(const IssuersTold& told) {
  std::string out(kFirstLine);
  for (const auto& [log, issuer] : told) {
    out.append(kWord).append(log).append(" ").append(issuer).append("\n");
  }
  return out.append(kEnd);
}

std::optional<IssuersTold> parse_issuers_told(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return std::nullopt;
  text.remove_prefix(kFirstLine.size());
  IssuersTold told;
  while (text != kEnd) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !read_line(text.substr(0, end), told)) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  return told;
}

}  // namespace paravent::proxy::main
