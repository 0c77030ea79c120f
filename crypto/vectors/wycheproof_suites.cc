// The Wycheproof suites: one loop over the cases of all groups, one function per algorithm.

#include <algorithm>
#include <boost/json/array.hpp>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/xchacha20_poly1305.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/vector_case.h"

namespace paravent::crypto {
namespace {

// What Wycheproof says of a case: `acceptable` may be either, so only a crash would be wrong.
struct Case {
  std::string id;
  VectorCase group;
  VectorCase fields;
  bool valid;
  bool acceptable;
};

template <typename Run>
void for_each_case(const boost::json::value& document, VectorReport& report, Run run) {
  for (const auto& group : array_member(document, "testGroups")) {
    for (const auto& test : array_member(group, "tests")) {
      VectorCase fields(test);
      const std::string id = "tcId " + std::to_string(fields.number("tcId"));
      const std::string result = fields.text("result");
      const bool known = result == "valid" || result == "invalid" || result == "acceptable";
      if (!fields.complete() || !known) {
        report.check(id, false, kIncompleteCase);
        continue;
      }
      Case c{id, VectorCase(group), fields, result == "valid", result == "acceptable"};
      run(c);
    }
  }
}

bool equal(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// The seal direction is exact only for valid cases; the open direction must refuse the invalid
// ones.
void check_aead(const Case& c, VectorReport& report, bool sealed_right, bool opened_right) {
  if (c.valid) {
    report.check(c.id, sealed_right && opened_right,
                 !sealed_right ? "sealing gave other bytes" : "a valid case did not open");
  } else {
    report.check(c.id, c.acceptable || !opened_right, "an invalid case was opened");
  }
}

void run_siv_case(Case& c, VectorReport& report) {
  const Bytes key = c.fields.hex("key");
  const Bytes ad = c.fields.hex("aad");
  const Bytes message = c.fields.hex("msg");
  const Bytes sealed = c.fields.hex("ct");
  if (!c.fields.complete()) return report.check(c.id, false, kIncompleteCase);
  if (key.size() != AesSiv256::kKeySize) {
    return report.skip(c.id, "AES-SIV with " + std::to_string(key.size() * 8) +
                                 "-bit keys is not offered, only AES-256-SIV (512 bits)");
  }
  auto siv = AesSiv256::create(key);
  if (!siv || !siv->set_ad(ad)) return report.check(c.id, false, "the key was refused");
  Bytes made(message.size() + AesSiv256::kOverhead);
  Bytes opened(sealed.size() < AesSiv256::kOverhead ? 0 : sealed.size() - AesSiv256::kOverhead);
  const bool sealed_ok = siv->seal(message, made).has_value();
  const bool opened_ok = siv->open(sealed, opened).has_value();
  if (c.valid && message.empty()) {
    if (sealed_ok || opened_ok)
      return report.check(c.id, false, "an empty plaintext was processed");
    return report.refuse_by_rule(c.id, "an empty plaintext is never sealed or opened with AES-SIV");
  }
  check_aead(c, report, sealed_ok && made == sealed, opened_ok && (!c.valid || opened == message));
}

void run_xchacha_case(Case& c, VectorReport& report) {
  const Bytes key = c.fields.hex("key");
  const Bytes nonce = c.fields.hex("iv");
  const Bytes ad = c.fields.hex("aad");
  const Bytes message = c.fields.hex("msg");
  Bytes sealed = c.fields.hex("ct");
  const Bytes tag = c.fields.hex("tag");
  if (!c.fields.complete()) return report.check(c.id, false, kIncompleteCase);
  sealed.insert(sealed.end(), tag.begin(), tag.end());
  Bytes made(message.size() + kXchachaTagSize);
  Bytes opened(sealed.size() < kXchachaTagSize ? 0 : sealed.size() - kXchachaTagSize);
  const bool sealed_ok = xchacha20_poly1305_seal(key, nonce, ad, message, made).has_value();
  const bool opened_ok = xchacha20_poly1305_open(key, nonce, ad, sealed, opened).has_value();
  check_aead(c, report, sealed_ok && made == sealed, opened_ok && (!c.valid || opened == message));
}

void run_hkdf_case(Case& c, VectorReport& report) {
  const Bytes input_key = c.fields.hex("ikm");
  const Bytes salt = c.fields.hex("salt");
  const Bytes info = c.fields.hex("info");
  const std::uint64_t size = c.fields.number("size");
  const Bytes expected = c.fields.hex("okm");
  if (!c.fields.complete() || size > (1U << 20U)) {
    return report.check(c.id, false, kIncompleteCase);
  }
  Bytes out(size);
  const bool derived =
      hkdf_expand_sha256(hkdf_extract_sha256(salt, input_key), info, out).has_value();
  const bool right = derived && out == expected;
  report.check(c.id, c.acceptable || right == c.valid,
               c.valid ? "the derived key differs" : "an invalid case was derived");
}

void run_hmac_case(Case& c, VectorReport& report) {
  const Bytes key = c.fields.hex("key");
  const Bytes message = c.fields.hex("msg");
  const Bytes tag = c.fields.hex("tag");
  const std::uint64_t bits = c.group.number("tagSize");
  if (!c.fields.complete() || !c.group.complete() || bits % 8 != 0 || bits > kSha256Size * 8) {
    return report.check(c.id, false, kIncompleteCase);
  }
  const Sha256Digest mac = hmac_sha256(key, message);
  const bool right = equal(ByteView(mac).first(static_cast<std::size_t>(bits / 8)), tag);
  report.check(c.id, c.acceptable || right == c.valid,
               c.valid ? "the tag differs" : "an invalid tag was accepted");
}

}  // namespace

bool is_wycheproof(const boost::json::value& document, std::string_view algorithm) {
  return string_member(document, "algorithm") == algorithm &&
         document.as_object().if_contains("testGroups") != nullptr;
}

void run_aes_siv(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&](Case& c) { run_siv_case(c, report); });
}

void run_xchacha(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&](Case& c) { run_xchacha_case(c, report); });
}

void run_hkdf(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&](Case& c) { run_hkdf_case(c, report); });
}

void run_hmac(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&](Case& c) { run_hmac_case(c, report); });
}

void run_ed25519(const boost::json::value& document, VectorReport& report) {
  for (const auto& group : array_member(document, "testGroups")) {
    const auto* group_object = group.if_object();
    const auto* key = group_object == nullptr ? nullptr : group_object->if_contains("publicKey");
    if (key == nullptr) {
      report.check("test group", false, kIncompleteCase);
      continue;
    }
    VectorCase key_fields(*key);
    const Bytes public_key = key_fields.hex("pk");
    for (const auto& test : array_member(group, "tests")) {
      VectorCase fields(test);
      const std::string id = "tcId " + std::to_string(fields.number("tcId"));
      const std::string result = fields.text("result");
      const Bytes message = fields.hex("msg");
      const Bytes signature = fields.hex("sig");
      if (!fields.complete() || !key_fields.complete() ||
          (result != "valid" && result != "invalid" && result != "acceptable")) {
        report.check(id, false, kIncompleteCase);
        continue;
      }
      const bool verified = ed25519_verify(public_key, message, signature);
      report.check(
          id, result == "acceptable" || verified == (result == "valid"),
          verified ? "an invalid signature was accepted" : "a valid signature was refused");
    }
  }
}

}  // namespace paravent::crypto
