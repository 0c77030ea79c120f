#include "proxy/pipeline/field_transform.h"

#include "proxy/pipeline/generalise/truncate_address.h"
#include "proxy/pipeline/generalise/truncate_text.h"
#include "proxy/pipeline/generalise/user_agent.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;
using policies::ActionKind;
using policies::FieldAction;

}  // namespace

Status transform_field(const FieldAction& action, std::string_view value, std::string& out) {
  switch (action.action) {
    case ActionKind::mask:
      out.append(kMask);
      return {};
    case ActionKind::replace:
      out.append(action.literal);
      return {};
    case ActionKind::generalise:
      append_browser_family(value, out);
      return {};
    case ActionKind::truncate:
      if (action.kind == crypto::Kind::ip) {
        return truncate_address(value, action.ipv4_bits, action.ipv6_bits, out);
      }
      out.append(truncate_text(value, action.keep_length));
      return {};
    default:
      return Error(ErrorKind::internal);
  }
}

}  // namespace paravent::proxy
