// Rules about fields inside an opened field: that something opens it, and that such a field can be
// meant there.

#include <algorithm>
#include <string>

#include "policies/model/checks.h"

namespace paravent::policies {
namespace {

std::size_t depth_of(const Route& route, const Rule& rule) {
  std::size_t depth = 0;
  const Rule* at = &rule;
  while (at != nullptr && !at->selector.outer.empty() && depth <= kMaxNesting) {
    ++depth;
    at = find_rule(route, at->selector.outer);
  }
  return depth;
}

void check_outer(const Route& route, const Rule& rule, Diagnostics& out) {
  const std::string& name = rule.selector.outer;
  const Rule* outer = find_rule(route, name);
  if (outer == nullptr || !outer->has_selector) {
    out.error(rule.at, rule.key, "no rule of this route opens " + in_quotes(name),
              "Add one, for example { do: open, as: json }");
    return;
  }
  const bool content = rule.selector.carrier == Carrier::file_content;
  if (content || rule.selector.carrier == Carrier::file_name) {
    // The rule itself, or what it says otherwise.
    const auto fits = [&](const Rule& other) {
      return other.selector.text == name && other.file &&
             (content ? other.file->action.value == FileAction::encrypt
                      : goes_on(other.file->action.value));
    };
    if (!outer->action || std::any_of(route.rules.begin(), route.rules.end(), fits)) return;
    out.error(rule.at, rule.key,
              outer->file ? content ? "the content of this file is not encrypted"
                                    : "a file that does not go on has no name"
                          : "the rule about " + in_quotes(name) + " is about no file",
              content ? "Write file: encrypt there" : "Write file: pass there");
    return;
  }
  if (outer->action != ActionKind::open) {
    if (outer->action) {
      out.error(rule.at, rule.key, "the rule about " + in_quotes(name) + " does not open it",
                "Write do: open there");
    }
    return;
  }
  const Carrier inside = carrier_inside(outer->inside.value.content);
  if (inside != rule.selector.carrier) {
    out.error(rule.at, rule.key,
              "inside of " + in_quotes(name) + " is " + std::string(carrier_name(inside)) +
                  ", not " + std::string(carrier_name(rule.selector.carrier)),
              "See the key as of that rule");
  }
  if (depth_of(route, rule) > kMaxNesting) {
    out.error(rule.at, rule.key,
              "fields are opened at most " + std::to_string(kMaxNesting) + " deep");
  }
}

void check_keys_inside(const Rule& rule, Diagnostics& out) {
  if (rule.required) {
    out.error(rule.at, rule.key + ".required", "only a field of the message itself can be required",
              "Require the field that is opened");
  }
  if (!rule.previous.value.empty()) {
    out.error(rule.previous.at, rule.key + ".previous",
              "nothing can be put beside a field inside another one",
              "Remove overlap and previous");
  }
}

}  // namespace

void check_inside(const Policy& policy, Diagnostics& out) {
  for (const Route& route : policy.routes) {
    for (const Rule& rule : route.rules) {
      if (rule.action == ActionKind::open && rule.max_len) {
        out.error(rule.max_len->at, rule.key + ".max-len",
                  "what is opened has no length of its own", "Remove the key");
      }
      if (!rule.has_selector || rule.selector.outer.empty()) continue;
      check_outer(route, rule, out);
      check_keys_inside(rule, out);
    }
  }
}

}  // namespace paravent::policies
