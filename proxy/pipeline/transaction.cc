#include "proxy/pipeline/transaction.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

#include "crypto/base/encoding.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/request_protector.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/response_framing.h"
#include "proxy/pipeline/response_writer.h"
#include "proxy/pipeline/route_group.h"
#include "proxy/pipeline/settle_body.h"
#include "proxy/pipeline/vault_question.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy {

namespace {

using SteadyClock = std::chrono::steady_clock;

std::uint64_t microseconds(SteadyClock::duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

Reason reason_for(BodyStatus status) {
  switch (status) {
    case BodyStatus::too_large:
      return Reason::too_large;
    case BodyStatus::timeout:
      return Reason::timeout;
    default:
      return Reason::framing;
  }
}

}  // namespace

struct Transaction::State final : public RawCounter {
  State(Downstream& down, Upstream& up) : downstream(down), upstream(up) {}

  Downstream& downstream;
  Upstream& upstream;
  std::shared_ptr<WorkerState> worker;
  const RequestHead* head = nullptr;
  Phase phase = Phase::idle;
  policies::RouteMatch match;
  BodyPlan body_plan;
  std::string_view body;
  ExchangeBuffers buffers;
  std::shared_ptr<crypto::vault::ResolveBatch> batch;
  UpstreamExchange* exchange = nullptr;

  // respond
  std::string response_head;
  std::string problem_body;
  ResponseFramer framer;
  std::uint64_t sent_body_bytes = 0;
  bool response_started = false;
  bool response_complete = false;  // the upstream has no more
  bool waiting_for_send = false;
  bool keep_alive = true;
  bool body_unread = false;

  // record
  SteadyClock::time_point started;
  SteadyClock::time_point forwarded;
  SteadyClock::time_point answered;
  telemetry::Outcome outcome = telemetry::Outcome::forwarded;
  std::optional<Reason> reason;
  std::uint16_t status = 0;
  std::array<char, 16> request_id{};
  bool has_request_id = false;
  std::string host;

  void on_raw(std::uint32_t action_id) override { worker->counters->raw_fields(action_id).add(); }

  const policies::RoutePlan& route() const { return *match.route; }
  std::size_t route_index() const {
    return match.route != nullptr ? match.route->id : worker->counters->no_route();
  }

  void begin(const RequestHead* request, std::shared_ptr<WorkerState> state);
  void run(Phase next);
  std::optional<Phase> step();

  std::optional<Phase> select_route();
  std::optional<Refusal> refuse_taking();
  std::optional<Refusal> choose_of_group();
  RouteGroup group();
  std::optional<Phase> admit_request();
  std::optional<Phase> receive();
  std::optional<Phase> scan();
  std::optional<Phase> resolve();
  std::optional<Phase> protect();
  std::optional<Phase> record();

  void take_body(ReceivedBody received);
  bool needs_keys() const;
  bool list_sealed();
  Phase refuse(const Refusal& refusal);
  bool is_stopped() const;
  Phase stop_objected();
  Phase after_answer();
  std::string_view id();
  ConnectionLine connection_line() const {
    if (!keep_alive) return ConnectionLine::close;
    return head != nullptr && head->http_1_0 ? ConnectionLine::keep_alive : ConnectionLine::none;
  }
  Peer peer() const {
    return {downstream.peer_address(), downstream.peer_is_trusted(), downstream.trusted_proxies()};
  }

  void relay(const ResponseHead& response, std::string_view bytes, bool complete);
  void relay_more(std::string_view bytes, bool complete);
  void send(std::string_view bytes, bool last);
  void after_send(SendStatus status);
  void abort_exchange();
  void count_fields() const;

  UpstreamHandler* handler = nullptr;
};

void Transaction::State::begin(const RequestHead* request, std::shared_ptr<WorkerState> state) {
  head = request;
  worker = std::move(state);
  match = {};
  body_plan = {};
  body = {};
  batch.reset();
  exchange = nullptr;
  response_head.clear();
  problem_body.clear();
  framer.begin({});
  sent_body_bytes = 0;
  response_started = response_complete = false;
  waiting_for_send = false;
  body_unread = false;
  keep_alive = request != nullptr && request->keep_alive;
  started = SteadyClock::now();
  forwarded = answered = SteadyClock::time_point();
  outcome = telemetry::Outcome::forwarded;
  reason.reset();
  status = 0;
  has_request_id = false;
}

// Runs phases until one has to wait for somebody.
void Transaction::State::run(Phase next) {
  phase = next;
  while (auto following = step()) phase = *following;
}

// The phases of docs/request-path.md. nullopt: the phase waits, and an on_... call goes on from
// here, or the exchange is over.
std::optional<Phase> Transaction::State::step() {
  switch (phase) {
    case Phase::idle:
      return std::nullopt;
    case Phase::select_route:
      return select_route();
    case Phase::admit:
      return admit_request();
    case Phase::receive:
      return receive();
    case Phase::scan:
      return scan();
    case Phase::resolve:
      return resolve();
    case Phase::protect:
      return protect();
    case Phase::forward:
    case Phase::respond:
      return std::nullopt;
    case Phase::record:
      return record();
  }
  return std::nullopt;
}

std::optional<Phase> Transaction::State::select_route() {
  match = worker->snapshot->plan->route_for(head->method_text, match_host(head->host, host),
                                            head->path);
  if (match.route != nullptr) return Phase::admit;
  return refuse({match.path_is_protected ? Reason::method : Reason::no_route, {}});
}

std::optional<Phase> Transaction::State::admit_request() {
  const bool is_group = RouteGroup::is_group(match);
  if (!is_group) {
    if (auto refusal = refuse_taking()) return refuse(*refusal);
  }
  auto admitted = is_group ? group().admit_any(match)
                           : admit(*worker->snapshot->plan, match, *head, worker->snapshot->limits);
  if (const auto* refusal = std::get_if<Refusal>(&admitted)) return refuse(*refusal);
  body_plan = std::get<BodyPlan>(admitted);
  return Phase::receive;
}

// What a route demands whatever the message says.
std::optional<Refusal> Transaction::State::refuse_taking() {
  if (route().client_certificate && !downstream.has_client_certificate()) {
    return Refusal{Reason::client_certificate, {}};
  }
  if (!worker->snapshot->keys_available && needs_keys()) {
    if (route().when_sealed == nullptr) return Refusal{Reason::sealed, {}};
    match.route = route().when_sealed;
  }
  if (worker->snapshot->lacks_keys(route().id)) return Refusal{Reason::sealed, {}};
  return std::nullopt;
}

// Leaves in `match` the one route of the group that the message is for.
std::optional<Refusal> Transaction::State::choose_of_group() {
  if (auto refusal = group().choose(body, *worker->content_decoder, *worker->json_scanners, buffers,
                                    match, body_plan)) {
    return refusal;
  }
  return refuse_taking();
}

RouteGroup Transaction::State::group() {
  return {*worker->snapshot->plan, *head, match_host(head->host, host), worker->snapshot->limits};
}

bool Transaction::State::needs_keys() const { return route().needs_keys; }

std::optional<Phase> Transaction::State::receive() {
  if (body_plan.codec == BodyCodec::none) return Phase::scan;
  body_unread = true;
  const ReceivedBody received = downstream.receive_body(body_plan.limit);
  if (received.status == BodyStatus::pending) return std::nullopt;
  take_body(received);
  return phase == Phase::receive ? std::optional(Phase::scan) : std::nullopt;
}

// Leaves the phase at receive when the body is there; otherwise the exchange has taken another way.
void Transaction::State::take_body(ReceivedBody received) {
  if (received.status == BodyStatus::complete) {
    body_unread = false;
    body = received.bytes;
    return;
  }
  if (received.status == BodyStatus::gone) {
    abort_exchange();
    return;
  }
  run(refuse({reason_for(received.status), {}}));
}

std::optional<Phase> Transaction::State::scan() {
  if (RouteGroup::is_group(match)) {
    if (auto refusal = choose_of_group()) return refuse(*refusal);
  }
  if (route().mode == policies::RouteMode::pass) return Phase::protect;
  if (auto refusal = settle_body(route(), worker->snapshot->limits, *worker->content_decoder,
                                 buffers.decoded, body_plan, body)) {
    return refuse(*refusal);
  }
  buffers.make_room(head->target.size() + body.size());
  RequestScanner scanner(route(), *head, buffers, *this);
  if (auto refusal = scanner.scan(body_plan, body, *worker->json_scanners)) return refuse(*refusal);
  return Phase::resolve;
}

std::optional<Phase> Transaction::State::resolve() {
  // Nothing more for routes that do not say whose data this is.
  const bool about_somebody = route().subject_slot != policies::kNoSlot;
  std::size_t value_bytes = about_somebody ? known_subject(route(), buffers).size() : 0;
  const bool needs_key = about_somebody && needs_subject_key(route(), buffers);
  bool confirms = false;
  for (const FieldJob& job : buffers.jobs) {
    if (job.treatment == Treatment::mint) value_bytes += job.clear.size();
    confirms = confirms || job.treatment == Treatment::confirm;
  }
  if (value_bytes == 0 && !needs_key && !confirms)
    return Phase::protect;  // nothing to mint: normalised values are never empty
  if (!worker->has_keys()) return refuse({Reason::sealed, {}});  // sealed while the body came in

  batch = std::make_shared<crypto::vault::ResolveBatch>();
  batch->values.reserve(value_bytes);  // growing would leave copies behind that nobody wipes
  if (about_somebody) append_subject_question(*worker->snapshot, route(), buffers, *batch);
  append_questions(*worker->snapshot, buffers, *batch);
  if (worker->vault->answer_known(*batch)) return Phase::protect;
  batch->done = downstream.resume_from_other_thread();
  downstream.set_deadline(worker->snapshot->limits.resolve_ms);
  worker->vault->resolve(batch);
  return std::nullopt;
}

std::optional<Phase> Transaction::State::protect() {
  // Sealed while the body or the vault's answer was awaited: the keys are gone from this worker.
  if (needs_keys() && !worker->has_keys()) return refuse({Reason::sealed, {}});
  RequestProtector protector(route(), *head, peer(), downstream.tls(), buffers);
  forwarded = SteadyClock::now();
  // Set before the call: the exchange answers through the handler, and phases only move forward.
  phase = Phase::forward;
  if (route().mode == policies::RouteMode::pass) {
    outcome = telemetry::Outcome::passed;
    exchange = upstream.exchange(protector.pass(body), *handler);
    return std::nullopt;
  }
  auto made = protector.protect(body_plan, body, worker->tools(), batch.get());
  if (const auto* refusal = std::get_if<Refusal>(&made)) return refuse(*refusal);
  if (!worker->snapshot->keys_available && !list_sealed()) return refuse({Reason::sealed, {}});
  count_fields();
  exchange = upstream.exchange(std::move(std::get<ProtectedRequest>(made)), *handler);
  return std::nullopt;
}

// What is sealed because the vault is, for conversion afterwards. False: the list takes no more.
bool Transaction::State::list_sealed() {
  for (const FieldJob& job : buffers.jobs) {
    if (job.action->action != policies::ActionKind::seal || job.replacement.size() == 0) continue;
    std::string_view value = job.replacement.in(buffers.arena);
    if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
    if (!worker->snapshot->sealed_list->note(id(), route().name, job.action->name, value)) {
      return false;
    }
  }
  return true;
}

void Transaction::State::count_fields() const {
  for (const FieldJob& job : buffers.jobs) worker->counters->fields(job.action->id).add();
}

Phase Transaction::State::refuse(const Refusal& refusal) {
  outcome = reason_status(refusal.reason) >= 500 && refusal.reason != Reason::unsupported_coding &&
                    refusal.reason != Reason::http_version
                ? telemetry::Outcome::failed
                : telemetry::Outcome::refused;
  reason = refusal.reason;
  status = reason_status(refusal.reason);
  // A body that nobody has read stands where the next request would: the connection cannot go on.
  const bool body_expected = head != nullptr && head->framing != BodyFraming::none &&
                             !(head->framing == BodyFraming::length && head->content_length == 0);
  const bool unread = body_expected && (body_unread || body_plan.codec == BodyCodec::none);
  keep_alive = keep_alive && !unread && !reason_closes(refusal.reason);
  ProblemContext context;
  if (match.route != nullptr) context.route = match.route->name;
  context.request_id = id();
  context.wants_html = head != nullptr && prefers_html(*head);
  context.head_request = head != nullptr && head->method == Method::head;
  context.connection = connection_line();
  std::string allow;
  if (refusal.reason == Reason::method && head != nullptr) {
    allow = worker->snapshot->plan->methods_for(match_host(head->host, host), head->path);
    context.allow = allow;
  }
  response_head.clear();
  problem_body.clear();
  write_problem(refusal, context, response_head, problem_body);
  worker->counters->refusals(route_index(), static_cast<std::size_t>(refusal.reason)).add();
  downstream.set_deadline(0);
  response_started = response_complete = true;
  phase = Phase::respond;
  const SendStatus sent = downstream.send(response_head, problem_body, true);
  sent_body_bytes = problem_body.size();
  if (sent == SendStatus::pending) {
    waiting_for_send = true;
    return Phase::respond;
  }
  if (sent == SendStatus::gone) keep_alive = false;
  return Phase::record;
}

// Whether this is about somebody who objected, on a route where that counts.
bool Transaction::State::is_stopped() const {
  return batch->subject && batch->subject->objected && route().stop_objected;
}

// What follows when the vault has said what it knows.
Phase Transaction::State::after_answer() {
  if (auto refusal = refuse_unconfirmed(buffers, *batch)) return refuse(*refusal);
  return is_stopped() ? stop_objected() : Phase::protect;
}

// Refused, or answered as if it had been taken: nothing is sent on either way.
Phase Transaction::State::stop_objected() {
  if (route().on_objection == policies::OnObjection::refuse) return refuse({Reason::objected, {}});
  outcome = telemetry::Outcome::refused;
  reason = Reason::objected;
  status = 204;
  response_head.clear();
  write_no_content(connection_line(), response_head);
  worker->counters->refusals(route_index(), static_cast<std::size_t>(Reason::objected)).add();
  response_started = response_complete = true;
  phase = Phase::respond;
  const SendStatus sent = downstream.send(response_head, {}, true);
  if (sent == SendStatus::pending) {
    waiting_for_send = true;
    return Phase::respond;
  }
  if (sent == SendStatus::gone) keep_alive = false;
  return Phase::record;
}

std::string_view Transaction::State::id() {
  if (!has_request_id) {
    std::array<std::uint8_t, 8> random{};
    worker->random->fill(random);
    constexpr std::string_view kHex = "0123456789abcdef";
    for (std::size_t i = 0; i < random.size(); ++i) {
      request_id[2 * i] = kHex[random[i] >> 4U];
      request_id[2 * i + 1] = kHex[random[i] & 15U];
    }
    has_request_id = true;
  }
  return {request_id.data(), request_id.size()};
}

void Transaction::State::relay(const ResponseHead& response, std::string_view bytes,
                               bool complete) {
  if (complete) exchange = nullptr;
  answered = SteadyClock::now();
  phase = Phase::respond;
  status = response.status;
  response_started = true;
  response_complete = complete;
  const ResponseFraming framing = choose_framing(*head, response, bytes, complete);
  framer.begin(framing);
  if (framing.kind == BodyFraming::close) keep_alive = false;
  response_head.clear();
  write_relayed_head(response, framing, head->method == Method::head, connection_line(),
                     response_head);
  send(bytes, complete);
}

void Transaction::State::relay_more(std::string_view bytes, bool complete) {
  if (complete) exchange = nullptr;
  response_complete = complete;
  response_head.clear();
  send(bytes, complete);
}

// Sends the head that is pending in response_head together with these body bytes in their framing.
void Transaction::State::send(std::string_view bytes, bool last) {
  sent_body_bytes += bytes.size();
  framer.add(bytes, last, response_head);
  after_send(downstream.send(response_head, bytes, last && framer.has_ended()));
}

void Transaction::State::after_send(SendStatus sent) {
  if (sent == SendStatus::pending) {
    waiting_for_send = true;
    return;
  }
  waiting_for_send = false;
  if (sent == SendStatus::gone) {
    abort_exchange();
    return;
  }
  if (!response_complete) {
    if (exchange != nullptr) exchange->resume();
    return;
  }
  // The closing chunk goes in a send of its own, after the data.
  if (!framer.has_ended()) {
    response_head.clear();
    send({}, true);
    return;
  }
  run(Phase::record);
}

// No answer, or the rest of one, can be given: the connection ends so that nobody takes a part for
// a whole.
void Transaction::State::abort_exchange() {
  if (exchange != nullptr) {
    exchange->cancel();
    exchange = nullptr;
  }
  outcome = telemetry::Outcome::aborted;
  keep_alive = false;
  run(Phase::record);
}

std::optional<Phase> Transaction::State::record() {
  telemetry::WorkerCounters& counters = *worker->counters;
  const auto now = SteadyClock::now();
  const std::uint64_t total = microseconds(now - started);
  counters.requests(route_index(), outcome).add();
  counters.request_duration.observe(total);
  if (answered != SteadyClock::time_point()) {
    counters.added_latency.observe(total - microseconds(answered - forwarded));
  }
  if (worker->access_log != nullptr) {
    telemetry::AccessLine line;
    line.request_id = id();
    line.route = match.route != nullptr ? std::string_view(match.route->name) : "-";
    line.method = head != nullptr ? method_name(head->method) : "-";
    line.outcome = telemetry::outcome_name(outcome);
    line.reason = reason ? reason_label(*reason) : "-";
    line.status = status;
    line.request_bytes = body.size();
    line.response_bytes = sent_body_bytes;
    line.duration_us = total;
    worker->access_log->append(line);
  }
  buffers.clear_for_next();
  batch.reset();
  head = nullptr;
  phase = Phase::idle;
  worker.reset();
  downstream.finished(keep_alive);
  return std::nullopt;
}

Transaction::Transaction(Downstream& downstream, Upstream& upstream)
    : state_(std::make_unique<State>(downstream, upstream)) {
  state_->handler = this;
}

Transaction::~Transaction() {
  if (state_->exchange != nullptr) state_->exchange->cancel();
}

void Transaction::start(const RequestHead& head, std::shared_ptr<WorkerState> worker) {
  if (state_->phase != Phase::idle) std::abort();
  state_->begin(&head, std::move(worker));
  state_->run(Phase::select_route);
}

void Transaction::refuse_unread(Reason reason, std::shared_ptr<WorkerState> worker) {
  if (state_->phase != Phase::idle) std::abort();
  state_->begin(nullptr, std::move(worker));
  state_->run(state_->refuse({reason, {}}));
}

void Transaction::refuse_at_door(const RequestHead& head, Reason reason,
                                 std::shared_ptr<WorkerState> worker) {
  if (state_->phase != Phase::idle) std::abort();
  state_->begin(&head, std::move(worker));
  state_->run(state_->refuse({reason, {}}));
}

void Transaction::on_body(ReceivedBody body) {
  if (state_->phase != Phase::receive) return;
  state_->take_body(body);
  if (state_->phase == Phase::receive) state_->run(Phase::scan);
}

void Transaction::on_sent(bool ok) {
  if (state_->phase != Phase::respond || !state_->waiting_for_send) return;
  state_->after_send(ok ? SendStatus::done : SendStatus::gone);
}

void Transaction::on_resolved() {
  if (state_->phase != Phase::resolve || !state_->batch ||
      state_->batch->status == crypto::vault::ResolveStatus::pending) {
    return;
  }
  state_->downstream.set_deadline(0);
  using crypto::vault::ResolveStatus;
  switch (state_->batch->status) {
    case ResolveStatus::ok:
      state_->run(state_->after_answer());
      return;
    case ResolveStatus::sealed:
      state_->run(state_->refuse({Reason::sealed, {}}));
      return;
    case ResolveStatus::overloaded:
      state_->run(state_->refuse({Reason::overloaded, {}}));
      return;
    case ResolveStatus::pending:
    case ResolveStatus::store_unavailable:
      state_->run(state_->refuse({Reason::store_unavailable, {}}));
      return;
  }
}

void Transaction::on_deadline() {
  if (state_->phase != Phase::resolve) return;
  state_->run(state_->refuse({Reason::store_unavailable, {}}));
}

void Transaction::on_client_gone() {
  if (state_->phase == Phase::idle) return;
  state_->abort_exchange();
}

Phase Transaction::phase() const noexcept { return state_->phase; }

void Transaction::on_response(const ResponseHead& head, std::string_view body, bool complete) {
  state_->relay(head, body, complete);
}

void Transaction::on_response_body(std::string_view bytes, bool complete) {
  state_->relay_more(bytes, complete);
}

void Transaction::on_failure(UpstreamFailure failure) {
  state_->exchange = nullptr;
  if (state_->response_started) {
    state_->abort_exchange();
    return;
  }
  Reason reason = Reason::upstream_failed;
  if (failure == UpstreamFailure::timeout) reason = Reason::upstream_timeout;
  if (failure == UpstreamFailure::overloaded) reason = Reason::overloaded;
  state_->run(state_->refuse({reason, {}}));
}

}  // namespace paravent::proxy
