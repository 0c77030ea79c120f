// What a scan hands to the RequestScanner: the fields of flat carriers, and of JSON. Internal to
// the scanner; one visitor for one text, on the stack.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "policies/plan/file_plan.h"
#include "policies/plan/json_matcher.h"
#include "proxy/body/json.h"
#include "proxy/pipeline/other_format.h"
#include "proxy/pipeline/request_scanner.h"

namespace paravent::proxy {

// `json.items[0].name`, for the sender's own eyes and for explain.
inline std::string json_name(policies::JsonPath path) {
  std::string text;
  for (const policies::PathStep& step : path) {
    if (step.is_index) {
      text.append("[").append(std::to_string(step.index)).append("]");
    } else {
      text.append(".").append(step.key);
    }
  }
  return text;
}

// Flat carriers: form, multipart, query and the cookies of one header line.
class FlatFieldVisitor final : public body::FlatVisitor {
 public:
  FlatFieldVisitor(RequestScanner& scanner, policies::Carrier carrier, std::string_view text,
                   std::uint32_t line = 0)
      : scanner_(scanner), carrier_(carrier), text_(text), line_(line) {}

  bool on_field(std::string_view name, const body::Field& field) override {
    if (carrier_ == policies::Carrier::form && is_another_format(field.whole.in(text_))) {
      return scanner_.refuse(Reason::unsupported_type, {});
    }
    const policies::FieldAction* action = scanner_.find(carrier_, name);
    if (carrier_ == policies::Carrier::cookie &&
        scanner_.hides_cookie(field.value.in(text_), action)) {
      return scanner_.refuse(Reason::malformed_body, {});
    }
    if (field.is_file && action != nullptr && action->file) {
      return scanner_.take_file(name, field, text_, *action);
    }
    return scanner_.take(carrier_, name, line_, field, field.value.in(text_), action);
  }

  // An element that no rule is about, nor about anything in it: it is its name that must not go on.
  bool on_valueless(std::string_view name, const body::Field& field) override {
    const bool is_known = !scanner_.forbids_unlisted() ||
                          scanner_.find(carrier_, name) != nullptr ||
                          scanner_.route_.may_match_below(carrier_, name);
    return is_known || scanner_.take(carrier_, name, line_, field, {}, nullptr);
  }

 private:
  RequestScanner& scanner_;
  policies::Carrier carrier_;
  std::string_view text_;
  std::uint32_t line_;
};

class JsonFieldVisitor final : public body::JsonVisitor {
 public:
  JsonFieldVisitor(RequestScanner& scanner, std::string_view text)
      : scanner_(scanner), text_(text), walk_(scanner.json_scanners_->walk_at(scanner.depth_)) {
    const policies::JsonMatcher* matcher = scanner.json_matcher();
    if (matcher != nullptr) matcher->begin(walk_);
  }

  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (unlisted_from_ > 0 && scanner_.route_.unlisted == policies::Unlisted::drop) return true;
    const policies::FieldAction* action = scanner_.find_json(path, walk_);
    if (action == nullptr && scanner_.passes_unlisted(field)) return true;
    return take(path, field, action);
  }

  bool wants_filters() const override {
    const policies::JsonMatcher* matcher = scanner_.json_matcher();
    return matcher != nullptr && !matcher->filters().empty();
  }

  body::FilterBits filters_of(std::string_view object) override {
    body::ElementFilters& filters = scanner_.json_scanners_->filters_at(scanner_.depth_);
    if (!std::exchange(filters_begun_, true)) filters.begin_text();
    return filters.of(object, scanner_.json_matcher()->filters());
  }

  // A rule means one value; an object or an array in its place is not what the policy's author saw.
  bool on_container(body::JsonPath path, bool) override {
    const policies::FieldAction* action = scanner_.find_json(path, walk_);
    walk_.enter(path.size());
    if (action == nullptr && is_unlisted(path)) unlisted_from_ = path.size();
    // Some senders write as an object what others write as its text.
    if (action == nullptr || action->action == policies::ActionKind::keep ||
        action->action == policies::ActionKind::open) {
      return true;
    }
    return scanner_.refuse(action->action == policies::ActionKind::refuse
                               ? Reason::refused_field
                               : Reason::transform_failed,
                           action->name);
  }

  bool wants_ends() const override { return scanner_.forbids_unlisted(); }

  // Of a member that no rule is about, nor about anything in it, the name must not go on either:
  // dropped, it goes with all that is in it; refused, it is when nothing in it was (`{"name":{}}`).
  bool on_container_end(body::JsonPath path, const body::Field& field) override {
    if (unlisted_from_ != path.size()) return true;
    unlisted_from_ = 0;
    return take(path, field, nullptr);
  }

 private:
  // Whether a member begins that is unlisted with all that is in it; an element has no name.
  bool is_unlisted(body::JsonPath path) {
    if (unlisted_from_ > 0 || path.empty() || path.back().is_index) return false;
    if (!scanner_.forbids_unlisted()) return false;
    const policies::JsonMatcher* matcher = scanner_.json_matcher();
    return matcher == nullptr || !matcher->leads_below(path, walk_);
  }

  bool take(body::JsonPath path, const body::Field& field, const policies::FieldAction* action) {
    const bool name_needed =
        scanner_.observer_ != nullptr ||
        (action == nullptr && scanner_.route_.unlisted == policies::Unlisted::refuse);
    const std::string name = name_needed ? json_name(path) : std::string();
    return scanner_.take(policies::Carrier::json, name, 0, field, field.value.in(text_), action);
  }

  RequestScanner& scanner_;
  std::string_view text_;
  policies::JsonWalk& walk_;
  bool filters_begun_ = false;
  std::size_t unlisted_from_ = 0;  // steps of the unlisted member around; 0: none is
};

}  // namespace paravent::proxy
