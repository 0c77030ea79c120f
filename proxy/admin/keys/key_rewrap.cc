// POST /v1/rewrap: another root key, and with it another way to unseal, while the gateway runs.

#include <utility>

#include "proxy/admin/keys/key_api.h"
#include "proxy/admin/name_operator.h"
#include "proxy/admin/root_request.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;

AdminResponse rewrap_problem(const Error& error) {
  const std::string& said = error.sentence();
  switch (error.kind()) {
    case ErrorKind::refused:
      return admin_problem(403, "unseal-refused", said);
    case ErrorKind::sealed:
      return admin_problem(503, "sealed", said);
    case ErrorKind::busy:
    case ErrorKind::data:
      return admin_problem(409, "refused",
                           said.empty() ? "The root key could not be changed." : said);
    case ErrorKind::usage:
    case ErrorKind::malformed:
    case ErrorKind::configuration:
      return admin_problem(400, "malformed-body", said);
    default:
      return admin_problem(503, "store-unavailable",
                           said.empty() ? "The key store cannot be written." : said);
  }
}

// Shares are shown here and nowhere else; the answer is wiped when it has left.
std::string offer_json(std::string_view way, const RootOffer& offer) {
  std::size_t size = 128;
  for (const auto& share : offer.shares) size += share.size() + 3;
  std::string out;
  out.reserve(size);  // growing would leave copies behind
  out.append(R"({"method":")").append(way).append("\"");
  if (!offer.shares.empty()) {
    out.append(R"(,"shares":[)");
    for (std::size_t i = 0; i < offer.shares.size(); ++i) {
      out.append(i == 0 ? "\"" : ",\"").append(crypto::as_text(offer.shares[i].bytes()));
      out.append("\"");
    }
    out.append(R"(],"confirm":")").append(offer.ticket).append("\"");
  }
  out.append("}\n");
  return out;
}

}  // namespace

AdminResponse KeyApi::rewrap(const AdminRequest& request, const Operator& who) {
  if (root_ == nullptr) return admin_problem(404, "no-route", "There is no such path.");
  const auto asked = parse_root_request(request.body);
  if (!asked) return admin_problem(400, "malformed-body", asked.error().sentence());
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  name_operator(who, entry.detail);
  entry.detail.reason = asked->reason;
  entry.detail.object = "root key";
  const bool offers = asked->wish && asked->wish->way == RootWish::Way::shares;
  if (asked->wish) {
    entry.detail.remark = (offers ? "offer another root key, unsealed by "
                                  : "re-wrap under another root key, unsealed by ") +
                          std::string(way_name(asked->wish->way));
  } else {
    entry.detail.remark = "re-wrap under another root key, whose shares are handed out";
  }
  crypto::audit::AuditLog& log = logs_.installation();
  if (!log.append(entry)) {
    return audit_unavailable();
  }
  const auto failed = [&](const Error& error) {
    entry.outcome = error.kind() == ErrorKind::refused ? crypto::audit::Outcome::refused
                                                       : crypto::audit::Outcome::failed;
    std::ignore = log.append(entry);
    return rewrap_problem(error);
  };
  if (!asked->wish) {
    if (auto s = root_->decide(asked->confirm); !s) return failed(s.error());
    return {200, "application/json", "{\"method\":\"shares\"}\n"};
  }
  const auto offer = root_->prepare(*asked->wish);
  if (!offer) return failed(offer.error());
  if (!offers) {
    if (auto s = root_->decide(offer->ticket); !s) return failed(s.error());
  }
  return {200, "application/json", offer_json(way_name(asked->wish->way), *offer)};
}

}  // namespace paravent::proxy::admin
