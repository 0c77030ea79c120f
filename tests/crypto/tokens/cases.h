// Reads the case files of this folder: tab-separated, "#" begins a comment line, and in a field \t,
// \n, \r,
// \\ and \xHH stand for bytes.

#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::crypto::testing {

inline std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    const char kind = text.at(++i);
    if (kind == 't') out.push_back('\t');
    if (kind == 'n') out.push_back('\n');
    if (kind == 'r') out.push_back('\r');
    if (kind == '\\') out.push_back('\\');
    if (kind == 'x') {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    }
  }
  return out;
}

using Row = std::vector<std::string>;

// Every row has exactly `columns` fields; throws when a file is missing, empty or misshapen, which
// fails the test that asked.
inline std::vector<Row> read_cases(const std::string& path, std::size_t columns) {
  std::ifstream in(path, std::ios::binary);
  std::vector<Row> rows;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line.front() == '#') continue;
    Row row;
    std::size_t begin = 0;
    while (true) {
      const std::size_t tab = line.find('\t', begin);
      row.push_back(unescape(std::string_view(line).substr(begin, tab - begin)));
      if (tab == std::string::npos) break;
      begin = tab + 1;
    }
    if (row.size() != columns)
      throw std::runtime_error(path + ": wrong number of columns: " + line);
    rows.push_back(row);
  }
  if (rows.empty()) throw std::runtime_error(path + ": no cases");
  return rows;
}

}  // namespace paravent::crypto::testing
