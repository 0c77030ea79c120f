// RoutePlan: everything the data path needs to know about one route, compiled for look-up.
//
// Immutable after compilation, shared by all workers, no allocation and no lock in any look-up.
// Names of flat carriers are found by hash, then by the wildcard patterns in the order of the
// policy; header names compare without case. A nullptr answer means that no rule lists the field:
// `unlisted` decides.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/model/path_pattern.h"
#include "policies/plan/condition_plan.h"
#include "policies/plan/field_action.h"
#include "policies/plan/json_matcher.h"
#include "policies/plan/json_path.h"

namespace paravent::policies {

enum class RouteMode : std::uint8_t {
  protect,  // the whole pipeline
  pass,  // `do: pass`, declared unprotected by name (elsewhere): only address headers are handled
};

class NameRules;  // policies/plan/name_rules.h

// A name as the laxest readers take it: as PHP folds it, and without case. Internal to
// policies/plan.
std::string loose_name(std::string_view name);

class RoutePlan {
 public:
  RoutePlan();
  ~RoutePlan();
  RoutePlan(RoutePlan&&) noexcept;
  RoutePlan& operator=(RoutePlan&&) noexcept;

  // Flat carriers: form, multipart, query, header, cookie. `name` is decoded.
  const FieldAction* find(Carrier carrier, std::string_view name) const;
  const FieldAction* find_json(JsonPath path) const {
    return json_ ? json_->find(path, unlisted == Unlisted::keep) : nullptr;
  }
  const FieldAction* find_json(JsonPath path, JsonWalk& walk) const {  // see JsonMatcher
    return json_ ? json_->find(path, unlisted == Unlisted::keep, walk) : nullptr;
  }
  const JsonMatcher* json_matcher() const { return json_.get(); }  // null: no rule about json
  // Whether a rule names a query or body field so; in JSON, a member at the top. Also in another
  // case, as PHP folds it, and as an element of an array of that name. Allocates.
  bool lists(std::string_view field) const;
  // Of a flat carrier whose names are paths (xml): whether a rule can be about anything below
  // `path`; may say true where a pattern begins with `*`.
  bool may_match_below(Carrier carrier, std::string_view path) const;

  // Whether a body of this kind is accepted at all: a rule names the carrier, or `unlisted` is not
  // refuse and no rule names any body carrier.
  bool accepts(Carrier body_carrier) const;
  bool has_rules(Carrier carrier) const;

  std::string name;
  std::uint32_t id = 0;      // dense over the plan: the index of this route's counters
  std::uint32_t tenant = 0;  // index of PolicyPlan::tenants()
  RouteMode mode = RouteMode::protect;
  std::uint32_t upstream = 0;  // index of PolicyPlan::upstreams()
  std::string recipient;
  std::string purpose;
  std::string phone_region = "FR";
  std::string token_mail_domain = "paravent.invalid";
  ClientAddress client_address = ClientAddress::drop;
  std::string fixed_address;  // client-address: fixed
  // client-address: pseudonym: its slot (space and kind ip, epoch day), and ip or ipv4.
  std::uint32_t address_slot = kNoSlot;
  Shape address_shape = Shape::ip;
  bool client_certificate = false;     // only for clients that have shown one
  std::vector<PathPattern> templates;  // the route's paths with named segments, in order
  TextPlain text_plain;
  Lines lines = Lines::none;
  bool streams_files = false;  // bodies of multipart are streamed
  bool any_order = false;      // what is protected may come behind a file
  bool constant_size = false;  // nothing behind the first file's head changes the body's size
  bool php_names = false;      // form, multipart, query and cookie names match as PHP folds them

  Unlisted unlisted = Unlisted::refuse;  // body and query
  Unlisted unlisted_header = Unlisted::keep;
  Unlisted unlisted_cookie = Unlisted::keep;
  FieldAction unlisted_action;  // name "unlisted"; what encrypt does with an unlisted field

  std::vector<const FieldAction*>
      required;                // body, query, header and cookie rules that must be present
  bool needs_subject = false;  // it matters whose data this is
  bool needs_keys = false;     // something of it takes a slot: refused while the vault is sealed
  // What is done instead while it is: the same route with its encrypt fields sealed to a public
  // key. nullptr: it is refused. Never matched by itself.
  const RoutePlan* when_sealed = nullptr;
  // Routes that say whose data this is: the slot of the reference (subject_reference).
  std::uint32_t subject_slot = kNoSlot;
  bool stop_objected = false;  // who objected is not sent on
  OnObjection on_objection = OnObjection::refuse;
  std::vector<const FieldAction*> delimiters;  // rules that a `relationship` names

  std::vector<ConditionPlan> conditions;  // each once; at most 64, numbered by FieldAction::when
  std::vector<std::uint64_t> questions;   // every `when` of a rule, each once
  std::uint64_t match_when = 0;           // what must hold for the route to be taken at all

 private:
  friend class PlanCompiler;
  std::vector<std::unique_ptr<FieldAction>> actions_;
  std::vector<std::unique_ptr<NameRules>> flat_;  // indexed by Carrier
  std::unique_ptr<JsonMatcher> json_;
  std::vector<std::string> loose_names_;  // the literal names that lists() knows, sorted
  std::uint32_t accepted_carriers_ = 0;
};

}  // namespace paravent::policies
