#include "crypto/vault/unseal/share_text.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "crypto/tokens/bech32m.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kHrp = "pvshare";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kValueSize = 32;
constexpr std::size_t kValueAt = 1 + 4 + 1 + 1;
constexpr std::size_t kPayloadSize = kValueAt + kValueSize;
constexpr std::size_t kTextSize = 7 + 1 + 63 + 6;

}  // namespace

SecretBytes share_text(const ShareSet& set, std::uint8_t threshold, const ShamirShare& share) {
  if (share.value.size() != kValueSize) std::abort();
  SecretBytes payload(kPayloadSize);
  const MutableBytes out = payload.mutable_bytes();
  out[0] = kVersion;
  std::copy(set.begin(), set.end(), out.subspan(1).begin());
  out[5] = threshold;
  out[6] = share.point;
  const ByteView value = share.value.bytes();
  std::copy(value.begin(), value.end(), out.subspan(kValueAt).begin());
  std::string text;
  text.reserve(kTextSize);  // growing would leave copies behind
  append_bech32m(text, kHrp, payload.bytes());
  SecretBytes made = SecretBytes::copy_of(text);
  wipe(text);
  return made;
}

Result<ParsedShare> parse_share(std::string_view text) {
  SecretBytes payload(kPayloadSize);
  if (text.size() != kTextSize || !decode_bech32m_payload(text, kHrp, payload.mutable_bytes())) {
    return Error(ErrorKind::malformed);
  }
  const ByteView in = payload.bytes();
  ParsedShare parsed;
  parsed.threshold = in[5];
  parsed.share.point = in[6];
  if (in[0] != kVersion || parsed.threshold < 2 || parsed.share.point == 0) {
    return Error(ErrorKind::malformed);
  }
  std::copy_n(in.subspan(1).begin(), parsed.set.size(), parsed.set.begin());
  parsed.share.value = SecretBytes::copy_of(in.subspan(kValueAt));
  return parsed;
}

}  // namespace paravent::crypto::vault
