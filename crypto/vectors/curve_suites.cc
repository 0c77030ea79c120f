// Wycheproof's curve 25519: X25519 on raw keys, Ed25519 verification. Other curves and encodings of
// keys are skipped by name.

#include <array>

#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/x25519.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/wycheproof_case.h"

namespace paravent::crypto {
namespace {

void run_x25519_case(WycheproofCase& c, VectorReport& report) {
  const std::string curve = c.group.text("curve");
  if (!c.group.complete()) return report.check(c.id, false, kIncompleteCase);
  if (curve != "curve25519" && curve != "x25519") {
    return report.skip(c.id, "X25519 is the only curve here, not " + curve);
  }
  if (const std::string type = c.group.text("type"); c.group.complete() && type != "XdhComp") {
    return report.skip(c.id, "keys are read as raw bytes only, not as in " + type);
  }
  const Bytes private_key = c.fields.hex("private");
  const Bytes public_key = c.fields.hex("public");
  const Bytes expected = c.fields.hex("shared");
  if (!c.fields.complete()) return report.check(c.id, false, kIncompleteCase);
  X25519PublicKey shared{};
  const bool agreed = x25519(private_key, public_key, shared).has_value();
  if (!agreed && equal(expected, X25519PublicKey{}) && (c.valid || c.acceptable)) {
    return report.refuse_by_rule(c.id, "an all-zero shared secret is refused");
  }
  const bool right = agreed && equal(shared, expected);
  // An acceptable case may be refused, but a secret that is computed must be the right one.
  report.check(c.id, c.acceptable ? !agreed || right : right == c.valid,
               c.valid || c.acceptable ? "the shared secret differs" : "an invalid case agreed");
}

// The key object of a group; older files call it `key`.
const boost::json::value* key_of(const boost::json::value& group) {
  const auto* object = group.if_object();
  if (object == nullptr) return nullptr;
  const auto* key = object->if_contains("publicKey");
  return key != nullptr ? key : object->if_contains("key");
}

void run_ed25519_case(const boost::json::value& test, const Bytes& public_key, bool has_key,
                      VectorReport& report) {
  VectorCase fields(test);
  const std::string id = "tcId " + std::to_string(fields.number("tcId"));
  const std::string result = fields.text("result");
  const Bytes message = fields.hex("msg");
  const Bytes signature = fields.hex("sig");
  if (!fields.complete() || !has_key ||
      (result != "valid" && result != "invalid" && result != "acceptable")) {
    return report.check(id, false, kIncompleteCase);
  }
  const bool verified = ed25519_verify(public_key, message, signature);
  report.check(id, result == "acceptable" || verified == (result == "valid"),
               verified ? "an invalid signature was accepted" : "a valid signature was refused");
}

}  // namespace

void run_x25519(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&](WycheproofCase& c) { run_x25519_case(c, report); });
}

void run_ed25519(const boost::json::value& document, VectorReport& report) {
  for (const auto& group : array_member(document, "testGroups")) {
    const auto* key = key_of(group);
    if (key == nullptr) {
      report.check("test group", false, kIncompleteCase);
      continue;
    }
    const std::string_view curve = string_member(*key, "curve");
    VectorCase key_fields(*key);
    const Bytes public_key = key_fields.hex("pk");
    for (const auto& test : array_member(group, "tests")) {
      if (!curve.empty() && curve != "edwards25519") {
        VectorCase fields(test);
        report.skip("tcId " + std::to_string(fields.number("tcId")),
                    "Ed25519 is the only curve here, not " + std::string(curve));
        continue;
      }
      run_ed25519_case(test, public_key, key_fields.complete(), report);
    }
  }
}

}  // namespace paravent::crypto
