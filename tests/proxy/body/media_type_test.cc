#include "proxy/body/media_type.h"

#include <gtest/gtest.h>

#include <string>

namespace paravent::proxy::body {
namespace {

struct Case {
  std::string_view value;
  MediaType type;
  std::string_view boundary = "";
  bool utf8 = true;
};

TEST(MediaType, ReadsWhatTheGrammarAllows) {
  const std::string longest = "multipart/form-data; boundary=" + std::string(70, 'b');
  const Case cases[] = {
      {"application/x-www-form-urlencoded", MediaType::form},
      {"Application/X-WWW-Form-UrlEncoded", MediaType::form},
      {"application/x-www-form-urlencoded; charset=UTF-8", MediaType::form},
      {"application/x-www-form-urlencoded;charset=windows-1252", MediaType::form, "", false},
      {"application/json", MediaType::json},
      {"application/json; charset=utf-8", MediaType::json},
      {"application/json;charset=\"UTF-8\"", MediaType::json},
      {"application/json ;\t charset=US-ASCII", MediaType::json},
      {"application/json; charset=utf8", MediaType::json, "", false},
      {"application/json; charset=utf-16", MediaType::json, "", false},
      {"application/json;", MediaType::json},
      {"application/json; ; charset=utf-8;", MediaType::json},
      {"application/json; x=\"a;b=c\"; charset=latin1", MediaType::json, "", false},
      {"application/ld+json", MediaType::json},
      {"application/problem+JSON", MediaType::json},
      {"application/+json", MediaType::other},
      {"application/jsonp", MediaType::other},
      {"application/json+x", MediaType::other},
      {"text/json", MediaType::other},
      {"text/plain", MediaType::text},
      {"text/plain;charset=UTF-8", MediaType::text},
      {"text/html", MediaType::other},
      {"application/octet-stream", MediaType::other},
      {"multipart/form-data; boundary=x", MediaType::multipart, "x"},
      {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", MediaType::multipart,
       "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
      {"Multipart/Form-Data; Charset=utf-8; Boundary=\"a b=c/d:e?(f)\"", MediaType::multipart,
       "a b=c/d:e?(f)"},
      {longest, MediaType::multipart, std::string_view(longest).substr(30)},
      {"multipart/mixed; boundary=x", MediaType::mixed, "x"},
      {"multipart/related; boundary=x", MediaType::other},
      {"text/csv; header=present", MediaType::csv},
      {"application/soap+xml", MediaType::xml},
      {"text/xml", MediaType::xml},
      {"application/x-ndjson", MediaType::lines},
      {"application/ld+json; profile=\"http://www.w3.org/ns/json-ld#compacted\"", MediaType::json},
      {"application/json;odata.metadata=minimal; version=1", MediaType::json},
      // Forms, to readers that look for a word.
      {"application/x-www-form-urlencoded+json", MediaType::other},
      {"application/X-WWW-Form-URLEncoded+json", MediaType::other},
      {"application/x-www-form-urlencoded+xml", MediaType::other},
      {"application/multipart+json", MediaType::other},
      {"application/vnd.form-data+json; charset=utf-8", MediaType::other},
      {"application/json; boundary=x", MediaType::other},
      {"application/json; a=urlencoded", MediaType::other},
      {"application/json; UrlEncoded=1; charset=utf-8", MediaType::other},
      {"application/json; a=\"b; boundary=x\"", MediaType::other},
      {"application/x-www-form-urlencoded; a=\"Multipart/x\"", MediaType::other},
      {"text/plain; boundary=x", MediaType::other},
      {"text/xml; x=form-data", MediaType::other},
  };
  for (const Case& c : cases) {
    const std::optional<ContentType> parsed = parse_content_type(c.value);
    ASSERT_TRUE(parsed.has_value()) << c.value;
    EXPECT_EQ(parsed->type, c.type) << c.value;
    EXPECT_EQ(parsed->boundary, c.boundary) << c.value;
    EXPECT_EQ(parsed->utf8, c.utf8) << c.value;
  }
}

TEST(MediaType, RefusesEverythingElse) {
  using namespace std::string_view_literals;
  const std::string too_long = "multipart/form-data; boundary=" + std::string(71, 'b');
  std::string many = "text/plain";
  for (int i = 0; i < 17; ++i) many += "; p" + std::to_string(i) + "=1";
  for (const std::string_view value : {""sv,
                                       " "sv,
                                       "json"sv,
                                       "application/"sv,
                                       "/json"sv,
                                       "application /json"sv,
                                       "application/ json"sv,
                                       " application/json"sv,
                                       "application/json "sv,
                                       "application/json, text/plain"sv,
                                       "application/json charset=utf-8"sv,
                                       "application/json; charset"sv,
                                       "application/json; charset="sv,
                                       "application/json; charset =utf-8"sv,
                                       "application/json; charset= utf-8"sv,
                                       "application/json; =utf-8"sv,
                                       "application/json; charset=utf-8; charset=utf-8"sv,
                                       "application/json; charset=utf-8; CharSet=latin1"sv,
                                       "application/json; charset=\"utf-8"sv,
                                       "application/json; charset=\"utf\\-8\""sv,
                                       "application/json; charset=utf-8\""sv,
                                       "application/json; charset=\"utf-8\"x"sv,
                                       "application/json; a=\"\x01\""sv,
                                       "application/json\0"sv,
                                       "application/json\r\n"sv,
                                       "appl\xC3\xA9/json"sv,
                                       "multipart/form-data"sv,
                                       "multipart/form-data;"sv,
                                       "multipart/form-data; boundary"sv,
                                       "multipart/form-data; boundary="sv,
                                       "multipart/form-data; boundary=\"\""sv,
                                       "multipart/form-data; boundary=\"a \""sv,
                                       "multipart/form-data; boundary=a b"sv,
                                       "multipart/form-data; boundary=a; boundary=b"sv,
                                       "multipart/form-data; boundary=a; Boundary=a"sv,
                                       "multipart/form-data; boundary=a;"sv,
                                       "multipart/form-data;; boundary=a"sv,
                                       "multipart/form-data; boundary=\"a\\\"b\""sv,
                                       "multipart/form-data; boundary=a!b"sv,
                                       "multipart/form-data; boundary=a,b"sv,
                                       "multipart/form-data; xboundary=a; boundary=b"sv,
                                       "multipart/form-data; boundary=b; xboundary=a"sv,
                                       "multipart/form-data; x=\"boundary=a\"; boundary=b"sv,
                                       "multipart/mixed; boundary=b; type=\"text/plain\""sv,
                                       std::string_view(too_long),
                                       std::string_view(many)}) {
    EXPECT_FALSE(parse_content_type(value).has_value()) << value;
  }
}

}  // namespace
}  // namespace paravent::proxy::body
