// What `check` accepts in a gateway file, a start accepts: the address ranges are read twice, by
// the file's reader and by the data path's.

#include <gtest/gtest.h>

#include <string>

#include "proxy/config/gateway_config.h"
#include "proxy/net/ip_range.h"

namespace paravent::proxy::main {
namespace {

bool file_takes(const std::string& range) {
  const auto loaded = config::load_gateway_text(
      "g",
      "listen: [{ address: 127.0.0.1:80 }]\npolicies: [p]\ntrusted-proxies: [\"" + range + "\"]\n");
  return !loaded.diagnostics.has_errors();
}

TEST(GatewayFile, ARangeThatIsTakenIsOneForTheDataPath) {
  for (const char* range :
       {"10.0.0.0/8",      "10.1.2.3/8",          "10.1.2.3/32",       "10.1.2.3",
        "10.0.0.0/7",      "11.0.0.0/7",          "0.0.0.0/0",         "0.0.0.1/0",
        "10.0.0.0/33",     "10.0.0.0/-1",         "10.0.0.0/+8",       "10.0.0.0/08",
        "10.0.0.0/",       "10.0.0.0/8/8",        "10.0.0.0/8 ",       "10.0.0/8",
        "2001:db8::/32",   "2001:db8::1/32",      "2001:db8::1/128",   "::/0",
        "::/129",          "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/8", "::ffff:0:0/96",
        "::ffff:10.1.2.3", "fe80::1%eth0",        "localhost",         "/8"}) {
    EXPECT_EQ(file_takes(range), net::IpRange::parse(range).has_value()) << range;
  }
  EXPECT_TRUE(file_takes("10.0.0.0/8"));
  EXPECT_FALSE(file_takes("10.1.2.3/8"));
}

}  // namespace
}  // namespace paravent::proxy::main
