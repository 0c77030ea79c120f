#include "tests/proxy/net/case_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace paravent::proxy::net {
namespace {

Case read_title(const std::string& file, const std::string& line) {
  const std::size_t bar = line.rfind(" | ");
  if (bar == std::string::npos) throw std::runtime_error(file + ": no outcome: " + line);
  Case result;
  result.file = file;
  result.name = line.substr(4, bar - 4);
  result.outcome = line.substr(bar + 3);
  if (!result.outcome.starts_with("ok")) return result;
  std::istringstream words(result.outcome);
  words >> result.outcome;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) throw std::runtime_error(file + ": no '=': " + word);
    result.expected[word.substr(0, equals)] = unescape(word.substr(equals + 1));
  }
  return result;
}

}  // namespace

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    switch (text.at(++i)) {
      case 'r':
        out.push_back('\r');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 't':
        out.push_back('\t');
        break;
      case '0':
        out.push_back('\0');
        break;
      case 's':
        out.push_back(' ');
        break;
      case '\\':
        out.push_back('\\');
        break;
      case 'x':
        out.push_back(
            static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
        i += 2;
        break;
      default:
        throw std::runtime_error("unknown escape in: " + std::string(text));
    }
  }
  return out;
}

std::vector<Case> read_cases(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".http") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Case> cases;
  for (const std::string& path : paths) {
    std::ifstream in(path, std::ios::binary);
    bool in_case = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("=== ")) {
        cases.push_back(read_title(path, line));
        in_case = true;
      } else if (in_case) {
        cases.back().bytes += unescape(line);
      } else if (!line.empty() && line[0] != '#') {
        throw std::runtime_error(path + ": bytes in front of the first case");
      }
    }
  }
  return cases;
}

}  // namespace paravent::proxy::net
