#include <string>
#include <string_view>

#include "policies/model/checks.h"
#include "policies/model/rule_context.h"

namespace paravent::policies {
namespace {

using crypto::Kind;

bool is_literal_address(Shape shape) { return shape == Shape::ip || shape == Shape::ipv4; }

void wrong_shape(const RuleContext& c, std::string_view message, std::string_view hint) {
  c.out.error(c.rule.shape.at, c.rule.key + ".shape", std::string(message), std::string(hint));
}

void check_preserve(const RuleContext& c) {
  const Kind kind = c.rule.kind.value;
  if (kind != Kind::phone && kind != Kind::card && kind != Kind::siren && kind != Kind::siret &&
      kind != Kind::text) {
    wrong_shape(c, "only phone, card, siren, siret and text can keep their form",
                "Use mode: vault, with a shape where the upstream needs one");
  }
  if (c.rule.because.value.empty()) {
    c.out.error(c.rule.shape.at, c.rule.key + ".because",
                "shape: preserve has no integrity and its results look real; it needs a reason",
                "State it as because: TEXT, or use mode: vault");
  }
}

void check_surrogate_shape(const RuleContext& c) {
  const Shape shape = c.rule.shape.value;
  const bool is_ip = c.rule.kind.value == Kind::ip;
  if (shape == Shape::preserve) {
    wrong_shape(c, "this shape belongs to tokenise with mode: derived", "Choose another shape");
  } else if (is_literal_address(shape) && c.action() == ActionKind::tokenise_vault) {
    wrong_shape(c, "a vault token has no shape of an address",
                "Use pseudonymise, or mode: ipcrypt-deterministic");
  } else if (is_literal_address(shape) && !is_ip) {
    wrong_shape(c, "only values of kind ip become an address", "Set kind: ip");
  } else if (is_ip && c.action() == ActionKind::pseudonymise && c.has_carrier(Carrier::header) &&
             shape != Shape::none && !is_literal_address(shape)) {
    wrong_shape(c, "what reads an address in a header wants an address",
                "One of ip (the default) and ipv4");
  }
}

void check_bits(const RuleContext& c) {
  if (!c.rule.bits || c.action() != ActionKind::pseudonymise) return;
  const Shape shape = shape_of(c.rule);
  if (shape == Shape::none) return;
  c.out.error(c.rule.bits->at, c.rule.key + ".bits",
              "a pseudonym in the shape " + in_quotes(crypto::shape_name(shape)) +
                  " has the bits of its shape",
              "Remove one of the two");
}

void check_shape(const RuleContext& c) {
  const Shape shape = c.rule.shape.value;
  if (c.action() == ActionKind::tokenise_preserve) return check_preserve(c);
  if (shape == Shape::none) return;
  switch (c.action()) {
    case ActionKind::pseudonymise:
    case ActionKind::tokenise_vault:
      return check_surrogate_shape(c);
    case ActionKind::tokenise_derived:
      return wrong_shape(c, "a derived token has no shape but preserve", "Use mode: vault");
    case ActionKind::tokenise_address:
    case ActionKind::tokenise_address_prefix:
      if (shape == Shape::ip) return;
      return wrong_shape(c, "an encrypted address has no shape but ip", "Remove the key");
    case ActionKind::tokenise_address_random:
      return wrong_shape(c, "ipcrypt-ndx gives two addresses' worth of bytes, which have no shape",
                         "Remove the key, or use ipcrypt-deterministic");
    default:
      return;  // reported as a key that does not belong there
  }
}

void check_shape_length(const RuleContext& c) {
  if (!c.rule.shape_length) return;
  const bool digits = c.rule.shape.value == Shape::digits;
  if (!digits && c.rule.shape.value != Shape::alphanumeric) return;
  // Texts are never given twice, and every request takes a new one.
  constexpr std::uint32_t kLeastForRequests = 12;
  if (digits && c.action() == ActionKind::tokenise_vault && c.rule.scope.value == Scope::request &&
      c.rule.shape_length->value < kLeastForRequests) {
    c.out.error(c.rule.shape_length->at, c.rule.key + ".shape-length",
                "every request takes a new number, and so few digits are soon used up",
                "At least 12, or scope: person");
    return;
  }
  const std::uint32_t least = digits ? 6 : 8;
  const std::uint32_t most = digits ? 18 : 32;
  const std::uint32_t length = c.rule.shape_length->value;
  if (length >= least && length <= most) return;
  c.out.error(c.rule.shape_length->at, c.rule.key + ".shape-length",
              "shape: " + std::string(crypto::shape_name(c.rule.shape.value)) + " has " +
                  std::to_string(least) + " to " + std::to_string(most) + " characters");
}

void too_long(const RuleContext& c, std::size_t real, std::string_view hint) {
  c.out.error(c.rule.max_len->at, c.rule.key + ".max-len",
              "the result has " + std::to_string(real) + " bytes, more than " +
                  std::to_string(c.rule.max_len->value),
              std::string(hint));
}

void check_length(const RuleContext& c) {
  const Rule& rule = c.rule;
  if (!rule.max_len) return;
  if (rule.replacement && rule.replacement->value.size() > rule.max_len->value) {
    too_long(c, rule.replacement->value.size(), "Shorten the text");
  }
  if (!is_keyed(c.action())) return;
  const ResultLength length = result_length(c.policy, c.route, rule);
  if (length.least > rule.max_len->value) {
    too_long(c, length.least,
             c.action() == ActionKind::tokenise_derived
                 ? "mode: vault gives 46 bytes"
                 : "Widen the column, or use another action");
  } else if (length.grows) {
    c.out.note(rule.max_len->at, rule.key + ".max-len",
               "the result grows with the value; one that becomes longer than max-len is handled "
               "as on-error says");
  }
}

}  // namespace

void check_result(const RuleContext& c) {
  check_shape(c);
  check_bits(c);
  check_shape_length(c);
  check_length(c);
}

}  // namespace paravent::policies
