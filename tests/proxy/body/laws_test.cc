// Property tests: generated texts of every carrier, with the liberties that real clients take, must
// be accepted and obey the two laws. A failure prints its seed and its text.

#include "tests/proxy/body/laws.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/lines.h"
#include "proxy/body/multipart.h"
#include "tests/proxy/body/random.h"

namespace paravent::proxy::body::test {
namespace {

constexpr std::uint64_t kTexts = 8000;

void append_form_text(Random& random, std::string& out) {
  static constexpr std::string_view kRaw[] = {"a",
                                              "user",
                                              "+",
                                              "%20",
                                              "%C3%A9",
                                              "%2b",
                                              "é",
                                              "[",
                                              "]",
                                              ".",
                                              "-",
                                              "\"",
                                              "a plain run of more than sixteen"};
  for (std::size_t i = random.below(5); i > 0; --i) out.append(random.pick(kRaw));
}

std::string make_form(Random& random) {
  std::string out;
  for (std::size_t i = random.below(8); i > 0; --i) {
    if (!random.one_in(8)) append_form_text(random, out);  // else an empty pair or an empty name
    if (!random.one_in(5)) {
      out.push_back('=');
      append_form_text(random, out);
      if (random.one_in(6)) out.append("=%00=");
    }
    if (i > 1 || random.one_in(6)) out.push_back('&');
  }
  return out;
}

std::string make_cookies(Random& random) {
  static constexpr std::string_view kSeparators[] = {"; ", ";", " ; ", ";  ", ";;", "; ;"};
  static constexpr std::string_view kPieces[] = {
      "a=1", "sid=ab=cd=", "q=\"x y\"", "bare", "n=", "k =  v", "é=ü", "token=pvv1abc", "a=2"};
  std::string out(random.below(2), ' ');
  for (std::size_t i = random.below(8); i > 0; --i) {
    out.append(random.pick(kPieces));
    if (i > 1 || random.one_in(5)) out.append(random.pick(kSeparators));
  }
  return out;
}

std::string make_multipart(Random& random, std::string_view boundary) {
  static constexpr std::string_view kHeads[] = {
      "Content-Disposition: form-data; name=\"email\"\r\n",
      "content-disposition:form-data;name=plain\r\nContent-Type: text/plain; charset=UTF-8\r\n",
      "X-Other: a\tb\r\nContent-Disposition: Form-Data; name=\"é[]\"\r\n",
      "Content-Disposition: form-data; name=\"f\"; filename=\"C:\\x\\a.txt\"\r\n"
      "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n",
      "Content-Disposition: form-data; name=\"none\"; filename=\"\"\r\n"};
  std::string out;
  for (std::size_t i = random.below(6); i > 0; --i) {
    std::string content = random.one_in(2) ? random.text(8) : random.bytes(60);
    if (!multipart_value_is_safe(content, boundary)) content.clear();
    out.append("--").append(boundary).append("\r\n").append(random.pick(kHeads));
    if (random.one_in(4)) out += "Content-Length: " + std::to_string(content.size()) + "\r\n";
    out.append("\r\n").append(content).append("\r\n");
  }
  out.append("--").append(boundary).append("--");
  if (random.one_in(2)) out.append("\r\n");
  return out;
}

void append_space(Random& random, std::string& out) {
  static constexpr std::string_view kSpaces[] = {"", "", "", " ", "\n  ", "\t", "\r\n"};
  out.append(random.pick(kSpaces));
}

void append_json_text(Random& random, std::string& out, std::string_view prefix) {
  std::string text(prefix);
  text += random.text(4);
  encode_json_string(text, out);
  if (random.one_in(3)) out.insert(out.size() - 1, "\\u00e9\\ud83d\\ude00\\/");
}

void append_json(Random& random, std::string& out, std::size_t depth) {
  static constexpr std::string_view kScalars[] = {
      "1.0", "1E5", "-0", "9007199254740993", "true", "false", "null", "\"\\/\"", "0.5e-3"};
  append_space(random, out);
  const std::size_t choice = random.below(depth == 0 ? 2 : 5);
  if (choice == 0) {
    out.append(random.pick(kScalars));
  } else if (choice == 1) {
    append_json_text(random, out, "");
  } else {
    const bool array = choice == 2;
    out.push_back(array ? '[' : '{');
    // Now and then more members than a small object has, for the other half of KeySet.
    const std::size_t count = random.one_in(20) ? 30 : random.below(6);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out.push_back(',');
      if (!array) {
        append_space(random, out);
        append_json_text(random, out, std::to_string(i) + "#");
        append_space(random, out);
        out.push_back(':');
      }
      append_json(random, out, depth - 1);
    }
    append_space(random, out);
    out.push_back(array ? ']' : '}');
  }
  append_space(random, out);
}

#define EXPECT_LAWS(verdict, seed, text)                                  \
  EXPECT_TRUE((verdict).accepted) << "seed " << (seed) << ": " << (text); \
  ASSERT_EQ((verdict).complaint, "") << "seed " << (seed) << ": " << (text)

TEST(BodyLaws, Form) {
  for (std::uint64_t seed = 0; seed < kTexts; ++seed) {
    Random random(seed);
    const std::string text = make_form(random);
    const Verdict verdict = check_form_laws(text, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

TEST(BodyLaws, Cookies) {
  for (std::uint64_t seed = 0; seed < kTexts; ++seed) {
    Random random(seed);
    const std::string text = make_cookies(random);
    const Verdict verdict = check_cookie_laws(text, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

TEST(BodyLaws, Multipart) {
  static constexpr std::string_view kBoundaries[] = {"B", "----WebKitFormBoundary7MA4YWxk", "-",
                                                     "--"};
  for (std::uint64_t seed = 0; seed < kTexts; ++seed) {
    Random random(seed);
    const std::string_view boundary = random.pick(kBoundaries);
    const std::string text = make_multipart(random, boundary);
    const Verdict verdict = check_multipart_laws(text, boundary, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

TEST(BodyLaws, Json) {
  for (std::uint64_t seed = 0; seed < kTexts / 2; ++seed) {
    Random random(seed);
    std::string text;
    append_json(random, text, 4);
    const Verdict verdict = check_json_laws(text, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

// One document a line: the generator's line ends go, which only stand between tokens or escaped.
std::string make_line(Random& random) {
  std::string text;
  append_json(random, text, 3);
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  return text;
}

TEST(BodyLaws, JsonLines) {
  for (std::uint64_t seed = 0; seed < kTexts / 4; ++seed) {
    Random random(seed);
    std::string text = make_line(random);
    for (std::size_t i = random.below(4); i > 0; --i) {
      text.append(random.one_in(4) ? "\r\n" : "\n").append(make_line(random));
    }
    if (random.one_in(2)) text.push_back('\n');
    const Verdict verdict = check_json_line_laws(text, LineForm::each, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

TEST(BodyLaws, Envelopes) {
  for (std::uint64_t seed = 0; seed < kTexts / 4; ++seed) {
    Random random(seed);
    std::string text = make_line(random);
    std::size_t items = random.below(4);
    text.append(items > 0 || random.one_in(2) ? "\n" : "");
    for (; items > 0; --items) {
      const bool opaque = random.one_in(3);
      const bool sized = random.one_in(2);
      std::string payload;
      if (opaque) {
        payload = random.bytes(20);
        if (!sized) std::erase(payload, '\n');
      } else if (sized) {
        append_json(random, payload, 3);
      } else {
        payload = make_line(random);
      }
      std::string header = random.one_in(2) ? "{" : "{\"name\":\"a\",\"n\":[1,{}],";
      header += opaque ? "\"type\":\"attachment\"" : "\"type\":\"event\"";
      if (sized) header += ", \"length\": " + std::to_string(payload.size());
      text += header + (random.one_in(2) ? "}" : ",\"z\":null}") + "\n" + payload;
      if (items > 1 || random.one_in(2)) text.push_back('\n');
    }
    const Verdict verdict = check_json_line_laws(text, LineForm::envelope, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

TEST(BodyLaws, Csv) {
  static constexpr std::string_view kCells[] = {
      "", "a", "\"\"", "\"x,\"\"y\"\"\"", " b ", "é", "\"\r\n\"", "=1+2", "\"\n\"", "1.0", ";|"};
  for (std::uint64_t seed = 0; seed < kTexts / 2; ++seed) {
    Random random(seed);
    const std::size_t columns = 1 + random.below(4);
    const std::string_view end = random.one_in(2) ? "\n" : "\r\n";
    std::string text;
    for (std::size_t row = random.below(5) + 2; row > 0; --row) {  // the header is one
      for (std::size_t column = 0; column < columns; ++column) {
        if (column > 0) text.push_back(',');
        if (text.find('\n') == std::string::npos) {
          text.append(random.one_in(2) ? "c" : "\"c, ").append(std::to_string(column));
          if (text.find("\"c, " + std::to_string(column)) != std::string::npos &&
              text.ends_with(", " + std::to_string(column))) {
            text.push_back('"');
          }
        } else {
          std::string_view cell = random.pick(kCells);
          if (columns == 1 && cell.empty()) cell = "\"\"";
          text.append(cell);
        }
      }
      if (row > 1 || random.one_in(2)) text.append(end);
    }
    const Verdict verdict = check_csv_laws(text, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

void append_element(Random& random, std::string& out, std::size_t depth) {
  static constexpr std::string_view kNames[] = {"a", "x:b", "é", "c-d.e", "_1"};
  static constexpr std::string_view kTexts2[] = {"text", "&amp;&#x41;&#65;", " é ",  "]]",
                                                 "a>b",  "\r\n x",           "&lt;", "'\""};
  static constexpr std::string_view kValues[] = {"\"\"", "'v'", "\"&quot;>\"", "'a\"b'", "\"é\""};
  const std::string name(random.pick(kNames));
  out.append("<").append(name);
  for (std::size_t i = random.below(3); i > 0; --i) {
    out.append(random.one_in(2) ? " " : "\n  ").append(i == 1 ? "id" : "n:k");
    out.append(random.one_in(4) ? " = " : "=").append(random.pick(kValues));
  }
  if (random.one_in(6)) {
    out.append(random.one_in(2) ? " />" : "/>");
    return;
  }
  out.append(random.one_in(4) ? " >" : ">");
  if (depth == 0 || random.one_in(2)) {
    out.append(random.one_in(6) ? "" : random.pick(kTexts2));
  } else {
    for (std::size_t i = random.below(4); i > 0; --i) {
      out.append(random.one_in(2) ? "\n " : "");
      append_element(random, out, depth - 1);
    }
    out.append(random.one_in(2) ? "\n" : "");
  }
  out.append("</").append(name).append(random.one_in(4) ? " >" : ">");
}

TEST(BodyLaws, Xml) {
  for (std::uint64_t seed = 0; seed < kTexts / 2; ++seed) {
    Random random(seed);
    std::string text = random.one_in(2) ? "<?xml version=\"1.0\" encoding='utf-8'?>\n" : "";
    append_element(random, text, 3);
    if (random.one_in(2)) text.append("\r\n");
    const Verdict verdict = check_xml_laws(text, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

TEST(BodyLaws, Mixed) {
  for (std::uint64_t seed = 0; seed < kTexts / 4; ++seed) {
    Random random(seed);
    std::string text = "--B\r\nContent-Type: application/json\r\n\r\n";
    append_json(random, text, 3);
    text += "\r\n";
    for (std::size_t i = random.below(4); i > 0; --i) {
      std::string content = random.bytes(40);
      if (content.find("--B") != std::string::npos) content.clear();
      text += "--B\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n";
      if (random.one_in(2)) text += "X-Experience-API-Hash: 0a1b\r\n";
      text += "\r\n" + content + "\r\n";
    }
    text += random.one_in(2) ? "--B--" : "--B--\r\n";
    const Verdict verdict = check_mixed_laws(text, "B", seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

TEST(BodyLaws, FormLines) {
  for (std::uint64_t seed = 0; seed < kTexts / 2; ++seed) {
    Random random(seed);
    std::string text = make_form(random);
    for (std::size_t i = random.below(4); i > 0; --i) {
      text.append(random.one_in(2) ? "\r\n" : "\n").append(make_form(random));
    }
    const Verdict verdict = check_form_line_laws(text, seed);
    EXPECT_LAWS(verdict, seed, text);
  }
}

}  // namespace
}  // namespace paravent::proxy::body::test
