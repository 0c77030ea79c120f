// Dossier: what an operator, a key, a person or a period touched, for the notification of a breach
// (GDPR 33 and 34, EDPB Guidelines 9/2022): which tokens, people, kinds and purposes, each entry of
// the record with its proof. Plain data and pure functions; no value is ever in it.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"

namespace paravent::proxy::admin {

// More than these are not put into one dossier: narrow the period.
inline constexpr std::size_t kMostDossierEntries = 20'000;

// What it is about; each that is given must hold.
struct DossierQuestion {
  std::string operator_name;
  std::string credential;  // id
  std::optional<std::uint32_t> key_id;
  std::string subject;  // reference, raw bytes
  std::optional<crypto::WallTime> from;
  std::optional<crypto::WallTime> until;  // exclusive
  std::string asked_by;
  std::string reason;
};

struct DossierEntry {
  crypto::audit::AuditRecord record;
  std::vector<crypto::audit::Hash> proof;
};

struct DossierToken {
  std::uint32_t key_id = 0;
  crypto::audit::Hash digest{};
  std::string kind;
  std::set<std::string> purposes;
  std::uint64_t revealed = 0;
  std::uint64_t refused = 0;
};

struct Dossier {
  DossierQuestion question;
  crypto::WallTime made;
  std::string origin;
  std::string checkpoint;  // that every proof leads to
  std::uint64_t size = 0;
  std::vector<DossierEntry> entries;
  // Of a subject of an issuer: which of its keys were trusted (IssuerKeys); in no count.
  std::vector<DossierEntry> issuer_keys;
  std::uint64_t issuer_unreadable = 0;
  // Whether the log names the operator of the question at all, at any time.
  bool operator_named = false;
  // Of the period, whose detail is gone with its month's key: they may belong here or not.
  std::uint64_t unreadable = 0;

  std::vector<DossierToken> tokens;
  std::set<std::string> subjects;  // references in hex
  std::map<std::string, std::uint64_t> kinds;
  std::map<std::string, std::uint64_t> purposes;
  std::map<std::string, std::uint64_t> events;
};

// Whether the entry is an answer to the question. An entry without detail is one only where the
// question is about a period alone.
bool concerns(const DossierQuestion& question, const crypto::audit::AuditRecord& record);

bool names_operator(const DossierQuestion& question, const crypto::audit::AuditRecord& record);

// Fills the counts from the entries. `kinds`: of each key id that is known.
void summarise(Dossier& dossier, const std::map<std::uint32_t, std::string>& kinds);

std::string dossier_json(const Dossier& dossier);
// One page for people, without scripts or anything from elsewhere.
std::string dossier_html(const Dossier& dossier);

}  // namespace paravent::proxy::admin
