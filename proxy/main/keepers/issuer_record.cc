#include "proxy/main/keepers/issuer_record.h"

#include <system_error>

#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;
using crypto::audit::AuditEntry;

constexpr std::size_t kMostFile = 64U << 20U;

AuditEntry entry_of(std::string object, std::string remark) {
  AuditEntry entry;
  entry.event = crypto::audit::EventKind::operator_change;
  entry.detail.object = std::move(object);
  entry.detail.remark = std::move(remark);
  return entry;
}

AuditEntry entry_of(const std::string& issuer, const admin::KeyName& key, const char* what) {
  return entry_of("oidc:" + issuer + " key " + key.kid,
                  what + (" " + key.algorithm) + " thumbprint " + key.thumbprint);
}

}  // namespace

Status IssuerRecord::remember_in(const std::filesystem::path& file) {
  file_ = file;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  if (auto status = crypto::vault::check_private(file); !status) return status;
  const auto bytes = crypto::vault::read_file(file, kMostFile);
  if (!bytes) return bytes.error();
  auto told = parse_issuers_told(crypto::as_text(bytes->bytes()));
  if (!told) {
    return Error(ErrorKind::data, "The list of issuers on record " + file.string() +
                                      " is altered or truncated; restore it from a backup.");
  }
  names_ = std::move(*told);
  stored_ = names_;
  return {};
}

std::vector<IssuerRecord::Pair> IssuerRecord::gone(const Place& place) const {
  std::vector<Pair> gone;
  const std::string& log = place.log->key().name;
  for (auto it = names_.lower_bound({log, ""}); it != names_.end() && it->first == log; ++it) {
    if (!place.issuers.contains(it->second)) gone.push_back(*it);
  }
  return gone;
}

Status IssuerRecord::write_to(const Place& place) {
  const std::string& log = place.log->key().name;
  std::vector<AuditEntry> entries;
  std::vector<std::string> changed;
  for (const std::string& issuer : place.issuers) {
    const auto now = now_.find(issuer);
    if (now == now_.end()) continue;
    const auto told = told_.find({log, issuer});
    if (told != told_.end() && told->second == now->second) continue;
    changed.push_back(issuer);
    if (now->second.too_old) {
      entries.push_back(entry_of("oidc:" + issuer + " keys",
                                 "too old to be used from here on; nobody comes in by them"));
      continue;
    }
    const admin::KeyNames& keys = now->second.keys;
    const bool first = told == told_.end() || told->second.too_old;
    if (first) {
      entries.push_back(
          entry_of("oidc:" + issuer + " keys",
                   "trusted from here on, and no others: " + std::to_string(keys.size())));
    }
    for (const admin::KeyName& key : keys) {
      if (first || !told->second.keys.contains(key)) {
        entries.push_back(entry_of(issuer, key, "trusted"));
      }
    }
    if (first) continue;
    for (const admin::KeyName& key : told->second.keys) {
      if (!keys.contains(key)) entries.push_back(entry_of(issuer, key, "withdrawn"));
    }
  }
  const std::vector<Pair> over = gone(place);
  for (const Pair& pair : over) {
    entries.push_back(entry_of("oidc:" + pair.second + " keys",
                               "not configured any more; nobody comes in by them"));
  }
  if (entries.empty()) return {};
  if (auto receipts = place.log->append_batch(entries); !receipts) return receipts.error();
  for (const std::string& issuer : changed) {
    told_[{log, issuer}] = now_[issuer];
    names_.emplace(log, issuer);
  }
  for (const Pair& pair : over) {
    told_.erase(pair);
    names_.erase(pair);
  }
  return {};
}

Status IssuerRecord::write(const std::vector<Place>& places) {
  for (const Place& place : places) {
    if (auto status = write_to(place); !status) return status;
  }
  return keep();
}

// Behind the entries: what an end in between leaves out of the file is told once more.
Status IssuerRecord::keep() {
  if (file_.empty() || stored_ == names_) return {};
  auto written =
      crypto::vault::write_file_durably(file_, crypto::as_bytes(issuers_told_text(names_)));
  if (written) stored_ = names_;
  return written;
}

}  // namespace paravent::proxy::main
