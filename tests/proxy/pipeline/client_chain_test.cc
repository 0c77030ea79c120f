// The chain of proxies, by the cases of cases/client_chain.tsv.

#include "proxy/pipeline/client_chain.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/tokens/normaliser.h"

namespace paravent::proxy {
namespace {

class Proxies final : public TrustedProxies {
 public:
  Hop look_up(std::string_view address) const noexcept override {
    std::string normal;
    if (!crypto::normalise(crypto::Kind::ip, address, {}, normal)) return Hop::no_address;
    const bool ours = normal.starts_with("10.") || normal.starts_with("2001:db8:a:");
    return ours ? Hop::proxy : Hop::client;
  }
};

struct Head {
  std::vector<std::string> values;
  std::vector<HeaderLine> lines;
  RequestHead head;

  void add(std::string_view name, const std::string& list) {
    if (list == "-") return;
    std::istringstream in(list);
    for (std::string value; std::getline(in, value, '|');) {
      values.push_back(value);
      lines.push_back({name, {}, header_name(name)});
    }
  }
  const RequestHead& finish() {
    for (std::size_t i = 0; i < values.size(); ++i) lines[i].value = values[i];
    head.headers = lines;
    return head;
  }
};

TEST(ClientChain, EveryCaseOfItsFile) {
  std::ifstream in("tests/proxy/pipeline/cases/client_chain.tsv");
  const Proxies proxies;
  int count = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    SCOPED_TRACE(line);
    std::istringstream columns(line);
    std::string list;
    std::string forwarded;
    std::string client;
    std::getline(columns, list, '\t');
    std::getline(columns, forwarded, '\t');
    std::getline(columns, client);
    Head head;
    head.add("X-Forwarded-For", list);
    head.add("forwarded", forwarded);
    const auto believed = believed_client(head.finish(), {"10.0.0.1", true, &proxies});
    EXPECT_EQ(believed.empty() ? "-" : believed, client);
    EXPECT_EQ(believed_client(head.head, {"192.0.2.9", false, &proxies}), "192.0.2.9");
    ++count;
  }
  EXPECT_GT(count, 50);
}

TEST(ClientChain, ALongChainIsBelievedInNothing) {
  const Proxies proxies;
  std::string list = "198.51.100.7";
  for (int i = 0; i < 31; ++i) list += ", 10.0.0.2";
  Head longest;
  longest.add("X-Forwarded-For", list);
  EXPECT_EQ(believed_client(longest.finish(), {"10.0.0.1", true, &proxies}), "198.51.100.7");
  Head longer;
  longer.add("X-Forwarded-For", list + ", 10.0.0.2");
  EXPECT_EQ(believed_client(longer.finish(), {"10.0.0.1", true, &proxies}), "");
}

}  // namespace
}  // namespace paravent::proxy
