// Wycheproof's AES-SIV-CMAC (RFC 5297, one associated data string): AES-256-SIV through the class
// that protects values, the other key sizes through the general form.

#include <array>

#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/aes_siv_general.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/wycheproof_case.h"

namespace paravent::crypto {
namespace {

struct Fields {
  Bytes key, ad, message, sealed;
};

// An empty plaintext is refused by the shipped class; its answer has to be right all the same.
bool is_right_in_general(const Fields& f) {
  const std::array<ByteView, 1> strings = {f.ad};
  Bytes made(f.message.size() + kAesSivOverhead);
  return aes_siv_seal(f.key, strings, f.message, made).has_value() && made == f.sealed;
}

void run_shipped(const WycheproofCase& c, const Fields& f, VectorReport& report) {
  auto siv = AesSiv256::create(f.key);
  if (!siv || !siv->set_ad(f.ad)) return report.check(c.id, false, "the key was refused");
  Bytes made(f.message.size() + AesSiv256::kOverhead);
  Bytes opened(f.sealed.size() < AesSiv256::kOverhead ? 0 : f.sealed.size() - AesSiv256::kOverhead);
  const bool sealed_ok = siv->seal(f.message, made).has_value();
  const bool opened_ok = siv->open(f.sealed, opened).has_value();
  if (c.valid && f.message.empty()) {
    if (sealed_ok || opened_ok)
      return report.check(c.id, false, "an empty plaintext was processed");
    if (!is_right_in_general(f)) return report.check(c.id, false, "the synthetic IV differs");
    return report.refuse_by_rule(c.id, "an empty plaintext is never sealed or opened with AES-SIV");
  }
  check_aead(c, report, sealed_ok && made == f.sealed,
             opened_ok && (!c.valid || opened == f.message));
}

void run_general(const WycheproofCase& c, const Fields& f, VectorReport& report) {
  const std::array<ByteView, 1> strings = {f.ad};
  Bytes made(f.message.size() + kAesSivOverhead);
  Bytes opened(f.sealed.size() < kAesSivOverhead ? 0 : f.sealed.size() - kAesSivOverhead);
  const bool sealed_ok = aes_siv_seal(f.key, strings, f.message, made).has_value();
  const bool opened_ok = aes_siv_open(f.key, strings, f.sealed, opened).has_value();
  check_aead(c, report, sealed_ok && made == f.sealed,
             opened_ok && (!c.valid || opened == f.message));
}

}  // namespace

void run_aes_siv(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&report](WycheproofCase& c) {
    const Fields fields{c.fields.hex("key"), c.fields.hex("aad"), c.fields.hex("msg"),
                        c.fields.hex("ct")};
    if (!c.fields.complete()) return report.check(c.id, false, kIncompleteCase);
    if (fields.key.size() == AesSiv256::kKeySize) return run_shipped(c, fields, report);
    run_general(c, fields, report);
  });
}

}  // namespace paravent::crypto
