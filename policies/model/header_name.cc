#include "policies/model/header_name.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace paravent::policies {
namespace {

struct Known {
  std::string_view name;  // lower case
  HeaderName id;
};

constexpr HeaderName kAddress = HeaderName::address_family;
constexpr HeaderName kInternal = HeaderName::internal;

// The address family is what proxies and platforms are known to write a visitor's address or place
// into; a name missing here is a leak, a name too many costs nothing.
constexpr Known kKnown[] = {
    {"connection", HeaderName::connection},
    {"content-length", HeaderName::content_length},
    {"expect", HeaderName::expect},
    {"keep-alive", HeaderName::keep_alive},
    {"proxy-connection", HeaderName::proxy_connection},
    {"te", HeaderName::te},
    {"trailer", HeaderName::trailer},
    {"transfer-encoding", HeaderName::transfer_encoding},
    {"upgrade", HeaderName::upgrade},
    {"accept", HeaderName::accept},
    {"content-encoding", HeaderName::content_encoding},
    {"content-type", HeaderName::content_type},
    {"cookie", HeaderName::cookie},
    {"date", HeaderName::date},
    {"host", HeaderName::host},
    {"server", HeaderName::server},
    {"user-agent", HeaderName::user_agent},
    {"x-forwarded-host", HeaderName::x_forwarded_host},
    {"x-forwarded-proto", HeaderName::x_forwarded_proto},

    {"x-forwarded-for", kAddress},
    {"forwarded", kAddress},
    {"x-real-ip", kAddress},
    {"cf-connecting-ip", kAddress},
    {"cf-connecting-ipv6", kAddress},
    {"cf-pseudo-ipv4", kAddress},
    {"cf-region", kAddress},
    {"cf-region-code", kAddress},
    {"cf-metro-code", kAddress},
    {"cf-postal-code", kAddress},
    {"cf-timezone", kAddress},
    {"true-client-ip", kAddress},
    {"x-client-ip", kAddress},
    {"client-ip", kAddress},
    {"x-cluster-client-ip", kAddress},
    {"fastly-client-ip", kAddress},
    {"fly-client-ip", kAddress},
    {"x-azure-clientip", kAddress},
    {"x-azure-socketip", kAddress},
    {"x-appengine-user-ip", kAddress},
    {"x-appengine-remote-addr", kAddress},
    {"x-appengine-timezone", kAddress},
    {"x-appengine-country", kAddress},
    {"x-appengine-region", kAddress},
    {"x-appengine-city", kAddress},
    {"x-appengine-citylatlong", kAddress},
    {"x-original-forwarded-for", kAddress},
    {"x-originating-ip", kAddress},
    {"x-remote-ip", kAddress},
    {"x-remote-addr", kAddress},
    {"x-proxyuser-ip", kAddress},
    {"wl-proxy-client-ip", kAddress},
    {"proxy-client-ip", kAddress},
    {"x-plausible-ip", kAddress},
    {"b-forwarded-for", kAddress},
    {"x-forwarded", kAddress},
    {"forwarded-for", kAddress},
    {"via", kAddress},
    {"x-envoy-external-address", kAddress},
    {"x-akamai-edgescape", kAddress},
    {"x-sucuri-clientip", kAddress},
    {"incap-client-ip", kAddress},
    {"x-nf-client-connection-ip", kAddress},
    {"do-connecting-ip", kAddress},
    {"x-arr-clientip", kAddress},
    {"x-vercel-forwarded-for", kAddress},
    {"x-vercel-proxied-for", kAddress},
    {"x-nf-geo", kAddress},
    {"x-client-geo-location", kAddress},
    {"x-client-ipv6", kAddress},
    {"x-country-code", kAddress},
    {"x-real-client-ip", kAddress},
    {"x-true-client-ip", kAddress},
    {"real-ip", kAddress},
    {"remote-addr", kAddress},
    {"eo-client-ip", kAddress},
    {"eo-connecting-ip", kAddress},
    {"ali-cdn-real-ip", kAddress},
    {"cdn-src-ip", kAddress},
    {"cdn-requestcountrycode", kAddress},

    // Spoofable internals: what frameworks let override the method or the path, and what CGI turns
    // into HTTP_PROXY ("httpoxy").
    {"proxy", kInternal},
    {"x-http-method-override", kInternal},
    {"x-http-method", kInternal},
    {"x-method-override", kInternal},
    {"x-original-url", kInternal},
    {"x-original-uri", kInternal},
    {"x-original-host", kInternal},
    {"x-rewrite-url", kInternal},
    {"x-host", kInternal},
    {"x-url-scheme", kInternal},
    {"front-end-https", kInternal},
    // Of TRACE and OPTIONS only (RFC 9110 7.6.2); some servers refuse any request where it is 0.
    {"max-forwards", kInternal},
    // Goes with the Upgrade that is stripped.
    {"http2-settings", kInternal},
};

constexpr Known kPrefixes[] = {
    {"cf-ip", kAddress},
    {"x-vercel-ip-", kAddress},
    {"cloudfront-viewer-", kAddress},
    {"x-geoip-", kAddress},
    // Whatever else a client claims about hops in front of us.
    {"x-forwarded-", kInternal},
    {"x-paravent-", kInternal},
};

constexpr std::size_t kKnownCount = std::size(kKnown);
constexpr std::size_t kSlots = 1024;
constexpr std::size_t kLongest = [] {
  std::size_t longest = 0;
  for (const Known& known : kKnown)
    longest = known.name.size() > longest ? known.name.size() : longest;
  return longest;
}();

// Folds the case of a letter; maps no other token character onto a letter, a digit or '-'.
constexpr std::uint32_t fold(char c) noexcept {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(c)) | 0x20U;
}

constexpr std::size_t slot_of(std::string_view name, std::uint32_t seed) noexcept {
  const std::size_t n = name.size();
  const std::uint32_t key = fold(name[0]) | fold(name[n / 2]) << 8U | fold(name[n - 1]) << 16U |
                            (fold(name[n * 3 / 4]) + static_cast<std::uint32_t>(n)) << 24U;
  const std::uint32_t spread = static_cast<std::uint32_t>(n) + (fold(name[n / 4]) << 5U);
  const std::uint32_t mixed = (key ^ spread * 0x9E3779B1U) * seed;
  return (mixed ^ mixed >> 15U) >> 3U & (kSlots - 1);
}

struct Table {
  std::uint32_t seed = 0;
  std::array<std::uint8_t, kSlots> slots{};  // 0: empty, else index + 1
};

// Finds, while compiling, a multiplier under which no two names share a slot.
constexpr Table make_table() {
  for (std::uint32_t seed = 0x85EBCA6BU;; seed += 0x61C88646U) {
    Table table;
    table.seed = seed | 1U;
    bool perfect = true;
    for (std::size_t i = 0; i < kKnownCount && perfect; ++i) {
      std::uint8_t& slot = table.slots[slot_of(kKnown[i].name, table.seed)];
      perfect = slot == 0;
      slot = static_cast<std::uint8_t>(i + 1);
    }
    if (perfect) return table;
  }
}

constexpr Table kTable = make_table();

template <typename Word>
bool same_folded(const char* a, const char* lower) noexcept {
  constexpr Word kFold = static_cast<Word>(0x2020202020202020U);
  Word left;
  Word right;
  std::memcpy(&left, a, sizeof left);
  std::memcpy(&right, lower, sizeof right);
  return (left | kFold) == right;
}

// Whole words, the last one overlapping. REQUIRES: `a` at least as long as `lower`, which holds
// only characters that fold() leaves alone.
bool starts_with_folded(std::string_view a, std::string_view lower) noexcept {
  const std::size_t n = lower.size();
  if (n >= 8) {
    for (std::size_t i = 0; i + 8 < n; i += 8) {
      if (!same_folded<std::uint64_t>(a.data() + i, lower.data() + i)) return false;
    }
    return same_folded<std::uint64_t>(a.data() + n - 8, lower.data() + n - 8);
  }
  if (n >= 4) {
    return same_folded<std::uint32_t>(a.data(), lower.data()) &&
           same_folded<std::uint32_t>(a.data() + n - 4, lower.data() + n - 4);
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (fold(a[i]) != static_cast<unsigned char>(lower[i])) return false;
  }
  return true;
}

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

HeaderName header_name(std::string_view name) noexcept {
  if (name.empty()) return HeaderName::other;
  if (name.size() <= kLongest) {
    if (const std::uint8_t slot = kTable.slots[slot_of(name, kTable.seed)]; slot != 0) {
      const Known& known = kKnown[slot - 1U];
      if (known.name.size() == name.size() && starts_with_folded(name, known.name)) return known.id;
    }
  }
  const std::uint32_t first = fold(name[0]);
  if (first != 'x' && first != 'c') return HeaderName::other;
  for (const Known& prefix : kPrefixes) {
    if (name.size() > prefix.name.size() && starts_with_folded(name, prefix.name)) return prefix.id;
  }
  return HeaderName::other;
}

bool same_header_name(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

}  // namespace paravent::policies
