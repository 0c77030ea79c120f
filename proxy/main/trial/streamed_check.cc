#include "proxy/main/trial/streamed_check.h"

#include <deque>
#include <vector>

#include "proxy/body/multipart_stream.h"
#include "proxy/pipeline/condition_reader.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/request_scanner.h"

namespace paravent::proxy::main {
namespace {

using Event = body::MultipartStream::Event;

class Uncounted final : public RawCounter {
 public:
  void on_raw(std::uint32_t) override {}
};

class StreamedCheck {
 public:
  StreamedCheck(const policies::RouteMatch& match, const RouteGroup* group,
                const policies::RouteMatch& first, const RequestHead& head, const BodyPlan& plan,
                body::JsonScanners& json_scanners)
      : match_(match),
        group_(group),
        first_(first),
        head_(head),
        plan_(plan),
        json_scanners_(json_scanners) {}

  std::optional<Refusal> stretch(std::string_view text,
                                 const std::vector<body::MultipartStream::Part>& parts, bool last) {
    const bool is_first = !begun_;
    begun_ = true;
    if (auto refusal = decide(text, parts, is_first)) return refusal;
    const policies::RoutePlan& route = *match_.route;
    if (!is_first) buffers_.clear_for_next_piece();
    RequestScanner scanner(route, head_, buffers_, counter_);
    if (conditions_) scanner.assume(conditions_->bits());
    std::optional<Refusal> refusal;
    if (is_first) refusal = scanner.scan_head();
    if (!refusal) refusal = scanner.scan_parts(text, parts, is_first, json_scanners_);
    if (conditions_) {
      conditions_->decide(scanner.asked());
      if (scanner.asked_unclear() != 0) refusal = unclear(route, scanner.asked_unclear());
    }
    if (!refusal && (last || (is_first && !route.any_order))) {
      refusal = scanner.check_required(BodyCodec::upload, !last);
    }
    return refusal;
  }

 private:
  std::optional<Refusal> decide(std::string_view text,
                                const std::vector<body::MultipartStream::Part>& parts,
                                bool is_first) {
    if (is_first && group_ != nullptr) {
      policies::RouteMatch chosen = first_;
      BodyPlan plan = plan_;
      if (auto refusal = group_->choose(text, parts, buffers_, chosen, plan, watched_)) {
        return refusal;
      }
    } else {
      for (StreamedConditions& conditions : watched_) {
        if (auto refusal = conditions.read_parts(text, parts)) return refusal;
      }
    }
    if (is_first && !match_.route->questions.empty()) {
      conditions_.emplace(*match_.route, head_, buffers_);
      if (auto refusal = conditions_->read_head()) return refusal;
    }
    return conditions_ ? conditions_->read_parts(text, parts) : std::nullopt;
  }

  const policies::RouteMatch& match_;
  const RouteGroup* group_;
  const policies::RouteMatch& first_;
  const RequestHead& head_;
  const BodyPlan& plan_;
  body::JsonScanners& json_scanners_;
  ExchangeBuffers buffers_;
  Uncounted counter_;
  std::deque<StreamedConditions> watched_;
  std::optional<StreamedConditions> conditions_;
  bool begun_ = false;
};

}  // namespace

std::optional<Refusal> check_streamed(const policies::RouteMatch& match, const RouteGroup* group,
                                      const policies::RouteMatch& first, const RequestHead& head,
                                      const BodyPlan& plan, std::string_view body,
                                      const Limits& limits, body::JsonScanners& json_scanners) {
  body::MultipartStream codec;
  codec.begin(plan.boundary, {}, limits.form_bytes);
  StreamedCheck check(match, group, first, head, plan, json_scanners);
  std::vector<body::MultipartStream::Part> parts;
  for (;;) {
    const Event event = codec.next(body, true);
    switch (event) {
      case Event::field:
        parts.push_back(codec.part());
        break;
      case Event::file:
      case Event::end:
        if (event == Event::file) parts.push_back(codec.part());
        if (auto refusal = check.stretch(codec.text(), parts, event == Event::end)) return refusal;
        if (event == Event::end) return std::nullopt;
        break;
      case Event::content:
        break;
      case Event::file_end:
        parts.clear();
        break;
      case Event::too_large:
        return Refusal{Reason::too_large, {}};
      case Event::unsupported:
        return Refusal{Reason::unsupported_type, {}};
      case Event::need_more:
      case Event::malformed:
        return Refusal{Reason::malformed_body, {}};
    }
  }
}

}  // namespace paravent::proxy::main
