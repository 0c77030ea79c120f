// Rules about uploaded files and their names.

#include <algorithm>
#include <string>
#include <string_view>

#include "policies/model/checks.h"

namespace paravent::policies {
namespace {

bool fits_a_name(ActionKind action) {
  switch (action) {
    case ActionKind::keep:
    case ActionKind::drop:
    case ActionKind::refuse:
    case ActionKind::replace:
    case ActionKind::pseudonymise:
    case ActionKind::tokenise_vault:
    case ActionKind::tokenise_derived:
    case ActionKind::encrypt:
    case ActionKind::seal:
    case ActionKind::seal_single:
      return true;
    default:
      return false;
  }
}

void check_name(const Rule& rule, Diagnostics& out) {
  if (rule.action && !fits_a_name(*rule.action)) {
    out.error(rule.action_at, rule.key + ".do", "this cannot be done with the name of a file",
              "One of keep, drop, refuse, replace, pseudonymise, tokenise, encrypt");
  }
  if (rule.shape.value != Shape::none) {
    out.error(rule.shape.at, rule.key + ".shape", "a file name keeps its own ending and no shape",
              "Remove the key");
  }
}

void check_content(const Rule& rule, Diagnostics& out) {
  if (rule.action && rule.action != ActionKind::encrypt && !is_sealed(*rule.action)) {
    out.error(rule.action_at, rule.key + ".do", "the content of a file can only be encrypted",
              "Write do: encrypt, or file: pass");
  }
  if (rule.has_kind) {
    out.error(rule.kind.at, rule.key + ".kind", "the content of a file has no kind",
              "Remove the key");
  }
  if (rule.max_len) {
    out.error(rule.max_len->at, rule.key + ".max-len", "a file has no length of its own",
              "Remove the key");
  }
}

void check_file(const Rule& rule, Diagnostics& out) {
  if (!rule.has_selector) return;
  if (rule.selector.carrier != Carrier::multipart) {
    out.error(rule.file->action.at, rule.key + ".file", "only a part of multipart can be a file",
              "Write the rule about multipart.NAME");
  }
  if (rule.action == ActionKind::open) {
    out.error(rule.action_at, rule.key + ".do", "a file and a field that is opened are two things",
              "Remove one of the two");
  }
}

bool asks_the_body(const std::vector<Condition>& conditions) {
  return std::any_of(conditions.begin(), conditions.end(), [](const Condition& condition) {
    return condition.field.carrier == Carrier::form ||
           condition.field.carrier == Carrier::multipart;
  });
}

// The whole message, which decides elsewhere, is never there. Once for the route.
void check_conditions(const Route& route, Diagnostics& out) {
  constexpr std::string_view kMessage =
      "files do not wait for the whole message: the field asked about has to come before the first "
      "file or field that depends on it, or the message is refused (late-field)";
  constexpr std::string_view kHint = "Let the form's field stand above its files";
  if (asks_the_body(route.match.when)) {
    out.note(route.match.at, route.key + ".match.when", std::string(kMessage), std::string(kHint));
    return;
  }
  for (const Rule& rule : route.rules) {
    if (!asks_the_body(rule.when)) continue;
    out.note(rule.at, rule.key + ".when", std::string(kMessage), std::string(kHint));
    return;
  }
}

}  // namespace

void check_files(const Policy& policy, Diagnostics& out) {
  for (const Route& route : policy.routes) {
    for (const Rule& rule : route.rules) {
      if (rule.file) check_file(rule, out);
      if (rule.has_selector && rule.selector.carrier == Carrier::file_name) check_name(rule, out);
      if (rule.has_selector && rule.selector.carrier == Carrier::file_content) {
        check_content(rule, out);
      }
    }
    if (streams_files(route)) check_conditions(route, out);
    if (route.stream && !streams_files(route)) {
      out.error(route.stream->at, route.key + ".stream",
                "no rule of this route lets a file through",
                "Add one, for example multipart.cv: { file: pass }");
    }
  }
}

bool streams_files(const Route& route) {
  return std::any_of(route.rules.begin(), route.rules.end(), [](const Rule& rule) {
    return rule.file && rule.file->action.value != FileAction::refuse;
  });
}

}  // namespace paravent::policies
