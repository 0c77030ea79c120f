#include "proxy/pipeline/field_transforms.h"

#include <cstdlib>
#include <utility>

#include "crypto/tokens/mask.h"
#include "proxy/pipeline/generalise/bare_address.h"
#include "proxy/pipeline/generalise/department.h"
#include "proxy/pipeline/generalise/language.h"
#include "proxy/pipeline/generalise/truncate_address.h"
#include "proxy/pipeline/generalise/truncate_text.h"
#include "proxy/pipeline/generalise/user_agent.h"

namespace paravent::proxy {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;
using policies::ActionKind;
using policies::FieldAction;
using policies::Generalisation;
using policies::GeneraliseOptions;

namespace {

GpsGrid::Axis axis_of(policies::GridAxis axis) {
  switch (axis) {
    case policies::GridAxis::both:
      return GpsGrid::Axis::both;
    case policies::GridAxis::latitude:
      return GpsGrid::Axis::latitude;
    case policies::GridAxis::longitude:
      return GpsGrid::Axis::longitude;
  }
  std::abort();
}

DateUnit unit_of(Generalisation to) {
  if (to == Generalisation::year) return DateUnit::year;
  return to == Generalisation::month ? DateUnit::month : DateUnit::day;
}

Result<Bins> bins_of(const GeneraliseOptions& options) {
  if (options.edges.empty()) return Bins::by_step(options.step.text);
  std::vector<std::string_view> edges;
  for (const policies::Decimal& edge : options.edges) edges.push_back(edge.text);
  return Bins::by_edges(edges);
}

void mask(const FieldAction& action, std::string_view value, std::string& out) {
  crypto::MaskForm form;
  if (action.show_first > 0) {
    form.shown = action.show_first;
  } else {
    form.shown = action.show_last;
    form.side = crypto::MaskSide::end;
  }
  if (form.shown == 0) {
    out.append(kMask);
  } else {
    crypto::append_masked(action.kind, value, form, out);
  }
}

}  // namespace

Result<FieldTransforms> FieldTransforms::create(const policies::PolicyPlan& plan) {
  FieldTransforms made;
  made.compiled_.reserve(plan.actions().size());
  for (const FieldAction* action : plan.actions()) {
    auto compiled = compile(*action);
    if (!compiled) return compiled.error();
    made.compiled_.push_back(std::move(*compiled));
  }
  return made;
}

Result<FieldTransforms::Compiled> FieldTransforms::compile(const FieldAction& action) {
  const auto held = [](auto made) -> Result<Compiled> {
    if (!made) return made.error();
    return Compiled(std::move(*made));
  };
  if (action.action != ActionKind::generalise) return Compiled();
  const GeneraliseOptions& options = action.options;
  switch (action.generalisation) {
    case Generalisation::year:
    case Generalisation::month:
    case Generalisation::day: {
      auto zone = TimeZone::create(options.time_zone);
      if (!zone) return zone.error();
      return Compiled(Floor{unit_of(action.generalisation), std::move(*zone)});
    }
    case Generalisation::age_band: {
      auto zone = TimeZone::create(options.time_zone);
      if (!zone) return zone.error();
      return Compiled(Ages{{.width = options.band, .top = options.top}, std::move(*zone)});
    }
    case Generalisation::grid:
      return held(GpsGrid::create(options.step.text, axis_of(options.axis)));
    case Generalisation::bins:
      return held(bins_of(options));
    case Generalisation::url:
      return held(UrlRule::create(options.keep_query, options.templates));
    case Generalisation::none:
    case Generalisation::browser_family:
    case Generalisation::browser_version:
    case Generalisation::language:
    case Generalisation::department:
    case Generalisation::shifted_date:
      return Compiled();
  }
  return Error(ErrorKind::configuration);
}

Status FieldTransforms::apply(const FieldAction& action, std::string_view value,
                              const crypto::Clock& today, std::string& out) const {
  switch (action.action) {
    case ActionKind::mask:
      mask(action, value, out);
      return {};
    case ActionKind::replace:
      out.append(action.literal);
      return {};
    case ActionKind::generalise:
      return generalise(action, value, today, out);
    case ActionKind::truncate:
      if (action.kind == crypto::Kind::ip) {
        return truncate_address(bare_address(value), action.ipv4_bits, action.ipv6_bits, out);
      }
      out.append(truncate_text(value, action.keep_length));
      return {};
    default:
      return Error(ErrorKind::internal);
  }
}

Status FieldTransforms::generalise(const FieldAction& action, std::string_view value,
                                   const crypto::Clock& today, std::string& out) const {
  if (action.id >= compiled_.size()) std::abort();
  const Compiled& compiled = compiled_[action.id];
  switch (action.generalisation) {
    case Generalisation::browser_family:
      append_browser_family(value, out);
      return {};
    case Generalisation::browser_version:
      append_browser_version(value, out);
      return {};
    case Generalisation::language:
      return main_language(value, out);
    case Generalisation::department:
      return department_of(value, out);
    case Generalisation::year:
    case Generalisation::month:
    case Generalisation::day: {
      const auto& floor = std::get<Floor>(compiled);
      return floor_date(value, floor.unit, floor.zone, out);
    }
    case Generalisation::age_band: {
      const auto& ages = std::get<Ages>(compiled);
      return age_band(value, ages.zone, ages.zone.day_at(today.now()), ages.bands, out);
    }
    case Generalisation::grid:
      return std::get<GpsGrid>(compiled).append(value, out);
    case Generalisation::bins:
      return std::get<Bins>(compiled).append(value, out);
    case Generalisation::url:
      return std::get<UrlRule>(compiled).append(value, out);
    case Generalisation::none:
    case Generalisation::shifted_date:
      break;
  }
  return Error(ErrorKind::internal);
}

}  // namespace paravent::proxy
