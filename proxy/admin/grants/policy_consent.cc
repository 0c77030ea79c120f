#include "proxy/admin/grants/policy_consent.h"

#include <algorithm>
#include <utility>

#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/admin/grants/case_steps.h"
#include "proxy/admin/grants/two_people.h"

namespace paravent::proxy::admin {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using crypto::vault::Id;
using policies::RevealTerms;

namespace {

constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;
constexpr std::string_view kPrefix = "terms-";

// Nothing, where no policy of the tenant was in force that asks for two people.
Result<RevealTerms> read_terms(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return RevealTerms();
  auto bytes = crypto::vault::read_file(file, kMaxFileBytes);
  if (!bytes) return bytes.error();
  auto terms = policies::parse_terms(crypto::as_text(bytes->bytes()));
  if (!terms) {
    return Error(ErrorKind::data, "The file " + file.string() +
                                      " is altered or truncated; restore it from a backup.");
  }
  return std::move(*terms);
}

}  // namespace

std::filesystem::path PolicyConsent::file_of(const Id& tenant) const {
  return folder_ / (std::string(kPrefix) + crypto::vault::id_hex(tenant));
}

Status PolicyConsent::verify(const std::filesystem::path& folder) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + 32) continue;
    if (auto status = crypto::vault::check_private(entry.path()); !status) return status;
    if (const auto read = read_terms(entry.path()); !read) return read.error();
  }
  return {};
}

Status PolicyConsent::check(const std::vector<Load>& loads, std::string_view author,
                            const policies::AccessRules* in_force) {
  approvals_.clear();
  for (const Load& load : loads) {
    const auto before = read_terms(file_of(load.tenant));
    if (!before) return before.error();
    if (policies::approving_roles(*before).empty()) continue;
    const auto wider = policies::widened(*before, policies::reveal_terms(*load.policy));
    if (wider.empty()) continue;
    if (auto status = ask(load, author, wider.front(), in_force); !status) return status;
  }
  return {};
}

const Case* PolicyConsent::approval(const Id& tenant) const {
  const auto found = approvals_.find(tenant);
  return found == approvals_.end() ? nullptr : &found->second;
}

Status PolicyConsent::ask(const Load& load, std::string_view author, const std::string& first,
                          const policies::AccessRules* in_force) {
  crypto::audit::AuditLog* log = logs_.tenant(load.tenant);
  if (log == nullptr) return Error(ErrorKind::internal);
  // Exactly this text was approved, whoever had asked, and however it is loaded now.
  const crypto::WallTime now = operators_.now();
  ChangeRequest request{{},
                        std::string(policies::kAdminRole),
                        load.tenant,
                        "load policy " + load.sha256,
                        "gives more: " + first,
                        {}};
  const policies::TenantPolicy loaded[] = {{load.tenant, load.policy}};
  const policies::AccessRules rules =
      in_force != nullptr ? *in_force : policies::AccessRules(loaded);
  const auto still_two = [&](const Case& one) {
    return two_people(rules, operators_, load.tenant, one.requester, one.approver) ==
           TwoPeople::yes;
  };
  const auto used = use_change(request, {}, still_two, now, operators_.cases(), *log);
  if (!used) return Error(ErrorKind::disk_full, "The approval cannot be put on record.");
  if (*used) {
    approvals_.insert_or_assign(load.tenant, **used);
    return {};
  }
  const std::string why = "The policy gives more than the one in force (" + first +
                          "), which asks for a second person. ";
  // A signal and a start have no name, so nobody could tell the one who asks from the one who
  // approves.
  if (!is_operator_name(author)) {
    return Error(ErrorKind::configuration,
                 why +
                     "Put the earlier one back, and let an admin load this one by "
                     "POST /v1/policy/reload.");
  }
  request.requester = author;
  bool is_open = false;
  {
    const auto use = operators_.cases().use();
    for (const Case* one : use.all()) {
      is_open = is_open || (one->type == CaseType::change && one->state == CaseState::open &&
                            one->tenant == request.tenant && one->change == request.change &&
                            one->requester == request.requester && now < one->expires);
    }
  }
  if (!is_open && open_change(request, now, operators_.cases(), *log).status != 202) {
    return Error(ErrorKind::disk_full, "The grant cannot be put on record.");
  }
  return Error(ErrorKind::refused,
               why +
                   "A grant is open: somebody else approves it (paravent grants list), then "
                   "reload again.");
}

Status PolicyConsent::keep(const std::vector<Load>& loads) {
  std::vector<std::filesystem::path> over;
  for (const Load& load : loads) {
    const auto file = file_of(load.tenant);
    const RevealTerms terms = policies::reveal_terms(*load.policy);
    if (policies::approving_roles(terms).empty()) {
      // Nothing to compare the next one with.
      over.push_back(file);
      continue;
    }
    const std::string text = policies::terms_text(terms);
    if (std::filesystem::exists(file)) {
      const auto before = crypto::vault::read_file(file, kMaxFileBytes);
      if (before && crypto::as_text(before->bytes()) == text) continue;
    }
    if (auto status = crypto::vault::write_file_durably(file, crypto::as_bytes(text)); !status) {
      return status;
    }
  }
  // Last, since a full disk would not take them back.
  for (const auto& file : over) {
    if (!std::filesystem::exists(file)) continue;
    if (auto status = crypto::vault::remove_file_durably(file); !status) return status;
  }
  return {};
}

}  // namespace paravent::proxy::admin
