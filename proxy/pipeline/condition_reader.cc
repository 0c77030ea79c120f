#include "proxy/pipeline/condition_reader.h"

#include <algorithm>
#include <bit>
#include <string>

#include "policies/model/php_name.h"
#include "proxy/body/cookie.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/mixed.h"
#include "proxy/body/multipart.h"
#include "proxy/pipeline/body_lines.h"
#include "proxy/pipeline/scan_refusal.h"

namespace paravent::proxy {

using policies::Carrier;
using policies::ConditionPlan;

namespace {

enum class Relation : std::uint8_t { none, itself, mistakable, whole_or_part };

// What a field of this carrier and name is to the condition. A folded `a[b]` and the condition's
// `a`, either way round: PHP keeps one of the two, the later.
Relation relation_of(const ConditionPlan& condition, bool php, Carrier carrier,
                     std::string_view name) noexcept {
  const bool is_form = carrier == Carrier::form || carrier == Carrier::multipart;
  const bool same_carrier =
      condition.carrier == carrier || (condition.carrier == Carrier::form && is_form);
  const bool merged = (condition.carrier == Carrier::form && carrier == Carrier::query) ||
                      (condition.carrier == Carrier::query && is_form);
  if (!same_carrier && !merged) return Relation::none;
  if (name == condition.name) return same_carrier ? Relation::itself : Relation::mistakable;
  if (!php) return Relation::none;
  const std::string_view wanted = condition.name;
  const bool part =
      name.size() > wanted.size() && name.starts_with(wanted) && name[wanted.size()] == '[';
  const bool whole = wanted.size() > name.size() && wanted.starts_with(name) &&
                     wanted[name.size()] == '[' && !name.empty();
  return part || whole ? Relation::whole_or_part : Relation::none;
}

}  // namespace

Answer answer_of(const ConditionBits& bits, std::uint64_t when) noexcept {
  if ((when & ~(bits.hold | bits.unclear)) != 0) return Answer::no;
  return (when & bits.unclear) != 0 ? Answer::unclear : Answer::yes;
}

class ConditionFlatVisitor final : public body::FlatVisitor {
 public:
  ConditionFlatVisitor(ConditionReader& reader, Carrier carrier, std::string_view text)
      : reader_(reader), carrier_(carrier), text_(text) {}

  bool on_field(std::string_view name, const body::Field& field) override {
    std::string_view value = field.value.in(text_);
    if (carrier_ == Carrier::form || carrier_ == Carrier::query) {
      ExchangeBuffers::wipe_used(reader_.buffers_.value);
      body::decode_form_value(value, reader_.buffers_.value);
      value = reader_.buffers_.value;
    }
    if (field.is_file) {
      reader_.on_flat(carrier_, name, nullptr);
    } else {
      reader_.on_flat(carrier_, name, &value);
    }
    return true;
  }

 private:
  ConditionReader& reader_;
  Carrier carrier_;
  std::string_view text_;
};

class ConditionJsonVisitor final : public body::JsonVisitor {
 public:
  ConditionJsonVisitor(ConditionReader& reader, std::string_view text)
      : reader_(reader), text_(text) {}

  bool on_value(body::JsonPath path, const body::Field& field) override {
    for (std::size_t i = 0; i < reader_.route_.conditions.size(); ++i) {
      const ConditionPlan& condition = reader_.route_.conditions[i];
      if (condition.carrier != Carrier::json || !condition.is_at(path, true)) continue;
      ConditionReader::Seen& seen = reader_.seen_[i];
      if (field.is_file) {
        seen.other = true;
        continue;
      }
      ExchangeBuffers::wipe_used(reader_.buffers_.value);
      body::decode_json_value(field.value.in(text_), field.kind, reader_.buffers_.value);
      // A name in another case is the field to some readers and another one to others.
      bool& found = condition.is_at(path) ? seen.accepted : seen.mistakable;
      (condition.accepts(reader_.buffers_.value) ? found : seen.other) = true;
    }
    return true;
  }

  bool on_container(body::JsonPath, bool) override { return true; }

 private:
  ConditionReader& reader_;
  std::string_view text_;
};

std::optional<Refusal> ConditionReader::read(const BodyPlan& plan, std::string_view body,
                                             body::JsonScanners& json_scanners,
                                             ConditionBits& bits) {
  bits = {};
  body::ScanStatus status = read_lines();
  if (status == body::ScanStatus::ok) status = read_body(plan, body, json_scanners);
  if (auto refusal = refusal_of(status)) return refusal;
  bits = this->bits();
  return std::nullopt;
}

std::optional<Refusal> ConditionReader::read_head() { return refusal_of(read_lines()); }

void ConditionReader::read_parts(std::string_view text,
                                 std::span<const body::MultipartStream::Part> parts) {
  for (const body::MultipartStream::Part& part : parts) {
    const std::string_view value = part.field.value.in(text);
    on_flat(Carrier::multipart, part.name.in(text), part.field.is_file ? nullptr : &value);
  }
}

ConditionBits ConditionReader::bits() const noexcept {
  ConditionBits bits;
  for (std::size_t i = 0; i < route_.conditions.size(); ++i) {
    const Seen& seen = seen_[i];
    if (!seen.accepted && !seen.mistakable) continue;
    const std::uint64_t bit = std::uint64_t{1} << i;
    (seen.accepted && !seen.other ? bits.hold : bits.unclear) |= bit;
  }
  return bits;
}

std::optional<Refusal> StreamedConditions::read_parts(
    std::string_view text, std::span<const body::MultipartStream::Part> parts) {
  const ConditionBits before = bits_;
  reader_.read_parts(text, parts);
  bits_ = reader_.bits();
  const std::uint64_t changed = (before.hold ^ bits_.hold) | (before.unclear ^ bits_.unclear);
  if ((changed & decided_) == 0) return std::nullopt;
  const auto first = static_cast<std::size_t>(std::countr_zero(changed & decided_));
  return Refusal{Reason::late_field, route_.conditions[first].text};
}

// Everything but the body.
body::ScanStatus ConditionReader::read_lines() {
  const bool asks_forms = asks(Carrier::form) || asks(Carrier::query);
  if (head_.has_query && asks_forms) {
    ConditionFlatVisitor visitor(*this, Carrier::query, head_.query);
    const auto status = body::scan_form(head_.query, {}, buffers_.scratch, visitor);
    if (status != body::ScanStatus::ok) return status;
  }
  const bool asks_cookies = asks(Carrier::cookie);
  if (!asks_cookies && !asks(Carrier::header)) return body::ScanStatus::ok;
  std::string lower;
  for (const HeaderLine& line : head_.headers) {
    if (asks_cookies && line.id == HeaderName::cookie) {
      ConditionFlatVisitor visitor(*this, Carrier::cookie, line.value);
      const auto status = body::scan_cookies(line.value, {}, visitor);
      if (status != body::ScanStatus::ok) return status;
    }
    lower.assign(line.name);
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const std::string_view value = line.value;
    on_flat(Carrier::header, lower, &value);
  }
  return body::ScanStatus::ok;
}

body::ScanStatus ConditionReader::read_body(const BodyPlan& plan, std::string_view body,
                                            body::JsonScanners& json_scanners) {
  switch (plan.codec) {
    case BodyCodec::form: {
      ConditionFlatVisitor visitor(*this, Carrier::form, body);
      return scan_form_body(body, plan.lines, visitor, buffers_);
    }
    case BodyCodec::multipart:
    case BodyCodec::upload: {
      ConditionFlatVisitor visitor(*this, Carrier::multipart, body);
      return body::scan_multipart(body, plan.boundary, {}, buffers_.scratch, visitor);
    }
    case BodyCodec::json: {
      if (!asks(Carrier::json)) return body::ScanStatus::ok;
      ConditionJsonVisitor visitor(*this, body);
      return scan_json_body(body, plan.lines, json_scanners.at(0), visitor, buffers_);
    }
    case BodyCodec::mixed: {
      if (!asks(Carrier::json)) return body::ScanStatus::ok;
      ConditionJsonVisitor visitor(*this, body);
      return body::scan_mixed(body, plan.boundary, {}, json_scanners.at(0), visitor,
                              buffers_.lines);
    }
    case BodyCodec::csv:
    case BodyCodec::xml:
    case BodyCodec::none:
    case BodyCodec::opaque:
    case BodyCodec::text:
      break;
  }
  return body::ScanStatus::ok;
}

bool ConditionReader::asks(Carrier carrier) const noexcept {
  return std::any_of(route_.conditions.begin(), route_.conditions.end(),
                     [carrier](const ConditionPlan& c) { return c.carrier == carrier; });
}

void ConditionReader::on_flat(Carrier carrier, std::string_view name,
                              const std::string_view* value) {
  std::array<char, policies::kMaxPhpName> buffer;
  const bool php = route_.php_names && policies::is_php_carrier(carrier);
  if (php && name.size() <= buffer.size()) name = policies::php_name(name, buffer.data());
  for (std::size_t i = 0; i < route_.conditions.size(); ++i) {
    const ConditionPlan& condition = route_.conditions[i];
    Seen& seen = seen_[i];
    switch (relation_of(condition, php, carrier, name)) {
      case Relation::none:
        break;
      case Relation::itself:
        (value != nullptr && condition.accepts(*value) ? seen.accepted : seen.other) = true;
        break;
      case Relation::mistakable:
        (value != nullptr && condition.accepts(*value) ? seen.mistakable : seen.other) = true;
        break;
      case Relation::whole_or_part:
        // Not the field, and it may take the field's place.
        seen.other = true;
        break;
    }
  }
}

std::optional<Refusal> refuse_unclear(const policies::RoutePlan& route, const ConditionBits& bits) {
  if (bits.unclear == 0) return std::nullopt;
  for (const std::uint64_t when : route.questions) {
    if (answer_of(bits, when) == Answer::unclear) return unclear(route, when & bits.unclear);
  }
  return std::nullopt;
}

Refusal unclear(const policies::RoutePlan& route, std::uint64_t when) {
  const auto first = static_cast<std::size_t>(std::countr_zero(when));
  return {Reason::ambiguous_field, route.conditions[first].text};
}

}  // namespace paravent::proxy
