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

// Exactly this text is asked for, approved and loaded.
ChangeRequest request_of(const PolicyConsent::Load& load, const std::string& first,
                         const Operator& author) {
  return {author.name,
          author.role,
          load.tenant,
          "load policy " + load.sha256,
          "gives more: " + first,
          author.credential};
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

Result<std::vector<PolicyConsent::Wider>> PolicyConsent::wider_of(
    const std::vector<Load>& loads) const {
  std::vector<Wider> wider;
  for (const Load& load : loads) {
    const auto before = read_terms(file_of(load.tenant));
    if (!before) return before.error();
    if (policies::approving_roles(*before).empty()) continue;
    const auto keys = policies::widened(*before, policies::reveal_terms(*load.policy));
    if (!keys.empty()) wider.push_back({&load, keys.front()});
  }
  return wider;
}

// All at once: an approval of one tenant is not spent on a load that another's refuses.
Status PolicyConsent::check(const std::vector<Load>& loads, const Operator& author,
                            const policies::AccessRules* in_force) {
  approvals_.clear();
  const auto wider = wider_of(loads);
  if (!wider) return wider.error();
  const auto missing = use_all(*wider, author, in_force);
  if (!missing) return missing.error();
  if (missing->empty()) return {};
  const std::string why = "The policy gives more than the one in force (" + missing->front().first +
                          "), which asks for a second person. ";
  // A signal and a start have no name, so nobody could tell the one who asks from the one who
  // approves.
  if (!is_operator_name(author.name)) {
    return Error(ErrorKind::configuration,
                 why +
                     "Put the earlier one back, and let an admin load this one by "
                     "POST /v1/policy/reload.");
  }
  for (const Wider& one : *missing) {
    if (auto status = ask(one, author); !status) return status;
  }
  return Error(ErrorKind::refused,
               why +
                   "A grant is open: somebody else approves it (paravent grants list), then "
                   "reload again.");
}

const Case* PolicyConsent::approval(const Id& tenant) const {
  const auto found = approvals_.find(tenant);
  return found == approvals_.end() ? nullptr : &found->second;
}

Result<std::vector<PolicyConsent::Wider>> PolicyConsent::use_all(
    const std::vector<Wider>& wider, const Operator& author,
    const policies::AccessRules* in_force) {
  std::vector<Wider> missing;
  if (wider.empty()) return missing;
  const crypto::WallTime now = operators_.now();
  std::vector<Id> approved;
  auto use = operators_.cases().use();
  for (const Wider& one : wider) {
    const Id& tenant = one.load->tenant;
    const policies::TenantPolicy loaded[] = {{tenant, one.load->policy}};
    const policies::AccessRules rules =
        in_force != nullptr ? *in_force : policies::AccessRules(loaded);
    const auto still_two = [&](const Case& known) {
      return two_people(rules, operators_, tenant, known.requester, known.approver) ==
             TwoPeople::yes;
    };
    // Whoever had asked, and however it is loaded now.
    ChangeRequest request = request_of(*one.load, one.first, author);
    request.requester.clear();
    if (const Case* known = approved_change(request, {}, still_two, now, use)) {
      approved.push_back(known->id);
    } else {
      missing.push_back(one);
    }
  }
  if (!missing.empty()) return missing;
  for (std::size_t i = 0; i < wider.size(); ++i) {
    const Load& load = *wider[i].load;
    crypto::audit::AuditLog* log = logs_.tenant(load.tenant);
    if (log == nullptr) return Error(ErrorKind::internal);
    auto used = use_up(request_of(load, wider[i].first, author), *use.find(approved[i]), use, *log);
    if (!used) return Error(ErrorKind::disk_full, "The approval cannot be put on record.");
    approvals_.insert_or_assign(load.tenant, std::move(*used));
  }
  return missing;
}

Status PolicyConsent::ask(const Wider& wider, const Operator& author) {
  crypto::audit::AuditLog* log = logs_.tenant(wider.load->tenant);
  if (log == nullptr) return Error(ErrorKind::internal);
  const crypto::WallTime now = operators_.now();
  const ChangeRequest request = request_of(*wider.load, wider.first, author);
  bool is_open = false;
  {
    const auto use = operators_.cases().use();
    for (const Case* one : use.all()) {
      is_open = is_open || (one->type == CaseType::change && one->state == CaseState::open &&
                            one->tenant == request.tenant && one->change == request.change &&
                            one->requester == request.requester && !is_over(*one, now));
    }
  }
  if (!is_open && open_change(request, now, operators_.cases(), *log).status != 202) {
    return Error(ErrorKind::disk_full, "The grant cannot be put on record.");
  }
  return {};
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
