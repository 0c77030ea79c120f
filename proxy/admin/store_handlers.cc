// GET /v1/store, POST /v1/backup, GET /v1/backup: for the role admin.

#include <boost/json.hpp>

#include "proxy/admin/admin_api.h"

namespace paravent::proxy::admin {
namespace {

namespace json = boost::json;
using crypto::vault::BackupKind;

constexpr std::int64_t kMaxDays = 3650;

struct BackupRequest {
  BackupKind kind = BackupKind::data;
  std::uint32_t days = 0;
};

// {"kind":"data"} or {"kind":"keys","days":30}; nothing else.
std::optional<BackupRequest> parse_backup_request(std::string_view body) {
  boost::system::error_code error;
  const json::value document = json::parse({body.data(), body.size()}, error);
  const json::object* object = error ? nullptr : document.if_object();
  if (object == nullptr) return std::nullopt;
  BackupRequest request;
  const json::value* kind = object->if_contains("kind");
  const json::value* days = object->if_contains("days");
  if (object->size() != (days == nullptr ? 1U : 2U) || kind == nullptr) return std::nullopt;
  if (*kind == "keys") {
    request.kind = BackupKind::keys;
  } else if (*kind != "data") {
    return std::nullopt;
  }
  if (days == nullptr) return request;
  const std::int64_t* number = days->if_int64();
  if (request.kind != BackupKind::keys || number == nullptr || *number < 1 || *number > kMaxDays) {
    return std::nullopt;
  }
  request.days = static_cast<std::uint32_t>(*number);
  return request;
}

AdminResponse not_served() {
  return admin_problem(404, "no-route", "This gateway has no store desk.");
}

}  // namespace

AdminResponse AdminApi::store(const AdminRequest&, const Operator*) {
  if (desk_ == nullptr) return not_served();
  return {200, "application/json", desk_->statistics() + "\n"};
}

AdminResponse AdminApi::backup_state(const AdminRequest&, const Operator*) {
  if (desk_ == nullptr) return not_served();
  return {200, "application/json", desk_->backup_state() + "\n"};
}

AdminResponse AdminApi::begin_backup(const AdminRequest& request, const Operator* who) {
  if (desk_ == nullptr) return not_served();
  const auto asked = parse_backup_request(request.body);
  if (!asked) {
    return admin_problem(400, "malformed-body",
                         "Send {\"kind\":\"data\"} or {\"kind\":\"keys\",\"days\":30}.");
  }
  if (auto status = desk_->begin_backup(asked->kind, asked->days, *who); !status) {
    if (status.error().kind() == crypto::ErrorKind::busy) {
      return admin_problem(409, "busy", "A backup is being made already; wait for its end.");
    }
    return admin_problem(503, "audit-unavailable",
                         "The backup could not be put on the record, so none is made.");
  }
  return {202, "application/json", desk_->backup_state() + "\n"};
}

}  // namespace paravent::proxy::admin
