// header_name(): every name that the gateway acts on is known in any case, and nothing else is.

#include "policies/model/header_name.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/whole_file.h"

namespace paravent::policies {
namespace {

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

void expect_known(const std::string& name, HeaderName id) {
  EXPECT_EQ(header_name(name), id) << name;
  EXPECT_EQ(header_name(upper(name)), id) << name;
  // One letter off is another header.
  for (std::size_t i = 0; i < name.size(); ++i) {
    std::string other = name;
    other[i] = other[i] == 'q' ? 'j' : 'q';
    const HeaderName got = header_name(other);
    // But for the families that are known by how they begin.
    EXPECT_TRUE(got == HeaderName::other || other.starts_with("x-forwarded-")) << other;
  }
  EXPECT_NE(header_name(name.substr(1)), HeaderName::host);
}

TEST(HeaderName, KnowsTheHouseNames) {
  expect_known("connection", HeaderName::connection);
  expect_known("content-length", HeaderName::content_length);
  expect_known("expect", HeaderName::expect);
  expect_known("keep-alive", HeaderName::keep_alive);
  expect_known("proxy-connection", HeaderName::proxy_connection);
  expect_known("te", HeaderName::te);
  expect_known("trailer", HeaderName::trailer);
  expect_known("transfer-encoding", HeaderName::transfer_encoding);
  expect_known("upgrade", HeaderName::upgrade);
  expect_known("accept", HeaderName::accept);
  expect_known("content-encoding", HeaderName::content_encoding);
  expect_known("content-type", HeaderName::content_type);
  expect_known("cookie", HeaderName::cookie);
  expect_known("date", HeaderName::date);
  expect_known("host", HeaderName::host);
  expect_known("server", HeaderName::server);
  expect_known("user-agent", HeaderName::user_agent);
  expect_known("x-forwarded-host", HeaderName::x_forwarded_host);
  expect_known("x-forwarded-proto", HeaderName::x_forwarded_proto);
}

TEST(HeaderName, KnowsTheAddressFamily) {
  for (const char* name : {"X-Forwarded-For",
                           "Forwarded",
                           "X-Real-IP",
                           "CF-Connecting-IP",
                           "CF-Connecting-IPv6",
                           "CF-Pseudo-IPv4",
                           "True-Client-IP",
                           "X-Client-IP",
                           "Client-IP",
                           "X-Cluster-Client-IP",
                           "Fastly-Client-IP",
                           "Fly-Client-IP",
                           "X-Azure-ClientIP",
                           "X-Azure-SocketIP",
                           "X-Appengine-User-IP",
                           "X-Original-Forwarded-For",
                           "X-Originating-IP",
                           "X-Remote-IP",
                           "X-Remote-Addr",
                           "X-ProxyUser-Ip",
                           "WL-Proxy-Client-IP",
                           "X-Plausible-IP",
                           "B-Forwarded-For",
                           "X-Forwarded",
                           "Forwarded-For",
                           "Via",
                           "CF-IPCountry",
                           "CF-IPCity",
                           "CF-IPLatitude",
                           "X-Vercel-IP-Country",
                           "X-Vercel-IP-City",
                           "X-Vercel-Forwarded-For",
                           "X-Vercel-Proxied-For",
                           "X-NF-Geo",
                           "X-Client-Geo-Location",
                           "X-AppEngine-Remote-Addr",
                           "X-Real-Client-IP",
                           "X-True-Client-IP",
                           "Real-IP",
                           "Remote-Addr",
                           "X-Client-IPv6",
                           "EO-Client-IP",
                           "EO-Connecting-IP",
                           "Ali-CDN-Real-IP",
                           "Cdn-Src-Ip",
                           "CDN-RequestCountryCode",
                           "X-Country-Code",
                           "CloudFront-Viewer-Address",
                           "CloudFront-Viewer-Country"}) {
    EXPECT_EQ(header_name(name), HeaderName::address_family) << name;
  }
}

std::string read(const char* path) {
  EXPECT_TRUE(std::filesystem::exists(path)) << path;
  return test::whole_file(path);
}

// What stands between `open` and `close`, wherever that is in the text, in lower case.
std::set<std::string> quoted(std::string text, const std::string& open, const std::string& close) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  std::set<std::string> found;
  for (std::size_t at = text.find(open); at != std::string::npos;) {
    const std::size_t begin = at + open.size();
    const std::size_t end = text.find(close, begin);
    if (end == std::string::npos) break;
    found.insert(text.substr(begin, end - begin));
    at = text.find(open, end + close.size());
  }
  return found;
}

TEST(HeaderName, TheReferenceListsTheAddressFamily) {
  const std::string page = read("docs/policy-reference.md");
  const std::size_t begin = page.find("\n### Address headers\n");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t list = page.find("\n\n    ", begin) + 2;
  std::set<std::string> written;
  std::string name;
  for (const char c : page.substr(list, page.find("\n\n", list) - list) + " ") {
    const bool parts = c == ' ' || c == ',' || c == '\n';
    if (!parts) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (parts && !name.empty()) {
      EXPECT_EQ(header_name(name.ends_with('*') ? name.substr(0, name.size() - 1) + "x" : name),
                HeaderName::address_family)
          << name;
      if (name.ends_with('*')) name.pop_back();
      EXPECT_TRUE(written.insert(name).second) << name << " twice";
      name.clear();
    }
  }
  std::set<std::string> known;
  for (const std::string& entry : quoted(read("policies/model/header_name.cc"), "{\"", "}")) {
    const std::size_t end = entry.find("\", kaddress");
    if (end != std::string::npos) known.insert(entry.substr(0, end));
  }
  EXPECT_EQ(written, known);
}

TEST(HeaderName, KnowsTheInternals) {
  for (const char* name :
       {"Proxy", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL",
        "X-Rewrite-URL", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Paravent-Anything"}) {
    EXPECT_EQ(header_name(name), HeaderName::internal) << name;
  }
}

TEST(HeaderName, LeavesTheRestToThePolicy) {
  for (const char* name : {"", "a", "x", "c", "X-Forwarded-", "Authorization", "Referer", "Cookies",
                           "Hos", "Hosts", "Accept-Language", "X-Requested-With", "Sec-Fetch-Mode",
                           "Content-Typ", "X-Vercel-IP-", "Proxy-Authorization", "Te2"}) {
    EXPECT_EQ(header_name(name), HeaderName::other) << name;
  }
  EXPECT_EQ(header_name(std::string(1000, 'x')), HeaderName::other);
}

TEST(HeaderName, ComparesWithoutCaseAndOnlyLetters) {
  EXPECT_TRUE(same_header_name("Content-MD5", "content-md5"));
  EXPECT_FALSE(same_header_name("Content-MD5", "Content-MD"));
  // '^' and '~' differ in the same bit as 'A' and 'a'.
  EXPECT_FALSE(same_header_name("a^", "a~"));
}

}  // namespace
}  // namespace paravent::policies
