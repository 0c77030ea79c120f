// ConditionReader: what a message says about the conditions of a route, found out before any rule
// is applied, so that the order of the fields does not matter.
//
// A condition is certain or it is not. It holds where the field has an accepted value and no other
// one; it does not hold where nothing that some application may take for the field has an accepted
// value; anything between depends on who reads: a field sent twice with different values, an array
// of that name, and a value that a form leaves to the query (PHP's $_REQUEST reads both). What
// depends on the reader is left to the caller to refuse, never guessed. For one reading; clear
// values pass through ExchangeBuffers::value.
//
// A body that is streamed is read a stretch at a time, as it comes (StreamedConditions below).

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "policies/plan/route_plan.h"
#include "proxy/body/field.h"
#include "proxy/body/json_scanners.h"
#include "proxy/body/multipart_stream.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

// By bit, as RoutePlan::conditions numbers them. No condition is both.
struct ConditionBits {
  std::uint64_t hold = 0;
  std::uint64_t unclear = 0;
};

enum class Answer : std::uint8_t { no, yes, unclear };
// Whether all conditions of `when` hold.
Answer answer_of(const ConditionBits& bits, std::uint64_t when) noexcept;

class ConditionReader {
 public:
  ConditionReader(const policies::RoutePlan& route, const RequestHead& head,
                  ExchangeBuffers& buffers)
      : route_(route), head_(head), buffers_(buffers) {}

  // The refusal where the message cannot be read. `plan` and `body` are settled (settle_body.h).
  std::optional<Refusal> read(const BodyPlan& plan, std::string_view body,
                              body::JsonScanners& json_scanners, ConditionBits& bits);

  // The same in pieces: everything but the body, once; parts of it, whose spans are of `text`; and
  // what is known so far.
  std::optional<Refusal> read_head();
  void read_parts(std::string_view text, std::span<const body::MultipartStream::Part> parts);
  ConditionBits bits() const noexcept;

 private:
  friend class ConditionFlatVisitor;
  friend class ConditionJsonVisitor;

  // What was found so far for one condition.
  struct Seen {
    bool accepted = false;    // in the field itself
    bool mistakable = false;  // an accepted value in what may be taken for the field
    bool other = false;       // any other value in either
  };

  body::ScanStatus read_lines();
  body::ScanStatus read_body(const BodyPlan& plan, std::string_view body,
                             body::JsonScanners& json_scanners);
  // `value`: decoded; nullptr: a file.
  void on_flat(policies::Carrier carrier, std::string_view name, const std::string_view* value);
  bool asks(policies::Carrier carrier) const noexcept;

  const policies::RoutePlan& route_;
  const RequestHead& head_;
  ExchangeBuffers& buffers_;
  std::array<Seen, 64> seen_{};
};

// The conditions of a route whose body is streamed. Each is decided when the first thing that
// depends on it goes its way; what comes behind and would decide it otherwise is refused, so that
// nothing is ever treated as the whole message would not have had it. One upload each.
class StreamedConditions {
 public:
  StreamedConditions(const policies::RoutePlan& route, const RequestHead& head,
                     ExchangeBuffers& buffers)
      : route_(route), reader_(route, head, buffers) {}

  std::optional<Refusal> read_head() { return reader_.read_head(); }
  // The next stretch. `late_field`: it decides otherwise what was decided.
  std::optional<Refusal> read_parts(std::string_view text,
                                    std::span<const body::MultipartStream::Part> parts);
  const ConditionBits& bits() const noexcept { return bits_; }
  // These have been asked and stay as they are. The caller refuses what is unclear.
  void decide(std::uint64_t asked) noexcept { decided_ |= asked; }

 private:
  const policies::RoutePlan& route_;
  ConditionReader reader_;
  ConditionBits bits_;
  std::uint64_t decided_ = 0;
};

// `ambiguous_field`, of the first condition that is unclear.
Refusal unclear(const policies::RoutePlan& route, std::uint64_t when);
// Refuses what depends on the reader where a rule of the route does.
std::optional<Refusal> refuse_unclear(const policies::RoutePlan& route, const ConditionBits& bits);

}  // namespace paravent::proxy
