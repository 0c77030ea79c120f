#include "proxy/main/installation/restore_cost.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>
#include <vector>

#include "crypto/audit/detail.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "proxy/admin/utc_text.h"
#include "proxy/main/installation/context_file.h"
#include "proxy/main/installation/key_facts_file.h"
#include "proxy/main/installation/key_states.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
namespace vault = crypto::vault;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

constexpr std::size_t kMaxStates = std::size_t{16} << 20U;
constexpr std::size_t kMaxContexts = std::size_t{256} << 20U;
// 50 bytes for each person with a mark or an event; ten million of them.
constexpr std::size_t kMaxFacts = std::size_t{1} << 30U;
// Clauses in the sentence of a refusal; the report after a restore has all.
constexpr std::size_t kClausesInSentence = 8;

Error damaged(const char* what) {
  return Error(ErrorKind::data, std::string("The data backup's ") + what + " is damaged.");
}

std::uint64_t fact_of(const vault::ArchiveSummary& summary, const char* name) {
  const auto it = summary.facts.find(name);
  std::uint64_t value = 0;
  if (it != summary.facts.end()) {
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), value);
  }
  return value;
}

// Of two with the same key store. A head's time is of before anything was read, and a wall clock
// may be set back; the count goes back with an older keys folder. Either may say so.
bool keys_came_first(const vault::BackupInfo& data, const vault::ArchiveSummary& in_data,
                     const vault::BackupInfo& keys, const vault::ArchiveSummary& in_keys) {
  constexpr const char* kCount = "key-backups";
  const bool counted = in_data.facts.contains(kCount) && in_keys.facts.contains(kCount);
  return keys.made < data.made || (counted && fact_of(in_keys, kCount) <= fact_of(in_data, kCount));
}

// Destroyed keys and erased people would come back, which nobody may overlook.
Status weigh_states(const vault::KeyAdmin& keys, const fs::path& file, RestoreCost& out) {
  const auto text = vault::read_file(file, kMaxStates);
  if (!text) return text.error();
  const auto then = parse_key_states(crypto::as_text(text->bytes()));
  if (!then) return damaged("list of key states");
  const UndoneStates undone = undone_states(*then, keys.list());
  out.keys_revived = undone.destroyed;
  out.keys_enabled = undone.out_of_use;
  out.keys_lacking = undone.lacking;
  return {};
}

Status weigh_facts(const vault::KeyFactsReader& reader, const fs::path& file, crypto::WallTime now,
                   RestoreCost& out) {
  const auto text = vault::read_file(file, kMaxFacts);
  if (!text) return text.error();
  const auto then = parse_key_facts(crypto::as_text(text->bytes()));
  if (!then) return damaged("list of what was settled");
  out.facts = undone_facts(*then, out.settled, now);
  out.people_lacking = then->newest_key && !reader.knows_person_key(*then->newest_key);
  return {};
}

// What the data was sealed under, and an older key store may lack.
Status weigh_contexts(const vault::Vault& vault, const fs::path& file, RestoreCost& out) {
  const auto text = vault::read_file(file, kMaxContexts);
  if (!text) return text.error();
  const auto wanted = parse_context_file(crypto::as_text(text->bytes()));
  if (!wanted) return damaged("table of contexts");
  std::set<std::uint32_t> known;
  for (const auto& context : vault.context_table().contexts) known.insert(context.row.key_id);
  for (const auto& [key_id, context] : *wanted) {
    out.contexts_lacking += known.contains(key_id) ? 0U : 1U;
  }
  return {};
}

// "a, b and c"
std::string joined(const std::vector<std::string>& parts, const char* between, const char* last) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? last : between;
    out += parts[i];
  }
  return out;
}

std::string keys_undone(const RestoreCost& cost) {
  return std::to_string(cost.renewals) + " destructions, erasures or rotations of keys (" +
         std::to_string(cost.keys_revived) + " destroyed keys would open again, " +
         std::to_string(cost.keys_enabled) + " disabled or compromised ones be in use)";
}

std::string facts_undone(const RestoreCost& cost) {
  const auto& clauses = cost.facts.clauses;
  std::vector<std::string> shown(
      clauses.begin(),
      clauses.begin() + static_cast<std::ptrdiff_t>(std::min(clauses.size(), kClausesInSentence)));
  if (clauses.size() > shown.size()) {
    shown.push_back(std::to_string(clauses.size() - shown.size()) + " more");
  }
  return "what was settled since (" + joined(shown, "; ", "; ") + ")";
}

std::string lacking(const RestoreCost& cost) {
  std::vector<std::string> parts;
  if (cost.keys_lacking > 0) parts.push_back(std::to_string(cost.keys_lacking) + " of its keys");
  if (cost.contexts_lacking > 0) {
    parts.push_back(std::to_string(cost.contexts_lacking) + " of its contexts");
  }
  if (cost.people_lacking) parts.emplace_back("the keys of people who came since");
  if (cost.rows_lacking > 0) {
    parts.push_back("keys of " + std::to_string(cost.rows_lacking) + " rows");
  }
  return joined(parts, ", ", " and ");
}

}  // namespace

void order_of(const vault::BackupInfo& data, const vault::ArchiveSummary& in_data,
              const vault::BackupInfo& keys, const vault::ArchiveSummary& in_keys,
              RestoreCost& out) {
  out.keys_made = keys.made;
  const std::uint64_t data_generation = fact_of(in_data, "keys-generation");
  const std::uint64_t keys_generation = fact_of(in_keys, "keys-generation");
  // What is settled about one person does not change the key store.
  out.older_keys =
      keys_generation < data_generation ||
      (keys_generation == data_generation && keys_came_first(data, in_data, keys, in_keys));
  // Of two machines that went on from one backup either may have the newer key store.
  const std::uint64_t had = fact_of(in_keys, "keys-renewals");
  const std::uint64_t seen = fact_of(in_data, "keys-renewals");
  if (seen > had) out.renewals = static_cast<std::uint32_t>(seen - had);
  out.older_keys = out.older_keys || seen > had;
}

Status weigh(vault::Vault& vault, const fs::path& folder, crypto::WallTime now, RestoreCost& out) {
  const vault::KeyFactsReader reader(vault);
  out.settled = reader.read();
  std::error_code error;
  out.has_facts = fs::exists(folder / kKeyFactsFile, error);
  if (!out.older_keys) return {};
  if (auto s = weigh_states(vault::KeyAdmin(vault), folder / kKeyStatesFile, out); !s) return s;
  if (out.has_facts) {
    if (auto s = weigh_facts(reader, folder / kKeyFactsFile, now, out); !s) return s;
  }
  return weigh_contexts(vault, folder / kContextsFile, out);
}

void count_rows(const vault::IndexReport& report, RestoreCost& out) {
  if (!out.older_keys) return;
  const bool people = out.people_lacking || !out.has_facts;
  out.rows_lacking = report.lacking + (people ? report.without_person : 0);
}

Status remove_what_was_weighed(const fs::path& folder) {
  for (const char* name : {kContextsFile, kKeyStatesFile, kKeyFactsFile}) {
    std::error_code error;
    if (!fs::exists(folder / name, error)) continue;
    if (auto s = vault::remove_file_durably(folder / name); !s) return s;
  }
  return {};
}

Status check_accepted(const RestoreCost& cost, const CostAccepted& accepted) {
  const bool undoing = cost.undoes() && !accepted.undoing;
  const bool loss = cost.loses() && !accepted.loss;
  if (!undoing && !loss) return {};
  std::vector<std::string> parts;
  std::vector<std::string> flags;
  if (undoing) {
    if (cost.undoes_keys()) parts.push_back("would undo " + keys_undone(cost));
    if (!cost.facts.clauses.empty()) parts.push_back("would undo " + facts_undone(cost));
    flags.emplace_back("--undo-key-changes");
  }
  if (loss) {
    parts.push_back("lacks " + lacking(cost) + ", so that values under them never open again");
    flags.emplace_back("--accept-loss");
  }
  return Error(ErrorKind::data, "The key backup, of " + admin::utc_text(cost.keys_made) +
                                    ", is older than the data backup and " +
                                    joined(parts, ", ", ", and ") +
                                    "; use a newer key backup, or accept that with " +
                                    joined(flags, " ", " ") + ".");
}

std::string cost_remark(const RestoreCost& cost) {
  std::vector<std::string> parts;
  if (cost.undoes_keys()) {
    parts.push_back("undoes " + std::to_string(cost.renewals) +
                    " destructions, erasures or rotations; " + std::to_string(cost.keys_revived) +
                    " destroyed keys and " + std::to_string(cost.keys_enabled) +
                    " out of use are back");
  }
  if (cost.loses()) {
    parts.push_back("lacks " + lacking(cost) + ", and " + std::to_string(cost.rows_lacking) +
                    " rows never open again");
  }
  for (const std::string& clause : cost.facts.clauses) parts.push_back(clause);
  std::string out = joined(parts, "; ", "; ");
  // A list that is too long for the record ends at a clause.
  constexpr std::size_t kMost = crypto::audit::kMaxDetailField / 2;
  if (out.size() > kMost) {
    const std::size_t end = out.rfind("; ", kMost);
    out = out.substr(0, end) + "; and more";
  }
  return out;
}

}  // namespace paravent::proxy::main
