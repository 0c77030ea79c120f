#include "proxy/main/installation/undone_facts.h"

#include <map>

#include "crypto/base/encoding.h"
#include "policies/model/period.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::main {
namespace {

using crypto::WallTime;
using crypto::vault::Freeze;
using crypto::vault::HoldInfo;
using crypto::vault::Id;
using crypto::vault::KeyFacts;
using crypto::vault::kObjected;
using crypto::vault::kRestricted;
using crypto::vault::RetentionFact;
using crypto::vault::RetentionRecord;

constexpr std::size_t kDay = 10;  // of "2027-01-31T00:00:00Z"

std::string described(const HoldInfo& hold) {
  return "the hold " + crypto::vault::id_hex(hold.record.id) + " on " + hold_words(hold) +
         " until " + admin::utc_text(hold.record.until).substr(0, kDay);
}

void compare_holds(const KeyFacts& then, const KeyFacts& now, WallTime time, UndoneFacts& out) {
  for (const HoldInfo& hold : holds_in_force(then, time)) {
    if (!now.holds.contains(hold.record.id)) out.clauses.push_back(described(hold) + " is lost");
  }
  for (const HoldInfo& hold : holds_in_force(now, time)) {
    if (!then.holds.contains(hold.record.id)) {
      out.clauses.push_back(described(hold) + ", released since, is back");
    }
  }
}

std::string record_words(const RetentionRecord& record) {
  const std::string words = rule_words(record.rule);
  return record.pending ? words + " (" + rule_words(*record.pending) + " not confirmed)" : words;
}

void compare_retentions(const KeyFacts& then, const KeyFacts& now, UndoneFacts& out) {
  for (const auto& [purpose, fact] : then.retentions) {
    const std::string what =
        "the retention of " + (fact.tenant.empty() ? std::string("the audit logs' details")
                                                   : fact.purpose + " of " + fact.tenant);
    const auto it = now.retentions.find(purpose);
    if (it == now.retentions.end()) {
      out.clauses.push_back(what + ", " + record_words(fact.record) + ", is not known");
    } else if (it->second.record != fact.record) {
      out.clauses.push_back(what + ", " + record_words(fact.record) + ", is " +
                            record_words(it->second.record) + " again");
    }
  }
}

void compare_freezes(std::uint8_t then, std::uint8_t now, UndoneFacts& out) {
  const auto lost = static_cast<std::uint8_t>(then & ~now);
  const auto back = static_cast<std::uint8_t>(now & ~then);
  if (lost != 0) {
    out.clauses.push_back("the freeze of destruction (" + freeze_words(lost) + ") is lost");
  }
  if (back != 0) {
    out.clauses.push_back("the freeze of destruction (" + freeze_words(back) +
                          "), confirmed since, is back");
  }
}

std::string people_words(std::size_t count) {
  return count == 1 ? "1 person" : std::to_string(count) + " people";
}

void compare_marks(const KeyFacts& then, const KeyFacts& now, UndoneFacts& out) {
  struct Word {
    std::uint8_t mark;
    const char* what;
  };
  for (const Word& word : {Word{kRestricted, "restriction"}, Word{kObjected, "objection"}}) {
    std::size_t lost = 0;
    std::size_t back = 0;
    const auto has = [&](const KeyFacts& facts, const Id& id) {
      const auto it = facts.marks.find(id);
      return it != facts.marks.end() && (it->second & word.mark) != 0;
    };
    for (const auto& [id, marks] : then.marks) {
      if (!has(then, id) || has(now, id)) continue;
      ++lost;
      out.people.insert(id);
    }
    for (const auto& [id, marks] : now.marks) back += has(now, id) && !has(then, id) ? 1U : 0U;
    if (lost > 0) {
      out.clauses.push_back("the " + std::string(word.what) + " of " + people_words(lost) +
                            " is lost");
    }
    if (back > 0) {
      out.clauses.push_back("the " + std::string(word.what) + " of " + people_words(back) +
                            ", lifted since, is back");
    }
  }
}

void compare_events(const KeyFacts& then, const KeyFacts& now, UndoneFacts& out) {
  std::size_t lost = 0;
  std::size_t back = 0;
  for (const auto& [handle, day] : then.events) {
    const auto it = now.events.find(handle);
    lost += it == now.events.end() || it->second != day ? 1U : 0U;
  }
  for (const auto& [handle, day] : now.events) back += then.events.contains(handle) ? 0U : 1U;
  if (lost > 0) {
    out.clauses.push_back(std::to_string(lost) + " of people's events that were noted since " +
                          "are lost");
  }
  if (back > 0) {
    out.clauses.push_back(std::to_string(back) + " of people's events that were taken back or " +
                          "ended since are back");
  }
}

}  // namespace

UndoneFacts undone_facts(const KeyFacts& then, const KeyFacts& now, WallTime time) {
  UndoneFacts out;
  compare_holds(then, now, time, out);
  compare_retentions(then, now, out);
  compare_freezes(then.freezes, now.freezes, out);
  compare_marks(then, now, out);
  compare_events(then, now, out);
  return out;
}

std::string rule_words(const crypto::vault::RetentionRule& rule) {
  if (rule == crypto::vault::kKeepForEver) return "none";
  std::string out = rule.from == crypto::vault::CountsFrom::event     ? "from an event "
                    : rule.from == crypto::vault::CountsFrom::contact ? "from the last contact "
                                                                      : "";
  out += policies::period_text(rule.active);
  if (rule.archive != crypto::CalendarPeriod{}) {
    out += " and " + policies::period_text(rule.archive) + " archived";
  }
  return out;
}

std::string hold_words(const HoldInfo& hold) {
  const std::string purpose =
      (hold.purpose.empty() ? std::string("all purposes") : hold.purpose) + " of " + hold.tenant;
  if (!hold.record.subject) return purpose;
  return "one person (" + crypto::to_hex(*hold.record.subject) + ") in " + purpose;
}

std::string freeze_words(std::uint8_t freezes) {
  crypto::vault::KeeperRecord keeper;
  keeper.freezes = freezes;
  if (!keeper.frozen_by(Freeze::clock)) return keeper.frozen() ? "retention" : "";
  return keeper.frozen_by(Freeze::retention) ? "clock and retention" : "clock";
}

std::vector<HoldInfo> holds_in_force(const KeyFacts& facts, WallTime time) {
  std::vector<HoldInfo> out;
  for (const auto& [id, hold] : facts.holds) {
    if (hold.record.until > time) out.push_back(hold);
  }
  return out;
}

PeopleMarked people_marked(const KeyFacts& facts) {
  PeopleMarked out;
  for (const auto& [id, marks] : facts.marks) {
    out.restricted += (marks & kRestricted) != 0 ? 1U : 0U;
    out.objected += (marks & kObjected) != 0 ? 1U : 0U;
  }
  return out;
}

}  // namespace paravent::proxy::main
