#include "policies/access/reveal_terms.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace paravent::policies {
namespace {

constexpr std::uint64_t kEverything = std::numeric_limits<std::uint64_t>::max();
constexpr std::string_view kFirstLine = "paravent-terms-v1\n";
constexpr std::string_view kApprove = "may approve ";
// Of policies that are compared; no policy's own, so that it is in no file.
constexpr std::string_view kTwoPeople = "limit two people";

std::uint64_t openness_of(RevealLevel level) {
  switch (level) {
    case RevealLevel::refused:
      return 0;
    case RevealLevel::replaced:
      return 1;
    case RevealLevel::masked:
      return 2;
    case RevealLevel::clear:
      return 3;
  }
  return 3;
}

std::uint64_t level_of(const Role& role, crypto::Kind kind) {
  for (const KindLevel& own : role.kinds) {
    if (own.kind == kind) return openness_of(own.level);
  }
  return openness_of(role.reveal);
}

// Days, generously: only compared with each other.
std::uint64_t days_of(const Period& period) {
  return std::uint64_t{period.months} * 31 + period.days;
}

std::uint64_t clock_of(RetentionFrom from) {
  switch (from) {
    case RetentionFrom::collection:
      return 0;
    case RetentionFrom::last_contact:
      return 1;
    case RetentionFrom::contract_end:
    case RetentionFrom::case_closed:
      return 2;
  }
  return 2;
}

void add_budget(const std::string& key, const Budget& budget, RevealTerms& terms) {
  const auto add = [&](std::string_view name, const std::optional<std::uint32_t>& limit) {
    if (limit) terms["limit " + key + " " + std::string(name)] = *limit;
  };
  add("values-per-hour", budget.values_per_hour);
  add("values-per-day", budget.values_per_day);
  add("subjects-per-hour", budget.subjects_per_hour);
  add("subjects-per-day", budget.subjects_per_day);
  // The longer the wait, the less is given.
  if (budget.is_limited()) terms["limit " + key + " haste"] = 24 * 60 - budget.cooling_off;
}

// Open minutes of each hour of the week: more of them are more. In another time zone they are
// others.
void add_hours(const Role& role, const std::string& zone, RevealTerms& terms) {
  if (role.hours.empty()) return;
  terms["limit zone of " + role.name + " " + zone] = 0;
  for (unsigned day = 0; day < kDayNames.size(); ++day) {
    for (unsigned hour = 0; hour < 24; ++hour) {
      std::uint64_t open = 0;
      for (unsigned minute = 60 * hour; minute < 60 * (hour + 1); ++minute) {
        if (is_within(role.hours, day, minute)) ++open;
      }
      const std::string digits = (hour < 10 ? "0" : "") + std::to_string(hour);
      terms["limit minutes of " + role.name + " " + std::string(kDayNames.at(day)) + " " + digits] =
          open;
    }
  }
}

void add_levels(const Policy& policy, const Purpose& purpose, std::string_view phase,
                const std::vector<Located<std::string>>& roles, RevealTerms& terms) {
  for (const auto& name : roles) {
    const Role* role = find_role(policy, name.value);
    if (role == nullptr) continue;
    for (const crypto::KindInfo& kind : crypto::kinds()) {
      const std::uint64_t level = level_of(*role, kind.kind);
      if (level == 0) continue;
      terms["may see " + role->name + " " + purpose.name + " " + std::string(phase) + " " +
            std::string(kind.name)] = level;
    }
  }
}

std::string text_of(const OidcEntry& entry) {
  std::string text = entry.role.value + " of " + entry.issuer.value;
  if (!entry.subject.empty()) text += " sub " + entry.subject;
  for (const OidcClaim& claim : entry.claims) text += " claim " + claim.name + " " + claim.value;
  if (!entry.person.empty()) text += " person " + entry.person;
  if (!entry.has_operator) text += " without operator";
  return text;
}

// Whether one credential can be about both. Claims may be lists, so they shut each other out never.
bool can_meet(const OidcEntry& a, const OidcEntry& b) {
  return a.issuer.value == b.issuer.value &&
         (a.subject.empty() || b.subject.empty() || a.subject == b.subject);
}

// Who may come in. Whoever two entries are about does not: of entries that can meet, each keeps
// somebody out of the other, so that taking it away gives more.
void add_entries(const Policy& policy, RevealTerms& terms) {
  for (const OidcEntry& entry : policy.oidc) {
    terms["may enter " + text_of(entry)] = 1;
    const auto meets = std::count_if(policy.oidc.begin(), policy.oidc.end(),
                                     [&](const auto& other) { return can_meet(entry, other); });
    if (meets > 1) terms["limit both of " + text_of(entry)] = 0;
  }
}

// The word at this place of a key; names hold no blanks.
std::string_view word_of(std::string_view key, std::size_t place) {
  for (; place > 0; --place) {
    const std::size_t space = key.find(' ');
    if (space == std::string_view::npos) return {};
    key.remove_prefix(space + 1);
  }
  return key.substr(0, key.find(' '));
}

// Whether some role may see something of the purpose; of any, where it is empty.
bool is_seen(const RevealTerms& terms, std::string_view role, std::string_view purpose) {
  return std::any_of(terms.begin(), terms.end(), [&](const auto& term) {
    const std::string& key = term.first;
    return key.starts_with("may see ") && (role.empty() || word_of(key, 2) == role) &&
           (purpose.empty() || word_of(key, 3) == purpose);
  });
}

// Whether the role still gives anybody anything.
bool can_do_something(const RevealTerms& terms, std::string_view role) {
  const std::string name(role);
  return is_seen(terms, role, {}) || terms.contains("may protect " + name) ||
         terms.contains("may handle subjects " + name) || terms.contains("may approve " + name);
}

// Whether a limit that is gone limited something that is still there.
bool still_matters(std::string_view key, const RevealTerms& next) {
  // What nobody sees now may be seen by the next policy, and if nobody approves any more, none of
  // it will be asked about.
  if (key.starts_with("limit alone ") && approving_roles(next).empty()) return true;
  if (key.starts_with("limit of ")) return is_seen(next, word_of(key, 2), {});
  if (key.starts_with("limit together of ")) return is_seen(next, word_of(key, 3), {});
  if (key.starts_with("limit to protect of ")) {
    return next.contains("may protect " + std::string(word_of(key, 4)));
  }
  if (key.starts_with("limit clock ")) return is_seen(next, {}, word_of(key, 2));
  if (key.starts_with("limit days ") || key.starts_with("limit alone purpose ")) {
    return is_seen(next, {}, word_of(key, 3));
  }
  if (key.starts_with("limit both of ")) {
    // limit both of ROLE of ISSUER ...
    return std::any_of(next.begin(), next.end(), [&](const auto& term) {
      return term.first.starts_with("may enter ") && word_of(term.first, 4) == word_of(key, 5);
    });
  }
  if (key.starts_with("limit zone of ") || key.starts_with("limit minutes of ")) {
    return can_do_something(next, word_of(key, 3));
  }
  return true;
}

std::uint64_t absent(std::string_view key) { return key.starts_with("may ") ? 0 : kEverything; }

}  // namespace

RevealTerms reveal_terms(const Policy& policy) {
  RevealTerms terms;
  for (const Role& role : policy.roles) {
    if (role.subjects) terms["may handle subjects " + role.name] = 1;
    add_budget("of " + role.name, role.budget, terms);
    add_budget("together of " + role.name, role.budget_together, terms);
    add_hours(role, policy.time_zone.value, terms);
    if (!role.protect) continue;
    terms["may protect " + role.name] = 1;
    add_budget("to protect of " + role.name, role.protect_budget, terms);
  }
  add_entries(policy, terms);
  for (const Purpose& purpose : policy.purposes) {
    add_levels(policy, purpose, "active", purpose.reveal, terms);
    add_levels(policy, purpose, "archived", purpose.reveal_archived, terms);
    if (!purpose.retention) continue;
    const Retention& retention = *purpose.retention;
    terms["limit days active " + purpose.name] = days_of(retention.active);
    terms["limit days archived " + purpose.name] =
        retention.archive ? days_of(retention.archive->value) : 0;
    terms["limit clock " + purpose.name] = clock_of(retention.from);
  }
  if (!policy.four_eyes) return terms;
  for (const auto& role : policy.four_eyes->approve) {
    terms[std::string(kApprove) + role.value] = 1;
  }
  for (const auto& purpose : policy.four_eyes->purposes) {
    terms["limit alone purpose " + purpose.value] = 0;
  }
  for (const auto& kind : policy.four_eyes->kinds) {
    terms["limit alone kind " + std::string(crypto::kind_name(kind.value))] = 0;
  }
  if (policy.four_eyes->subjects) {
    terms["limit alone subjects"] = policy.four_eyes->subjects->value;
  }
  return terms;
}

std::vector<std::string> widened(const RevealTerms& before, const RevealTerms& next) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : next) {
    const auto old = before.find(key);
    if (value > (old == before.end() ? absent(key) : old->second)) keys.push_back(key);
  }
  for (const auto& [key, value] : before) {
    if (!next.contains(key) && absent(key) > value && still_matters(key, next)) {
      keys.push_back(key);
    }
  }
  // Whatever else such a policy takes away: after it one person alone decides.
  if (!approving_roles(before).empty() && approving_roles(next).empty()) {
    keys.emplace_back(kTwoPeople);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<std::string> approving_roles(const RevealTerms& terms) {
  std::vector<std::string> roles;
  for (const auto& [key, value] : terms) {
    if (key.starts_with(kApprove)) roles.push_back(key.substr(kApprove.size()));
  }
  return roles;
}

std::string terms_text(const RevealTerms& terms) {
  std::string out(kFirstLine);
  for (const auto& [key, value] : terms) out += key + " " + std::to_string(value) + "\n";
  return out + "end\n";
}

std::optional<RevealTerms> parse_terms(std::string_view text) {
  if (!text.starts_with(kFirstLine) || !text.ends_with("\nend\n")) return std::nullopt;
  text.remove_prefix(kFirstLine.size());
  text.remove_suffix(std::string_view("end\n").size());
  RevealTerms terms;
  std::string_view last;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t space = line.rfind(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const std::string_view key = line.substr(0, space);
    const std::string_view digits = line.substr(space + 1);
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool canonical = digits.size() == 1 || !digits.starts_with('0');
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || !canonical ||
        (!key.starts_with("may ") && !key.starts_with("limit ")) || key <= last) {
      return std::nullopt;
    }
    terms.emplace(key, value);
    last = key;
  }
  return terms;
}

}  // namespace paravent::policies
