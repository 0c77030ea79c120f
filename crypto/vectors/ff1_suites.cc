// FF1: Wycheproof's files over an alphabet or over lists of numbers, and NIST's ACVP files (prompt
// joined with its expected results, see acvp_pair.h).

#include <boost/json/array.hpp>
#include <string>

#include "crypto/primitives/ff1.h"
#include "crypto/vectors/acvp_pair.h"
#include "crypto/vectors/ff1_digits.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/wycheproof_case.h"

namespace paravent::crypto {
namespace {

constexpr std::string_view kSmallDomain =
    "a domain of fewer than 10^6 values is refused (SP 800-38G Rev. 1)";

struct Ff1Case {
  Bytes key, tweak;
  std::uint64_t radix = 0;
  std::optional<Digits> clear, encrypted;  // nullopt: not of the alphabet
};

enum class Outcome : std::uint8_t { refused, right, wrong };

// Both directions; `right` when they agree with the case, `refused` when neither gave anything.
Outcome outcome_of(const Ff1Case& c, Ff1::SmallDomains small = Ff1::SmallDomains::refused) {
  if (!c.clear || c.radix > Ff1::kMaxRadix) return Outcome::refused;
  auto ff1 = Ff1::create(c.key, static_cast<std::uint32_t>(c.radix), small);
  if (!ff1) return Outcome::refused;
  Digits made(c.clear->size());
  const bool encrypted = ff1->encrypt(c.tweak, *c.clear, made).has_value();
  if (!c.encrypted) return encrypted ? Outcome::wrong : Outcome::refused;
  Digits opened(c.encrypted->size());
  const bool decrypted = ff1->decrypt(c.tweak, *c.encrypted, opened).has_value();
  if (!encrypted && !decrypted) return Outcome::refused;
  return encrypted && decrypted && made == *c.encrypted && opened == *c.clear ? Outcome::right
                                                                              : Outcome::wrong;
}

void check_valid(const std::string& id, const Ff1Case& c, VectorReport& report) {
  Outcome outcome = outcome_of(c);
  if (outcome == Outcome::refused && c.clear && is_small_domain(c.radix, c.clear->size())) {
    // Refused as it must be; its answer has to be right all the same.
    outcome = outcome_of(c, Ff1::SmallDomains::computed);
    if (outcome == Outcome::right) return report.refuse_by_rule(id, kSmallDomain);
  }
  report.check(id, outcome == Outcome::right,
               outcome == Outcome::refused ? "a valid case was refused" : "the digits differ");
}

// A list where the file has lists, else text over the group's alphabet.
std::optional<Digits> digits_member(WycheproofCase& c, std::string_view name) {
  if (const auto* list = c.fields.member(name); list != nullptr && list->is_array()) {
    return digits_of_list(*list);
  }
  return digits_of_text(c.fields.text(name), c.group.text("alphabet"));
}

void run_wycheproof_case(WycheproofCase& w, VectorReport& report) {
  Ff1Case c;
  c.key = w.fields.hex("key");
  c.tweak = w.fields.hex("tweak");
  c.radix = w.group.number("radix");
  c.clear = digits_member(w, "msg");
  c.encrypted = digits_member(w, "ct");
  if (!w.complete()) return report.check(w.id, false, kIncompleteCase);
  if (w.valid) return check_valid(w.id, c, report);
  // Invalid: whatever the file has as the result, nothing may be computed.
  c.encrypted.reset();
  report.check(w.id, w.acceptable || outcome_of(c) == Outcome::refused,
               "an invalid case was encrypted");
}

void run_acvp_case(const boost::json::value& group, const boost::json::value& test,
                   VectorReport& report) {
  VectorCase group_fields(group);
  VectorCase fields(test);
  const std::string id = "tcId " + std::to_string(fields.number("tcId"));
  if (fields.member("key") == nullptr) {
    return report.skip(id, "an answer without its prompt: no matching prompt file was found");
  }
  if (fields.member("pt") == nullptr || fields.member("ct") == nullptr) {
    return report.skip(id, "a prompt without its answer: no matching results file was found");
  }
  const std::string alphabet = group_fields.text("alphabet");
  Ff1Case c;
  c.key = fields.hex("key");
  c.tweak = fields.hex("tweak");
  c.radix = group_fields.number("radix");
  c.clear = digits_of_text(fields.text("pt"), alphabet);
  c.encrypted = digits_of_text(fields.text("ct"), alphabet);
  if (!fields.complete() || !group_fields.complete()) {
    return report.check(id, false, kIncompleteCase);
  }
  check_valid(id, c, report);
}

}  // namespace

void run_ff1(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&](WycheproofCase& c) { run_wycheproof_case(c, report); });
}

bool is_acvp_ff1(const boost::json::value& document) {
  const auto* body = acvp_body(document);
  return body != nullptr && string_member(*body, "algorithm") == "ACVP-AES-FF1";
}

void run_acvp_ff1(const boost::json::value& document, VectorReport& report) {
  for (const auto& group : array_member(*acvp_body(document), "testGroups")) {
    for (const auto& test : array_member(group, "tests")) run_acvp_case(group, test, report);
  }
}

}  // namespace paravent::crypto
