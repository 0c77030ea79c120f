// The scanner inside of a field that the policy opens: its text without wrappings, read as what it
// is, and the field as a whole where that cannot be done.

#include <utility>

#include "proxy/body/form.h"
#include "proxy/body/utf8.h"
#include "proxy/pipeline/field_visitors.h"
#include "proxy/pipeline/request_scanner.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::FieldAction;

bool RequestScanner::open(FieldJob& job, std::string_view value) {
  const std::size_t number = buffers_.opened_count;
  OpenedField& field = buffers_.open_next();
  field.plan = job.action->inside.get();
  field.job = static_cast<std::uint32_t>(buffers_.jobs.size());
  ExchangeBuffers::wipe_used(buffers_.scratch);
  const body::ScanStatus opened = unwrap(value, field, buffers_.scratch);
  if (opened != body::ScanStatus::ok) {
    buffers_.close_from(number);
    if (opened == body::ScanStatus::too_large) return refuse(Reason::too_large, {});
    return on_impossible_value(job) && add(job);
  }
  if (!add(job)) return false;

  const std::uint32_t layer = std::exchange(layer_, static_cast<std::uint32_t>(number + 1));
  const FieldAction* outer = std::exchange(outer_, job.action);
  ++depth_;
  const body::ScanStatus status = scan_inside(field);
  --depth_;
  outer_ = outer;
  layer_ = layer;
  if (status == body::ScanStatus::ok) return true;
  if (status == body::ScanStatus::stopped) return false;
  if (status == body::ScanStatus::too_large) return refuse(Reason::too_large, {});
  if (!on_impossible_value(job)) return false;
  // The field as a whole is handled, and nothing of what was found inside so far.
  buffers_.jobs.resize(field.job);
  buffers_.close_from(number);
  return add(job);
}

body::ScanStatus RequestScanner::scan_inside(const OpenedField& field) {
  const std::string_view text = field.inside.in(field.text);
  switch (carrier_inside(field.plan->form.content)) {
    case Carrier::json: {
      JsonFieldVisitor visitor(*this, text);
      return json_scanners_->at(depth_).scan(text, {}, visitor);
    }
    case Carrier::query: {
      FlatFieldVisitor visitor(*this, Carrier::query, text);
      return body::scan_form(text, {}, buffers_.scratch, visitor);
    }
    default: {
      if (!body::is_valid_utf8(text)) return body::ScanStatus::malformed;
      body::Field whole;
      whole.value.end = static_cast<std::uint32_t>(text.size());
      whole.whole = whole.value;
      return take(Carrier::value, "value", 0, whole, text, chosen(field.plan->value))
                 ? body::ScanStatus::ok
                 : body::ScanStatus::stopped;
    }
  }
}

}  // namespace paravent::proxy
