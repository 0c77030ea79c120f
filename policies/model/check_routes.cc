#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "policies/model/checks.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {
namespace {

// True when `earlier` leaves nothing to `later`, and says so.
bool check_overlap(const Route& earlier, const Route& later, Diagnostics& out) {
  if (earlier.match.paths.empty() || later.match.paths.empty()) return false;
  if (!covers(earlier.match, later.match)) return false;
  const std::string& name = earlier.name.value;
  if (covers(later.match, earlier.match)) {
    out.error(later.match.at, later.key + ".match",
              "the route " + in_quotes(name) + " matches the same",
              "The first route that matches is taken; remove one");
  } else {
    out.error(later.match.at, later.key + ".match",
              "nothing ever reaches this route: " + in_quotes(name) + " takes it all",
              "Move it before that route");
  }
  return true;
}

// One of several paths that earlier routes take before this one can.
void check_dead_paths(std::span<const Route> earlier, const Route& route, Diagnostics& out) {
  if (route.match.paths.size() < 2) return;
  for (const PathPattern& path : route.match.paths) {
    const auto taker = std::find_if(earlier.begin(), earlier.end(), [&](const Route& other) {
      return covers_path(other.match, route.match, path);
    });
    if (taker == earlier.end()) continue;
    out.warning(route.match.at, route.key + ".match.path",
                "nothing on " + in_quotes(path.text()) +
                    " ever reaches this route: " + in_quotes(taker->name.value) + " takes it all",
                "Remove the path, or move the route before that one");
  }
}

void check_reference(const Located<std::string>& name, bool exists, bool needed, Position at,
                     const std::string& key, std::string_view what,
                     const std::vector<std::string_view>& known, Diagnostics& out) {
  const std::string section = std::string(what) + "s";
  if (name.value.empty()) {
    if (needed) {
      out.error(at, key, "the key is missing: keys belong to a recipient and a purpose",
                "Name one of the " + section);
    }
  } else if (!exists) {
    out.error(name.at, key, "there is no " + std::string(what) + " " + in_quotes(name.value),
              suggestion(name.value, known, "Define it under " + section));
  }
}

bool uses_keys(const Route& route) {
  return route.unlisted.value == Unlisted::encrypt ||
         route.client_address == ClientAddress::pseudonym ||
         std::any_of(route.rules.begin(), route.rules.end(),
                     [](const Rule& rule) { return rule.action && is_keyed(*rule.action); });
}

void check_references(const Policy& policy, const Route& route, Diagnostics& out) {
  const bool needed = uses_keys(route);
  std::vector<std::string_view> recipients;
  for (const Recipient& recipient : policy.recipients) recipients.push_back(recipient.id);
  check_reference(route.recipient, find_recipient(policy, route.recipient.value) != nullptr, needed,
                  route.at, route.key + ".recipient", "recipient", recipients, out);
  if (route.recipient.value.empty() && !needed) {
    out.warning(route.at, route.key + ".recipient", "the route does not say who receives its data",
                "Name one of the recipients");
  }
  std::vector<std::string_view> purposes;
  for (const Purpose& purpose : policy.purposes) purposes.push_back(purpose.name);
  check_reference(route.purpose, find_purpose(policy, route.purpose.value) != nullptr, needed,
                  route.at, route.key + ".purpose", "purpose", purposes, out);
}

// Once for the route, not for each of its rules.
void check_without_subject(const Policy& policy, const Route& route, Diagnostics& out) {
  if (route.on_objection) {
    out.error(route.on_objection->at, route.key + ".on-objection",
              "the route has no subject, so nobody knows who objected",
              "Set the route's subject, or remove the key");
  }
  const Purpose* purpose = find_purpose(policy, route.purpose.value);
  const bool from_event =
      purpose != nullptr && purpose->retention && purpose->retention->counts_from_event();
  const bool bindable =
      route.unlisted.value == Unlisted::encrypt ||
      std::any_of(route.rules.begin(), route.rules.end(), [](const Rule& rule) {
        return rule.action == ActionKind::tokenise_vault || rule.action == ActionKind::encrypt;
      });
  if (!from_event || !bindable) return;
  out.note(route.at, route.key + ".subject",
           "the retention counts from an event, and the route does not say whose data this is: "
           "these values count from their collection, vault tokens from their last use, and cannot "
           "be erased for one person",
           "Name the field that tells the person, for example subject: form.email");
}

// A subject that is there for something else, a scope perhaps, is easily taken for a promise.
void check_unbound(const Policy& policy, const Route& route, Diagnostics& out) {
  const Purpose* purpose = find_purpose(policy, route.purpose.value);
  const auto is_bindable = [](const Rule& rule) {
    return rule.action == ActionKind::tokenise_vault || rule.action == ActionKind::encrypt;
  };
  const auto is_bound = [&](const Rule& rule) { return is_subject_bound(rule, route, purpose); };
  if (purpose == nullptr || std::none_of(route.rules.begin(), route.rules.end(), is_bindable) ||
      std::any_of(route.rules.begin(), route.rules.end(), is_bound)) {
    return;
  }
  out.note(route.subject.at, route.key + ".subject",
           "no value of this route is bound to the person, so paravent subjects neither finds nor "
           "erases any",
           "Set erasable: subject on the fields that are to go with the person");
}

void check_subject(const Policy& policy, const Route& route, Diagnostics& out) {
  if (route.subject.value.empty()) return check_without_subject(policy, route, out);
  std::vector<std::string_view> fields;
  for (const Rule& rule : route.rules) fields.push_back(rule.selector.text);
  const auto rule = std::find_if(route.rules.begin(), route.rules.end(), [&](const Rule& r) {
    return r.selector.text == route.subject.value;
  });
  if (rule == route.rules.end()) {
    out.error(route.subject.at, route.key + ".subject",
              "no rule of this route is about " + in_quotes(route.subject.value),
              suggestion(route.subject.value, fields, "Name one of the route's fields"));
  } else if (rule->has_selector && rule->selector.is_wild()) {
    out.error(route.subject.at, route.key + ".subject",
              "the subject is one field; " + in_quotes(route.subject.value) + " may match several",
              "Name a field without wildcards");
  } else {
    check_unbound(policy, route, out);
  }
}

// What goes on while nobody has given the keys: only what needs none of ours.
void check_when_sealed(const Policy& policy, const Route& route, Diagnostics& out) {
  if (!route.when_sealed) return;
  const std::string key = route.key + ".when-sealed";
  const Position at = route.when_sealed->at;
  std::vector<std::string_view> known;
  for (const PublicKey& one : policy.public_keys) known.push_back(one.name);
  if (find_public_key(policy, route.when_sealed->value) == nullptr) {
    out.error(at, key, "there is no public key " + in_quotes(route.when_sealed->value),
              suggestion(route.when_sealed->value, known, "Define it under public-keys"));
  }
  bool encrypts = route.unlisted.value == Unlisted::encrypt;
  for (const Rule& rule : route.rules) {
    if (!rule.action || !is_keyed(*rule.action) || is_sealed(*rule.action)) continue;
    if (*rule.action == ActionKind::encrypt) {
      encrypts = true;
      continue;
    }
    out.error(at, key,
              in_quotes(rule.selector.text) +
                  " needs the vault's keys, so this route cannot go on without them",
              "Only encrypt fields can; remove the key, or move the field to another route");
  }
  if (route.client_address == ClientAddress::pseudonym) {
    out.error(at, key, "client-address: pseudonym needs the vault's keys",
              "Drop or truncate the address");
  }
  if (!route.subject.value.empty() && heeds_objections(policy, route)) {
    out.error(at, key, "nobody could tell who objected while the vault is sealed",
              "Remove the key: this route has to wait for the vault");
  }
  if (!encrypts) {
    out.error(at, key, "the route encrypts nothing that could be encrypted to somebody else",
              "Remove the key");
  } else {
    out.note(at, key,
             "what arrives while the vault is sealed is out of the vault's reach until it is "
             "converted: no retention ends it, and no erasure");
  }
}

// Whether the path of a JSON field begins with a member, as no path does where lines are read.
bool lacks_line_number(const FieldSelector& field) {
  if (field.carrier != Carrier::json || !field.outer.empty() || field.steps.empty()) return false;
  const SelectorStep::Type first = field.steps.front().type;
  return first == SelectorStep::Type::key || first == SelectorStep::Type::any_member;
}

std::string with_line_number(const FieldSelector& field, std::string_view number) {
  constexpr std::string_view kJson = "json";
  return "Write " + std::string(kJson) + std::string(number) + field.text.substr(kJson.size());
}

// A rule that matches nothing protects nothing, and a condition never holds.
void check_line_numbers(const Route& route, Diagnostics& out) {
  constexpr std::string_view kMessage =
      "each line is a document, and JSON paths begin with its number";
  const auto check_conditions = [&](const std::vector<Condition>& when, const std::string& key) {
    for (const Condition& condition : when) {
      if (!lacks_line_number(condition.field)) continue;
      out.error(condition.at, join_key(key, condition.field.text), std::string(kMessage),
                with_line_number(condition.field, "[0]"));
    }
  };
  check_conditions(route.match.when, route.key + ".match.when");
  for (const Rule& rule : route.rules) {
    if (rule.is_else) continue;
    if (rule.has_selector && lacks_line_number(rule.selector)) {
      out.error(rule.at, rule.key, std::string(kMessage), with_line_number(rule.selector, "[*]"));
    }
    check_conditions(rule.when, rule.key + ".when");
  }
}

void check_carriers(const Route& route, Diagnostics& out) {
  const bool has_json = std::any_of(route.rules.begin(), route.rules.end(), [](const Rule& rule) {
    return rule.has_selector && rule.selector.carrier == Carrier::json &&
           rule.selector.outer.empty();
  });
  const TextPlain& text = route.text_plain.value;
  const Position at = route.text_plain.at;
  if (text.json && !has_json) {
    out.error(at, route.key + ".text-plain", "text-plain: json needs a rule about json",
              "Add one, or remove the key");
  }
  if (text.gzip && !text.json && !text.form) {
    out.error(at, route.key + ".text-plain", "gzip says how the text is packed, not what it is",
              "Add json, form or both");
  }
  const Lines lines = route.lines ? route.lines->value : Lines::none;
  if (lines != Lines::none && !has_json && !(text.form && lines == Lines::each)) {
    out.error(route.lines->at, route.key + ".lines",
              "lines are of JSON, or of forms under text/plain",
              "Add a rule about json, or text-plain: form");
  }
  if (lines != Lines::none) check_line_numbers(route, out);
  if (route.rules.empty() && route.unlisted.value == Unlisted::refuse) {
    out.warning(route.at, route.key + ".fields",
                "the route lists no field and refuses every unlisted one",
                "Add fields, or unlisted: keep");
  }
}

}  // namespace

void check_routes(const Policy& policy, Diagnostics& out) {
  for (std::size_t i = 0; i < policy.routes.size(); ++i) {
    const Route& route = policy.routes[i];
    check_references(policy, route, out);
    check_subject(policy, route, out);
    check_when_sealed(policy, route, out);
    check_carriers(route, out);
    bool is_covered = false;
    for (std::size_t k = 0; k < i; ++k) {
      const Route& earlier = policy.routes[k];
      if (!route.name.value.empty() && earlier.name.value == route.name.value) {
        out.error(route.name.at, route.key + ".name",
                  "two routes are called " + in_quotes(route.name.value), "Choose another name");
      }
      is_covered = is_covered || check_overlap(earlier, route, out);
    }
    if (!is_covered) check_dead_paths({policy.routes.data(), i}, route, out);
  }
}

}  // namespace paravent::policies
