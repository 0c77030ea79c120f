#include "proxy/admin/door_record.h"

#include <algorithm>
#include <utility>

#include "proxy/admin/name_operator.h"

namespace paravent::proxy::admin {
namespace {

constexpr std::size_t kMostPath = 256;

bool is_word(std::string_view part) {
  return std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::string door_text(const AdminRequest& request) {
  std::string text = request.method + " ";
  std::string_view rest = std::string_view(request.path).substr(0, kMostPath);
  for (;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    text += is_word(part) ? part : "*";
    if (slash == std::string_view::npos) return text;
    text.push_back('/');
    rest.remove_prefix(slash + 1);
  }
}

AdminResponse turned_away(const AuditLogs& logs, const AdminRequest& request, const Operator& who,
                          std::string_view why, AdminResponse answer) {
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::refusal;
  entry.outcome = crypto::audit::Outcome::refused;
  name_operator(who, entry.detail);
  entry.detail.object = door_text(request);
  entry.detail.remark = why;
  if (!logs.tenant_or_installation(who.tenant).append(entry)) return audit_unavailable();
  return answer;
}

}  // namespace paravent::proxy::admin
