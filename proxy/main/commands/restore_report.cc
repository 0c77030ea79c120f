#include "proxy/main/commands/restore_report.h"

#include <chrono>
#include <cstdint>

#include "crypto/base/encoding.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::main {
namespace {

using crypto::WallTime;
using crypto::vault::HoldInfo;

std::int64_t milliseconds_of(WallTime time) { return time.time_since_epoch().count(); }

std::string day_of_text(WallTime time) {
  return admin::utc_text(time).substr(0, std::string_view("2027-01-31").size());
}

boost::json::object hold_json(const HoldInfo& hold) {
  boost::json::object out = {{"id", crypto::vault::id_hex(hold.record.id)},
                             {"tenant", hold.tenant},
                             {"purpose", hold.purpose},
                             {"until", milliseconds_of(hold.record.until)}};
  if (hold.record.subject) out["subject"] = crypto::to_hex(*hold.record.subject);
  return out;
}

// What holds from now on.
boost::json::object settled_json(const Restored& restored, WallTime now) {
  const auto& settled = restored.cost.settled;
  boost::json::array holds;
  for (const HoldInfo& hold : holds_in_force(settled, now)) holds.push_back(hold_json(hold));
  boost::json::array retentions;
  for (const auto& [purpose, fact] : settled.retentions) {
    boost::json::object one = {
        {"tenant", fact.tenant}, {"purpose", fact.purpose}, {"rule", rule_words(fact.record.rule)}};
    if (fact.record.pending) one["not_confirmed"] = rule_words(*fact.record.pending);
    retentions.push_back(std::move(one));
  }
  const PeopleMarked people = people_marked(settled);
  return {{"as_of", milliseconds_of(restored.cost.keys_made)},
          {"holds", std::move(holds)},
          {"retentions", std::move(retentions)},
          {"frozen", freeze_words(settled.freezes)},
          {"people_restricted", people.restricted},
          {"people_objected", people.objected}};
}

std::string settled_text(const Restored& restored, WallTime now) {
  const RestoreCost& cost = restored.cost;
  std::string out = "Holds, retentions, freezes and restrictions are those of the key backup, of " +
                    admin::utc_text(cost.keys_made) + ":\n";
  const auto holds = holds_in_force(cost.settled, now);
  for (const HoldInfo& hold : holds) {
    out += "  held: " + hold_words(hold) + " until " + day_of_text(hold.record.until) + " (hold " +
           crypto::vault::id_hex(hold.record.id) + ")\n";
  }
  if (holds.empty()) out += "  no hold\n";
  for (const auto& [purpose, fact] : cost.settled.retentions) {
    const std::string what =
        fact.tenant.empty() ? "the audit logs' details" : fact.purpose + " of " + fact.tenant;
    out += "  kept: " + what + " " + rule_words(fact.record.rule);
    if (fact.record.pending) {
      out += ", and " + rule_words(*fact.record.pending) + " when somebody confirms it";
    }
    out += "\n";
  }
  const std::string frozen = freeze_words(cost.settled.freezes);
  out += frozen.empty() ? "  destruction is not frozen\n"
                        : "  destruction is frozen (" + frozen + ")\n";
  const PeopleMarked people = people_marked(cost.settled);
  return out + "  people restricted: " + std::to_string(people.restricted) +
         ", who objected: " + std::to_string(people.objected) + "\n";
}

std::string cost_text(const Restored& restored) {
  const RestoreCost& cost = restored.cost;
  std::string out;
  if (cost.undoes_keys()) {
    out += "The key backup was older: " + std::to_string(cost.renewals) +
           " destructions, erasures or rotations are undone, " + std::to_string(cost.keys_revived) +
           " destroyed keys open again, " + std::to_string(cost.keys_enabled) +
           " are in use again. Do them anew.\n";
  }
  if (!cost.facts.clauses.empty()) {
    out += "The key backup was older, and what was settled since is undone. Settle it anew:\n";
    for (const std::string& clause : cost.facts.clauses) out += "  " + clause + "\n";
    for (const auto& person : restored.people) {
      out += "  restricted or objected no more: " + crypto::to_hex(person) + "\n";
    }
  }
  if (cost.loses()) {
    out += "The key backup lacked " + std::to_string(cost.keys_lacking) + " keys and " +
           std::to_string(cost.contexts_lacking) + " contexts" +
           (cost.people_lacking ? ", and keys of people who came since" : "") + ": " +
           std::to_string(cost.rows_lacking) +
           " rows, and what lies in the application under these keys, never open again.\n";
  }
  if (cost.older_keys && !cost.has_facts) {
    out +=
        "The data backup does not say what was settled after the keys were backed up: look for "
        "later holds, restrictions and events in the audit logs.\n";
  }
  return out;
}

}  // namespace

boost::json::object restore_json(const Restored& restored, const std::filesystem::path& data,
                                 WallTime now) {
  const auto& rows = restored.rows;
  const RestoreCost& cost = restored.cost;
  boost::json::array undone;
  for (const std::string& clause : cost.facts.clauses) undone.emplace_back(clause);
  boost::json::array people;
  for (const auto& person : restored.people) people.emplace_back(crypto::to_hex(person));
  return {{"data", data.string()},
          {"data_backup", crypto::vault::id_hex(restored.data.id)},
          {"key_backup", crypto::vault::id_hex(restored.keys.id)},
          {"rows", rows.rows},
          {"indexed", rows.indexed},
          {"unreadable", rows.unreadable + rows.unknown},
          {"renewals_undone", cost.renewals},
          {"keys_revived", cost.keys_revived},
          {"keys_enabled", cost.keys_enabled},
          {"undone", std::move(undone)},
          {"people_undone", std::move(people)},
          {"keys_lacking", cost.keys_lacking},
          {"contexts_lacking", cost.contexts_lacking},
          {"people_lacking", cost.people_lacking},
          {"rows_lacking", cost.rows_lacking},
          {"compared", !cost.older_keys || cost.has_facts},
          {"settled", settled_json(restored, now)}};
}

std::string restore_text(const Restored& restored, const std::filesystem::path& data,
                         WallTime now) {
  const auto& rows = restored.rows;
  std::string out = "Restored into " + data.string() + ": " + std::to_string(rows.rows) +
                    " rows, " + std::to_string(rows.indexed) + " of them found again by value.\n";
  if (const auto closed = rows.unreadable + rows.unknown; closed > 0) {
    out += std::to_string(closed) +
           " rows open no more: their keys were destroyed or are lacking, or the rows are "
           "damaged.\n";
  }
  return out + cost_text(restored) + settled_text(restored, now) +
         "Start it with: paravent serve --config FILE (data: " + data.string() +
         "). Never run the old machine and this one side by side.\n";
}

}  // namespace paravent::proxy::main
