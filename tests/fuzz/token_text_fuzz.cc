// Token parser on any bytes: no crash, the two readers agree, and what is accepted has one
// spelling.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/tokens/bech32m.h"
#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"

namespace pc = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(pc::decode_bech32m(text, pc::kMaxShortTokenLength));
  const auto stripped = pc::strip_email_shape(text);
  if (!text.starts_with(stripped)) std::abort();
  const auto facts = pc::check_token(text);
  const auto token = pc::parse_token(text);
  if (facts.has_value() != token.has_value()) std::abort();
  if (!token) return 0;
  if (facts->payload_size != token->payload.size() || facts->key_id != token->key_id) std::abort();

  // Writing what was read gives the canonical text back.
  const pc::TokenHeader header = pc::token_header(token->key_id, token->algorithm);
  pc::Bytes body(header.begin(), header.end());
  body.insert(body.end(), token->payload.begin(), token->payload.end());
  std::string written;
  if (token->text[3] == '1') {
    pc::write_short_token(token->token_class, body, written);
  } else {
    body.resize(body.size() + pc::kCrcSize);
    pc::write_long_token(token->token_class, body, written);
  }
  if (written != token->text) std::abort();
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const bool same = std::equal(text.begin(), text.end(), written.begin(), written.end(),
                               [&](char a, char b) { return lower(a) == lower(b); });
  if (!same) std::abort();
  return 0;
}
