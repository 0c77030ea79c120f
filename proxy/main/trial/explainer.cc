#include "proxy/main/trial/explainer.h"

#include <array>
#include <future>
#include <utility>
#include <variant>

#include "crypto/tokens/field_protector.h"
#include "crypto/vault/engine/vault/vault.h"
#include "policies/plan/compiler.h"
#include "policies/plan/file_plan.h"
#include "proxy/body/csv.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/xml.h"
#include "proxy/main/installation/snapshot_builder.h"
#include "proxy/main/trial/recorded_request.h"
#include "proxy/main/trial/streamed_check.h"
#include "proxy/net/http1/request_parser.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/request_protector.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/route_group.h"
#include "proxy/pipeline/settle_body.h"
#include "proxy/pipeline/vault_question.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::main {
namespace {

using policies::Carrier;

class Collector final : public ScanObserver, public RawCounter {
 public:
  explicit Collector(const ExchangeBuffers& buffers) : buffers_(buffers) {}

  struct Seen {
    std::string path;
    std::string value;
    bool listed = false;
    const policies::FieldAction* action = nullptr;
    std::size_t job = 0;  // with an action: the field's own, if it was not refused
  };

  void on_field(std::string_view path, std::string_view value, bool listed,
                const policies::FieldAction* action) override {
    const std::size_t job = buffers_.jobs.size();
    // Of fields inside of one that was then given up as a whole.
    while (action != nullptr && !seen.empty() && seen.back().action != nullptr &&
           seen.back().job >= job) {
      seen.pop_back();
    }
    seen.push_back({std::string(path), std::string(value), listed, action, job});
  }
  void on_raw(std::uint32_t) override {}

  std::vector<Seen> seen;

 private:
  const ExchangeBuffers& buffers_;
};

// The replacement as the upstream's form parser would read it.
std::string decoded(const FieldJob& job, const ExchangeBuffers& buffers) {
  const std::string_view text = job.replacement.in(buffers.arena);
  std::string out;
  if (job.carrier == Carrier::form || job.carrier == Carrier::query) {
    body::decode_form_value(text, out);
  } else if (job.carrier == Carrier::json) {
    body::decode_json_value(text, body::ValueKind::string, out);
  } else if (job.carrier == Carrier::csv) {
    body::decode_csv_value(text, out);
  } else if (job.carrier == Carrier::xml) {
    body::decode_xml_value(text, out);
  } else {
    out = text;
  }
  return out;
}

// Whether the body would be streamed, as the route's or as that of any of the group.
bool streams(const policies::RouteMatch& first, const RouteGroup& group, const BodyPlan& plan) {
  if (!RouteGroup::is_group(first)) return plan.codec == BodyCodec::upload;
  const auto admitted = group.admit_any(first);
  const auto* any = std::get_if<BodyPlan>(&admitted);
  return any != nullptr && any->codec == BodyCodec::upload;
}

// What is done to a name that no rule lists: `unlisted_action` speaks of body and query alone. Of
// "cookie.state > json.id" the inner name counts.
std::string_view unlisted_name(const policies::RoutePlan& route, std::string_view path) {
  constexpr std::string_view kInto = " > ";
  if (const auto at = path.rfind(kInto); at != path.npos) path.remove_prefix(at + kInto.size());
  const policies::Unlisted rule = path.starts_with("header.")   ? route.unlisted_header
                                  : path.starts_with("cookie.") ? route.unlisted_cookie
                                                                : route.unlisted;
  switch (rule) {
    case policies::Unlisted::refuse:
      return "refuse";
    case policies::Unlisted::drop:
      return "drop";
    case policies::Unlisted::keep:
      return "keep";
    case policies::Unlisted::encrypt:
      return "encrypt";
  }
  return "refuse";
}

void refuse(Explanation& explanation, const Refusal& refusal) {
  explanation.outcome = "refused";
  explanation.reason = reason_label(refusal.reason);
  explanation.field = refusal.field;
}

}  // namespace

struct Explainer::State {
  crypto::SystemClock clock;
  std::unique_ptr<crypto::vault::Vault> own_vault;  // null: somebody else's
  crypto::vault::TokenVault* vault = nullptr;
  std::shared_ptr<const Snapshot> snapshot;
  std::unique_ptr<crypto::FieldProtector> protector;
  std::optional<FieldTransforms> transforms;
  body::JsonScanners json_scanners{0};

  crypto::Status prepare();
  Explanation explain(const policies::RoutePlan* as, std::string_view request);
  std::optional<Refusal> admit_message(policies::RouteMatch& match, const RequestHead& head,
                                       std::string_view host, std::string_view body,
                                       BodyPlan& plan);
  void scan_and_protect(const policies::RouteMatch& match, const RequestHead& head, BodyPlan plan,
                        std::string_view body, Explanation& explanation);
  std::shared_ptr<crypto::vault::ResolveBatch> resolve(const policies::RoutePlan& route,
                                                       ExchangeBuffers& buffers);
  static void list_fields(const policies::RoutePlan& route, const Collector& collector,
                          const ExchangeBuffers& buffers, Explanation& explanation);
};

crypto::Result<std::unique_ptr<Explainer>> Explainer::create(const policies::Policy& policy) {
  auto state = std::make_unique<State>();
  auto vault = crypto::vault::Vault::in_memory(state->clock);
  if (!vault) return vault.error();
  state->own_vault = std::move(*vault);
  state->vault = state->own_vault.get();
  auto plan = policies::compile({&policy, 1});
  if (!plan) return plan.error();
  const std::array names{policy_names(policy)};
  if (auto status = state->own_vault->register_names(names); !status) return status.error();
  auto snapshot = build_snapshot(*plan, *state->own_vault, Limits());
  if (!snapshot) return snapshot.error();
  state->snapshot = snapshot->snapshot;
  if (auto status = state->prepare(); !status) return status.error();
  return std::unique_ptr<Explainer>(new Explainer(std::move(state)));
}

crypto::Result<std::unique_ptr<Explainer>> Explainer::over(std::shared_ptr<const Snapshot> snapshot,
                                                           crypto::vault::TokenVault& vault) {
  auto state = std::make_unique<State>();
  state->vault = &vault;
  state->snapshot = std::move(snapshot);
  if (auto status = state->prepare(); !status) return status.error();
  return std::unique_ptr<Explainer>(new Explainer(std::move(state)));
}

crypto::Status Explainer::State::prepare() {
  auto made = crypto::FieldProtector::create(snapshot->keys());
  if (!made) return made.error();
  protector = std::move(*made);
  auto transforming = FieldTransforms::create(*snapshot->plan);
  if (!transforming) return transforming.error();
  transforms = std::move(*transforming);
  return {};
}

Explainer::Explainer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Explainer::~Explainer() = default;

Explanation Explainer::explain(std::string_view request) {
  return state_->explain(nullptr, request);
}

Explanation Explainer::explain_as(const policies::RoutePlan& route, std::string_view request) {
  return state_->explain(&route, request);
}

Explanation Explainer::State::explain(const policies::RoutePlan* as, std::string_view request) {
  Explanation explanation;
  RecordedRequest recorded = read_recorded_request(request);
  std::vector<HeaderLine> lines(snapshot->limits.header_count);
  http1::RequestParser parser;
  const Limits& limits = snapshot->limits;
  parser.begin(lines, limits.header_bytes, limits.header_line_bytes);
  const auto status = parser.parse({recorded.head.data(), recorded.head.size()});
  if (status != http1::ParseStatus::done) {
    refuse(explanation,
           {status == http1::ParseStatus::refused ? parser.reason() : Reason::framing, {}});
    return explanation;
  }
  const RequestHead& head = parser.head();
  std::string host;
  auto match = as != nullptr ? policies::RouteMatch{as}
                             : snapshot->plan->route_for(head.method_text,
                                                         match_host(head.host, host), head.path);
  if (match.route == nullptr) {
    refuse(explanation, {match.path_is_protected ? Reason::method : Reason::no_route, {}});
    return explanation;
  }
  BodyPlan plan;
  const policies::RouteMatch first = match;
  if (const auto refusal = admit_message(match, head, host, recorded.body, plan)) {
    if (match.route != nullptr) explanation.route = match.route->name;
    refuse(explanation, *refusal);
    return explanation;
  }
  explanation.route = match.route->name;
  scan_and_protect(match, head, plan, recorded.body, explanation);
  // What only the order of the parts decides, where it does not wait for the whole.
  const RouteGroup group(*snapshot->plan, head, host, limits);
  if (explanation.outcome == "forwarded" && streams(first, group, plan)) {
    if (const auto refusal =
            check_streamed(match, RouteGroup::is_group(first) ? &group : nullptr, first, head, plan,
                           recorded.body, limits, json_scanners)) {
      explanation.upstream_head.clear();
      explanation.upstream_body.clear();
      for (ExplainedField& field : explanation.fields) field.after.reset();
      refuse(explanation, *refusal);
    }
  }
  return explanation;
}

// Phases 1 and 2, with the choice among routes that fields tell apart.
std::optional<Refusal> Explainer::State::admit_message(policies::RouteMatch& match,
                                                       const RequestHead& head,
                                                       std::string_view host, std::string_view body,
                                                       BodyPlan& plan) {
  if (RouteGroup::is_group(match)) {
    ExchangeBuffers buffers;
    body::ContentDecoder decoder;
    const RouteGroup group(*snapshot->plan, head, host, snapshot->limits);
    return group.choose(body, decoder, json_scanners, buffers, match, plan);
  }
  auto admitted = admit(*snapshot->plan, match, head, snapshot->limits);
  if (const auto* refusal = std::get_if<Refusal>(&admitted)) return *refusal;
  plan = std::get<BodyPlan>(admitted);
  return std::nullopt;
}

void Explainer::State::scan_and_protect(const policies::RouteMatch& match, const RequestHead& head,
                                        BodyPlan plan, std::string_view body,
                                        Explanation& explanation) {
  ExchangeBuffers buffers;
  Collector collector(buffers);
  const Peer peer{"192.0.2.1", false};  // documentation address: whoever sent the recorded request
  RequestProtector protect(*match.route, head, peer, false, buffers);
  if (match.route->mode == policies::RouteMode::pass) {
    const ProtectedRequest passed = protect.pass(body);
    explanation.outcome = "passed";
    explanation.upstream_head = passed.head();
    explanation.upstream_body = body;
    return;
  }
  body::ContentDecoder decoder;
  if (const auto refusal =
          settle_body(*match.route, snapshot->limits, decoder, buffers.decoded, plan, body)) {
    refuse(explanation, *refusal);
    return;
  }
  RequestScanner scanner(*match.route, head, buffers, collector, &collector);
  if (const auto refusal = scanner.scan(plan, body, json_scanners)) {
    refuse(explanation, *refusal);
    list_fields(*match.route, collector, buffers, explanation);
    return;
  }
  const auto batch = resolve(*match.route, buffers);
  if (const auto refusal = refuse_unconfirmed(buffers, *batch)) {
    refuse(explanation, *refusal);
    list_fields(*match.route, collector, buffers, explanation);
    return;
  }
  if (batch->status != crypto::vault::ResolveStatus::ok &&
      batch->status != crypto::vault::ResolveStatus::pending) {
    refuse(explanation,
           {batch->status == crypto::vault::ResolveStatus::sealed ? Reason::sealed
                                                                  : Reason::store_unavailable,
            {}});
    return;
  }
  if (batch->subject && batch->subject->objected && batch->subject->stop_if_objected) {
    explanation.outcome = "refused";
    explanation.reason = "objected";
    return;
  }
  auto made = protect.protect(plan, body, {*protector, *transforms, clock}, batch.get());
  if (const auto* refusal = std::get_if<Refusal>(&made)) {
    refuse(explanation, *refusal);
    list_fields(*match.route, collector, buffers, explanation);
    return;
  }
  const auto& ready = std::get<ProtectedRequest>(made);
  explanation.outcome = "forwarded";
  explanation.upstream_head = ready.head();
  ready.body().for_each_segment(
      [&](std::string_view segment) { explanation.upstream_body.append(segment); });
  list_fields(*match.route, collector, buffers, explanation);
}

std::shared_ptr<crypto::vault::ResolveBatch> Explainer::State::resolve(
    const policies::RoutePlan& route, ExchangeBuffers& buffers) {
  auto batch = std::make_shared<crypto::vault::ResolveBatch>();
  append_questions(*snapshot, buffers, *batch);
  if (route.subject_slot != policies::kNoSlot) {
    append_subject_question(*snapshot, route, buffers, *batch);
  }
  if (batch->jobs.empty() && batch->confirms.empty() && !batch->subject) return batch;
  std::promise<void> answered;
  batch->done = [&answered] { answered.set_value(); };
  vault->resolve(batch);
  answered.get_future().wait();
  return batch;
}

void Explainer::State::list_fields(const policies::RoutePlan& route, const Collector& collector,
                                   const ExchangeBuffers& buffers, Explanation& explanation) {
  const bool sent = explanation.outcome != "refused";
  for (const Collector::Seen& seen : collector.seen) {
    if (!seen.listed) explanation.unlisted.push_back(seen.path);
    ExplainedField field;
    field.path = seen.path;
    field.before = seen.value;
    field.after = seen.value;
    field.rule = seen.action != nullptr ? seen.action->name : "unlisted";
    field.action = seen.action == nullptr ? "keep"
                   : seen.action == &route.unlisted_action
                       ? unlisted_name(route, seen.path)
                       : policies::action_name(seen.action->action);
    if (seen.action != nullptr && seen.job < buffers.jobs.size()) {
      const FieldJob& job = buffers.jobs[seen.job];
      if (job.field.is_file && seen.action->file) {
        field.action = policies::file_action_name(seen.action->file->rule.action.value);
      }
      if (job.treatment == Treatment::remove) {
        field.after.reset();
      } else if (job.treatment != Treatment::keep && job.treatment != Treatment::confirm) {
        field.after = sent ? decoded(job, buffers) : std::string();
      }
    }
    if (!sent) field.after.reset();
    if (!seen.listed && seen.action == nullptr) continue;  // kept as it is: named under `unlisted`
    explanation.fields.push_back(std::move(field));
  }
}

}  // namespace paravent::proxy::main
