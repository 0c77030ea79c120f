#include "proxy/admin/dossier_issuer.h"

#include <algorithm>
#include <string_view>

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;

constexpr std::string_view kOidc = "oidc:";
constexpr std::string_view kTrusted = "trusted ";
constexpr std::string_view kWithdrawn = "withdrawn ";

}  // namespace

IssuerKeys::IssuerKeys(const DossierQuestion& question)
    : from_(question.from), until_(question.until) {
  const std::string& name = question.operator_name;
  if (!name.starts_with(kOidc)) return;
  const std::string issuer = name.substr(0, name.find('/'));
  keys_ = issuer + " keys";
  key_ = issuer + " key ";
}

bool IssuerKeys::take(const audit::AuditRecord& record) {
  if (keys_.empty() || record.open.event != audit::EventKind::operator_change) return false;
  const bool before = from_ && record.open.time < *from_;
  if (until_ && record.open.time >= *until_) return false;
  if (!record.detail) {
    ++(before ? unreadable_before_ : unreadable_);
    return false;
  }
  const audit::AuditDetail& detail = *record.detail;
  const bool whole = detail.object == keys_;
  if (!whole && !detail.object.starts_with(key_)) return false;
  if (!before) {
    changes_.push_back(record);
    return true;
  }
  if (whole) {
    in_force_.clear();
    unreadable_before_ = 0;
    return true;
  }
  // A key is its kid, algorithm and thumbprint: under one kid another may come.
  const std::string_view remark = detail.remark;
  if (remark.starts_with(kTrusted)) {
    in_force_.insert_or_assign(detail.object + " " + std::string(remark.substr(kTrusted.size())),
                               record);
  } else if (remark.starts_with(kWithdrawn)) {
    in_force_.erase(detail.object + " " + std::string(remark.substr(kWithdrawn.size())));
  }
  return true;
}

std::vector<audit::AuditRecord> IssuerKeys::entries() const {
  std::vector<audit::AuditRecord> all;
  for (const auto& [key, record] : in_force_) all.push_back(record);
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.open.sequence < b.open.sequence; });
  all.insert(all.end(), changes_.begin(), changes_.end());
  return all;
}

}  // namespace paravent::proxy::admin
