// Policy: what one policy file says, as plain data with positions. One tenant per file.
//
// Made by load_policy (load_policy.h). A Policy whose diagnostics hold no error is complete and
// consistent: every name refers to something, every rule can be carried out. Defaults that depend
// on other keys are not filled in here but answered by the functions at the end.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys/algorithm.h"
#include "crypto/keys/epoch.h"
#include "crypto/tokens/kind.h"
#include "policies/model/access_terms.h"
#include "policies/model/condition.h"
#include "policies/model/diagnostics.h"
#include "policies/model/file_rule.h"
#include "policies/model/generalise_options.h"
#include "policies/model/inside.h"
#include "policies/model/oidc_entry.h"
#include "policies/model/path_pattern.h"
#include "policies/model/period.h"
#include "policies/model/role_hours.h"
#include "policies/model/selector.h"
#include "policies/model/upstream_address.h"
#include "policies/model/vocabulary.h"

namespace paravent::policies {

struct Role {
  std::string name;
  Position at;
  RevealLevel reveal = RevealLevel::refused;
  bool subjects = false;  // may exercise people's rights for them: locate, export, erase, ...
  bool audit = false;     // may read what the audit log says of others; the role dpo unless denied
  std::vector<KindLevel> kinds;  // instead of `reveal`, for values of these kinds
  Budget budget;                 // of each person with the role
  Budget budget_together;        // of all of them
  bool protect = false;          // may have values protected: a dictionary, if nobody counts
  Budget protect_budget = kProtectBudget;
  std::vector<HourWindow> hours;  // when it may ask; empty: always
};

struct Recipient {
  std::string id;
  Position at;
  std::string name;  // for people
  Located<std::string> country;
  Located<Safeguard> safeguard;
  Located<std::string> domain;  // empty: the id
  bool analytics = false;       // measures audiences: who objects is not sent there
};

struct Retention {
  Position at;
  RetentionFrom from = RetentionFrom::collection;
  Period active;
  std::optional<Located<Period>> archive;  // after `active`

  bool counts_from_event() const noexcept { return from != RetentionFrom::collection; }
};

struct Purpose {
  std::string name;
  Position at;
  std::optional<Basis> basis;
  std::optional<Retention> retention;
  std::vector<Located<std::string>> reveal;           // roles, while active
  std::vector<Located<std::string>> reveal_archived;  // roles, while archived
};

struct Rule {
  FieldSelector selector;
  bool has_selector = false;  // false: the spelling was wrong, only `selector.text` is set
  Position at;
  std::string key;  // dotted path for diagnostics
  std::optional<ActionKind> action;
  Position action_at;
  Located<crypto::Kind> kind = {crypto::Kind::text, {}};
  bool has_kind = false;
  Located<std::string> space;  // empty: the kind's name
  std::optional<Located<crypto::EpochLength>> epoch;
  Located<Scope> scope;
  Located<std::string> relationship;              // scope relationship: a field of the route
  std::optional<Located<std::uint32_t>> overlap;  // hours; 0: could not be read
  Located<std::string> previous;                  // the field beside that carries the old one
  Located<Shape> shape;                           // as written; see shape_of
  std::optional<Located<std::uint32_t>> shape_length;
  std::optional<Located<std::uint32_t>> bits;    // pseudonymise: bits kept, absent: all
  Located<std::string> sealed_to;                // encrypt: a name of Policy::public_keys
  Located<std::string> because;                  // why a rule is right that the linter doubts
  std::optional<Located<std::uint32_t>> values;  // how many different values the field can have
  std::optional<Located<std::uint32_t>> max_len;
  bool required = false;
  std::optional<Position> erasable;  // erasable: subject
  // own-tokens: accept: a vault token of this rule's own space that comes back passes.
  std::optional<Position> own_tokens;
  std::optional<Located<OnError>> on_error;
  std::optional<Located<Generalisation>> generalise_to;
  GeneraliseOptions options;                        // generalise; the time zone is the policy's
  std::optional<Located<std::uint32_t>> length;     // truncate of text: characters kept
  std::optional<Located<std::uint32_t>> ipv4_bits;  // truncate of ip
  std::optional<Located<std::uint32_t>> ipv6_bits;
  std::optional<Located<std::uint32_t>> show_first;  // mask: characters shown
  std::optional<Located<std::uint32_t>> show_last;
  std::optional<Located<std::string>> replacement;  // replace
  Located<InsideForm> inside;                       // open: what the value is
  std::optional<FileRule> file;                     // what becomes of files under this name
  std::vector<Condition> when;                      // all must hold, else the rule behind applies
  // This rule is the `else` of the one before it in Route::rules, with the same selector.
  bool is_else = false;
};

struct RouteMatchRule {
  Position at;
  std::vector<Located<std::string>> methods;  // empty: every method
  std::vector<Located<std::string>> hosts;    // lower case, without port; empty: every host
  std::vector<PathPattern> paths;
  std::vector<Condition> when;  // all must hold; empty: whatever the request says
};

struct Route {
  Located<std::string> name;
  Position at;
  std::string key;  // "routes.NAME"
  RouteMatchRule match;
  Located<UpstreamAddress> upstream;
  std::vector<UpstreamAddress> alternatives;  // to the upstream, at most 15
  Located<std::string> recipient;
  Located<std::string> purpose;
  Located<std::string> domain;  // empty: the recipient's
  ClientAddress client_address = ClientAddress::drop;
  std::string fixed_address;        // client-address: fixed
  Shape address_shape = Shape::ip;  // client-address: pseudonym; ip or ipv4
  Located<std::string> subject;     // empty: none
  std::optional<Located<OnObjection>> on_objection;
  Located<TextPlain> text_plain;
  std::optional<Located<Lines>> lines;
  bool php_names = false;
  std::optional<Located<StreamOrder>> stream;  // of bodies with files; absent: fields first
  bool client_certificate = false;             // required
  std::optional<Located<OnError>> on_error;    // default of the rules that can
  // `when-sealed: encrypt-to NAME`: a name of Policy::public_keys, to which encrypt fields are
  // sealed while the vault is.
  std::optional<Located<std::string>> when_sealed;
  std::vector<Rule> rules;
  Located<Unlisted> unlisted;  // body and query
  Unlisted unlisted_header = Unlisted::keep;
  Unlisted unlisted_cookie = Unlisted::keep;
};

// What no route takes, passed by name; only address headers are handled.
struct Elsewhere {
  Position at;
  std::vector<Located<std::string>> methods;
  Located<UpstreamAddress> upstream;
  std::vector<UpstreamAddress> alternatives;  // to the upstream, at most 15
  bool client_certificate = false;            // required
  ClientAddress client_address = ClientAddress::drop;
  std::string fixed_address;
};

// Somebody who can open what this gateway cannot: the private key is elsewhere.
struct PublicKey {
  std::string name;
  Position at;
  std::optional<std::array<std::uint8_t, 32>> key;  // X25519 (RFC 7748); absent: could not be read
};

struct Policy {
  Located<std::string> tenant;
  Located<std::string> phone_region = {"FR", {}};
  Located<std::string> token_mail_domain = {"paravent.invalid", {}};
  Located<std::string> time_zone = {"Europe/Paris", {}};
  std::vector<PublicKey> public_keys;
  std::vector<Role> roles;
  std::vector<Recipient> recipients;
  std::vector<Purpose> purposes;
  std::vector<Route> routes;
  std::optional<Elsewhere> elsewhere;
  std::optional<FourEyes> four_eyes;
  std::vector<OidcEntry> oidc;  // subjects of other issuers who have a role here
};

inline constexpr std::string_view kElsewhereName = "elsewhere";
inline constexpr std::string_view kUnlistedName = "unlisted";
inline constexpr std::string_view kClientAddressName = "client-address";
// The space of the days by which dates are shifted; no rule may name it.
inline constexpr std::string_view kDateShiftSpace = "date-shift";
inline constexpr std::string_view kAdminRole = "admin";  // built in; never reveals
// The role of the operator that init makes beside the admin; reads the audit log unless denied.
inline constexpr std::string_view kDpoRole = "dpo";

// Whether `mine` takes every request that `theirs` takes; may miss some such pairs.
bool covers(const RouteMatchRule& mine, const RouteMatchRule& theirs);
// The same of the requests on one of the paths of `theirs`.
bool covers_path(const RouteMatchRule& mine, const RouteMatchRule& theirs, const PathPattern& path);

// nullptr when there is none.
const Role* find_role(const Policy& policy, std::string_view name);
const Recipient* find_recipient(const Policy& policy, std::string_view id);
const Purpose* find_purpose(const Policy& policy, std::string_view name);
const PublicKey* find_public_key(const Policy& policy, std::string_view name);
const Rule* find_rule(const Route& route, std::string_view field);

// Whether some rule lets files through, so that bodies of multipart are streamed.
bool streams_files(const Route& route);

// The pseudonymisation domain of a route: its own, else its recipient's, else the recipient's id.
std::string domain_of(const Policy& policy, const Route& route);
// What makes the rule's values comparable: its space, else its kind's name.
std::string space_of(const Rule& rule);
// The rule's shape: as written; else, for the pseudonym of an address in a header, a literal
// address, since what reads such a header wants one.
Shape shape_of(const Rule& rule);
// Of the shapes that have no length of their own: as written, else 12 digits or 16 characters.
std::uint32_t shape_length_of(const Rule& rule);
// The rule's epoch: as written; else none for vault tokens and encryption that belong to a data
// subject under a retention that counts from an event (constructions 4.11), for sealed values,
// which no key of ours ends, and for shifted dates, whose distances would not survive a new epoch;
// else day for addresses and month for everything else.
crypto::EpochLength epoch_of(const Rule& rule, const Route& route, const Purpose* purpose);
crypto::EpochLength unlisted_epoch(const Route& route, const Purpose* purpose);
// Whether the rule's values belong to the request's data subject, whose key ends them: vault tokens
// and encrypted values of a route with a subject, where the rule says so or the retention counts
// from an event (constructions 4.11).
bool is_subject_bound(const Rule& rule, const Route& route, const Purpose* purpose);
bool unlisted_is_subject_bound(const Route& route, const Purpose* purpose);
// As algorithm_of the rule's action, or the one that is bound to a subject.
crypto::Algorithm algorithm_of_rule(const Policy& policy, const Route& route, const Rule& rule);
// Whether somebody's objection ends what the route does: its purpose rests on legitimate interest,
// or its recipient measures audiences (GDPR 21).
bool heeds_objections(const Policy& policy, const Route& route);

// The rule's on-error: as written, else the route's where the action can do it, else refuse.
OnError on_error_of(const Rule& rule, const Route& route);

}  // namespace paravent::policies
