// The request vectors of nodejs/llhttp (tests/vectors/README.md): what that parser refuses or
// accepts only leniently, we refuse; what it accepts we accept, but for the vectors named below,
// where our rule is stricter on purpose.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/proxy/net/parsed.h"

namespace paravent::proxy::net {
namespace {

struct Vector {
  std::string name;
  bool lenient = false;
  bool ends_in_error = false;
  bool upgrade_pause = false;  // "Pause on CONNECT/Upgrade" is no error but a hand-over
  std::string request;
};

std::string unescape_markdown(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char c = text[++i];
    if (c == 'r') {
      out.push_back('\r');
    } else if (c == 'n') {
      out.push_back('\n');
    } else if (c == 't') {
      out.push_back('\t');
    } else if (c == 'x') {
      out.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    } else {
      out.push_back('\\');
      out.push_back(c);
    }
  }
  return out;
}

// Lines of the block get CRLF, as its authors write it, except where a line ends in a backslash;
// the line break in front of the closing fence is not part of it.
std::string read_request(std::ifstream& in) {
  std::string raw;
  bool joined = true;
  for (std::string line; std::getline(in, line) && line != "```";) {
    if (!joined) raw += "\r\n";
    joined = !line.empty() && line.back() == '\\' && !line.ends_with("\\\\");
    if (joined) line.pop_back();
    raw += unescape_markdown(line);
  }
  return raw;
}

std::vector<Vector> read_vectors(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<Vector> vectors;
  std::string title;
  std::string meta;
  std::map<std::string, int> seen;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) title = line.substr(line.find_first_not_of("# "));
    if (line.starts_with("<!-- meta=")) meta = line;
    if (line == "```http") {
      Vector vector;
      vector.name = path.stem().string() + ": " + title;
      if (const int n = ++seen[vector.name]; n > 1) vector.name += " (" + std::to_string(n) + ")";
      vector.lenient = meta.find("lenient") != std::string::npos;
      vector.request = read_request(in);
      vectors.push_back(vector);
    } else if (line == "```log" && !vectors.empty()) {
      std::string last;
      for (std::string entry; std::getline(in, entry) && entry != "```";) last = entry;
      vectors.back().upgrade_pause = last.find("error code=22") != std::string::npos;
      vectors.back().ends_in_error =
          last.find(" error ") != std::string::npos && !vectors.back().upgrade_pause;
    }
  }
  return vectors;
}

// Vectors about other things leave Host out; it is given to them, so that they are about those
// things.
std::string with_host(const std::string& request) {
  const std::size_t line_end = request.find("\r\n", request.starts_with("\r\n") ? 2 : 0);
  if (line_end == std::string::npos || request.find("\r\nHost:") != std::string::npos ||
      request.find("\r\nHOST:") != std::string::npos) {
    return request;
  }
  return request.substr(0, line_end) + "\r\nHost: vector.example" + request.substr(line_end);
}

// Runs requests until the input is used up; "ok" only if all of them are.
std::string outcome_of_all(std::string bytes) {
  while (!bytes.empty()) {
    const Parsed parsed = parse_request(with_host(bytes), whole());
    if (parsed.outcome != "ok") return parsed.outcome;
    bytes = parsed.facts.at("rest");
    // Behind a request that asked for it the connection is closed; what follows is never read.
    if (parsed.facts.at("keep-alive") == "no" && !bytes.empty()) return "not read";
  }
  return "ok";
}

const std::map<std::string, std::string>& stricter() {
  static const std::map<std::string, std::string> kTable = {
      {"sample: curl GET", "its Host holds '='"},
      {"sample: Firefox GET", "its Host holds '='"},
      {"sample: Prefix newline", "an empty line in front of the request line"},
      {"sample: Request starting with CRLF", "an empty line in front of the request line"},
      {"connection: CRLF between requests, implicit `keep-alive`",
       "an empty line in front of the second request line"},
      {"sample: No HTTP version", "HTTP/0.9"},
      {"content-length: `Content-Length` with zeroes", "a leading zero"},
      {"content-length: `Content-Length` with follow-up headers", "a leading zero"},
      {"content-length: Funky `Content-Length` with body", "a body on GET"},
      {"method: CONNECT request", "no tunnels"},
      {"method: CONNECT request with CAPS", "no tunnels"},
      {"method: CONNECT with body", "no tunnels"},
      {"method: M-SEARCH request", "the asterisk belongs to OPTIONS"},
      {"method: SOURCE request with ICE", "another protocol"},
      {"method: OPTIONS request with RTSP", "another protocol"},
      {"method: ANNOUNCE request with RTSP", "another protocol"},
      {"transfer-encoding: Trailing headers", "trailers"},
      {"transfer-encoding: Chunk extensions", "chunk extensions"},
      {"transfer-encoding: Chunk extensions quoting", "chunk extensions"},
      {"transfer-encoding: POST with `chunked` as last transfer-encoding", "a second coding"},
      {"transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)",
       "a second coding"},
  };
  return kTable;
}

TEST(LlhttpVectors, WhatIsRefusedThereIsRefusedHere) {
  std::size_t count = 0;
  std::set<std::string> used;
  for (const auto& entry : std::filesystem::directory_iterator("tests/vectors/llhttp/request")) {
    for (const Vector& vector : read_vectors(entry.path())) {
      SCOPED_TRACE(vector.name);
      ++count;
      const std::string outcome = outcome_of_all(vector.request);
      if (vector.ends_in_error || vector.lenient) {
        EXPECT_NE(outcome, "ok") << vector.request;
        continue;
      }
      const auto reason = stricter().find(vector.name);
      if (reason == stricter().end()) {
        // "incomplete" is acceptance as well: those vectors stop in the middle of a body.
        EXPECT_TRUE(outcome == "ok" || outcome == "incomplete") << outcome << "\n"
                                                                << vector.request;
      } else {
        used.insert(vector.name);
        EXPECT_TRUE(outcome.starts_with("refused"))
            << outcome << "; stricter because " << reason->second;
      }
    }
  }
  EXPECT_GT(count, 90U);
  for (const auto& [name, reason] : stricter()) EXPECT_TRUE(used.contains(name)) << name;
}

}  // namespace
}  // namespace paravent::proxy::net
