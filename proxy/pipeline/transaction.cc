#include "proxy/pipeline/transaction.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>
#include <variant>

#include "crypto/base/encoding.h"
#include "crypto/base/out_of_memory.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/request_id.h"
#include "proxy/pipeline/request_protector.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/response_framing.h"
#include "proxy/pipeline/response_writer.h"
#include "proxy/pipeline/route_group.h"
#include "proxy/pipeline/settle_body.h"
#include "proxy/pipeline/transaction_state.h"
#include "proxy/pipeline/upload.h"
#include "proxy/pipeline/vault_question.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy {

namespace {

using policies::RouteMode;
using SteadyClock = std::chrono::steady_clock;

std::uint64_t microseconds(SteadyClock::duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

void Transaction::State::begin(const RequestHead* request, std::shared_ptr<WorkerState> state) {
  phase = Phase::select_route;  // from here on until record() there is an exchange to be ended
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
  ends_by_close = waiting_for_send = false;
  body_unread = false;
  keep_alive = request != nullptr && request->keep_alive;
  started = downstream->event_time();
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
  if (route().client_certificate && !downstream->has_client_certificate()) {
    return Refusal{Reason::client_certificate, {}};
  }
  if (!worker->snapshot->keys_available && route().needs_keys) {
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

std::optional<Phase> Transaction::State::receive() {
  if (body_plan.codec == BodyCodec::none) return Phase::scan;
  body_unread = true;
  if (body_plan.codec == BodyCodec::upload) {
    upload = std::make_unique<Upload>(*this, RouteGroup::is_group(match), *head, body_plan, peer(),
                                      buffers, *worker, *downstream);
    return stream();
  }
  const ReceivedBody received = downstream->receive_body(body_plan.limit);
  if (received.status == BodyStatus::pending) return std::nullopt;
  take_body(received);
  return phase == Phase::receive ? std::optional(Phase::scan) : std::nullopt;
}

void Transaction::State::take_bytes(ReceivedBody received) {
  if (upload) {
    if (phase != Phase::receive && phase != Phase::forward) return;  // answered
    upload->on_body(received);
    go_on_streaming();
    return;
  }
  if (phase != Phase::receive) return;
  take_body(received);
  if (phase == Phase::receive) run(Phase::scan);
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
  run(refuse({reason_of(received.status), {}}));
}

std::optional<Phase> Transaction::State::scan() {
  if (RouteGroup::is_group(match)) {
    if (auto refusal = choose_of_group()) return refuse(*refusal);
  }
  if (route().mode == RouteMode::pass) return Phase::protect;
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
  switch (ask_vault(true)) {
    case Asked::pending:
      return std::nullopt;
    case Asked::sealed:
      return refuse({Reason::sealed, {}});
    case Asked::nothing:
    case Asked::answered:
      break;
  }
  return Phase::protect;
}

// `about_person`: also whose request this is, where the route wants to know.
Transaction::State::Asked Transaction::State::ask_vault(bool about_person) {
  batch = questions_of(*worker->snapshot, route(), about_person, buffers);
  if (!batch) return Asked::nothing;
  if (!worker->has_keys()) return Asked::sealed;  // sealed while the body came in
  if (worker->vault->answer_known(*batch)) return Asked::answered;
  batch->done = downstream->resume_from_other_thread();
  downstream->set_deadline(worker->snapshot->limits.resolve_ms);
  worker->vault->resolve(batch);
  return Asked::pending;
}

std::optional<Phase> Transaction::State::protect() {
  // Sealed while the body or the vault's answer was awaited: the keys are gone from this worker.
  if (route().needs_keys && !worker->has_keys()) return refuse({Reason::sealed, {}});
  RequestProtector protector(route(), *head, peer(), downstream->tls(), buffers);
  if (route().mode == RouteMode::pass) {
    forwarded = SteadyClock::now();
    phase = Phase::forward;
    outcome = telemetry::Outcome::passed;
    exchange = upstream->exchange(protector.pass(body), *handler);
    return std::nullopt;
  }
  auto made = protector.protect(body_plan, body, worker->tools(), batch.get());
  if (const auto* refusal = std::get_if<Refusal>(&made)) return refuse(*refusal);
  ProtectedRequest& request = std::get<ProtectedRequest>(made);
  if (!worker->snapshot->keys_available) {
    if (!list_sealed(request)) return refuse({Reason::sealed, {}});
    if (note) return std::nullopt;
  }
  forward(std::move(request));
  return std::nullopt;
}

// What the vault, or the list of what is sealed, has answered.
void Transaction::State::take_answer() {
  using crypto::vault::ResolveStatus;
  if (note) {
    go_on_listed();
    return;
  }
  if (!waits_for_vault() || !batch || batch->status == ResolveStatus::pending) return;
  downstream->set_deadline(0);
  switch (batch->status) {
    case ResolveStatus::ok:
      if (upload) {
        answer_upload();
        return;
      }
      run(after_answer());
      return;
    case ResolveStatus::sealed:
      run(refuse({Reason::sealed, {}}));
      return;
    case ResolveStatus::overloaded:
      run(refuse({Reason::overloaded, {}}));
      return;
    case ResolveStatus::pending:
    case ResolveStatus::store_unavailable:
      run(refuse({Reason::store_unavailable, {}}));
      return;
  }
}

void Transaction::State::forward(ProtectedRequest made) {
  count_fields();
  forwarded = SteadyClock::now();
  // Set before the call: the exchange answers through the handler, and phases only move forward.
  phase = Phase::forward;
  exchange = upstream->exchange(std::move(made), *handler);
}

// What is sealed because the vault is, for conversion afterwards: on the disk before the request,
// or the piece of an upload, goes on. False: the list takes no more. With a note it is waited for.
bool Transaction::State::note_sealed() {
  auto lines = std::make_shared<telemetry::SealedNote>();
  for (const FieldJob& job : buffers.jobs) {
    if (job.action->action != policies::ActionKind::seal || job.replacement.size() == 0) continue;
    std::string_view value = job.replacement.in(buffers.arena);
    if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
    lines->add(id(), route().name, job.action->name, value);
  }
  if (lines->count == 0) return true;
  lines->done = downstream->resume_from_other_thread();
  note = lines;
  downstream->set_deadline(worker->snapshot->limits.resolve_ms);
  if (worker->snapshot->sealed_list->keep(std::move(lines))) return true;
  note.reset();
  downstream->set_deadline(0);
  return false;
}

bool Transaction::State::list_sealed(ProtectedRequest& made) {
  if (!note_sealed()) return false;
  if (!note) return true;
  held.emplace(std::move(made));
  phase = Phase::protect;
  return true;
}

void Transaction::State::go_on_listed() {
  using Status = telemetry::SealedNote::Status;
  const Status became = note->status;
  if (became == Status::pending) return;
  downstream->set_deadline(0);
  note.reset();
  if (upload) {
    if (became != Status::kept) {
      run(refuse({Reason::sealed, {}}));
      return;
    }
    upload->listed();
    go_on_streaming();
    return;
  }
  ProtectedRequest request = std::move(*held);
  held.reset();
  if (became == Status::kept) {
    forward(std::move(request));
  } else {
    run(refuse({Reason::sealed, {}}));
  }
}

void Transaction::State::count_fields() const {
  for (const FieldJob& job : buffers.jobs) worker->counters->fields(job.action->id).add();
}

std::string_view Transaction::State::id() {
  if (!has_request_id) request_id = new_request_id(*worker->random);
  has_request_id = true;
  return {request_id.data(), request_id.size()};
}

std::optional<Phase> Transaction::State::record() {
  telemetry::WorkerCounters& counters = *worker->counters;
  const auto now = SteadyClock::now();
  const std::uint64_t total = microseconds(now - started);
  counters.requests(route_index(), outcome).add();
  counters.request_duration.observe(total);
  if (answered != SteadyClock::time_point()) {
    // What an application says before it is asked has come before.
    const auto waited = std::max(answered - forwarded, SteadyClock::duration::zero());
    counters.added_latency.observe(total - microseconds(waited));
  }
  if (worker->access_log != nullptr) {
    telemetry::AccessLine line;
    line.request_id = id();
    line.route = match.route != nullptr ? std::string_view(match.route->name) : "-";
    line.method = head != nullptr ? method_name(head->method) : "-";
    line.outcome = telemetry::outcome_name(outcome);
    line.reason = reason ? reason_label(*reason) : "-";
    line.status = status;
    line.request_bytes = upload ? upload->bytes() : body.size();
    line.response_bytes = sent_body_bytes;
    line.duration_us = total;
    worker->access_log->append(line);
  }
  upload.reset();
  note.reset();
  held.reset();
  buffers.clear_for_next();
  batch.reset();
  head = nullptr;
  phase = Phase::idle;
  worker.reset();
  downstream->finished(ending());
  return std::nullopt;
}

Transaction::Transaction(Downstream& downstream, Upstream& upstream)
    : state_(std::make_unique<State>()) {
  state_->handler = this;
  bind(downstream, upstream);
}

void Transaction::bind(Downstream& downstream, Upstream& upstream) {
  if (state_->phase != Phase::idle) std::abort();
  state_->downstream = &downstream;
  state_->upstream = &upstream;
}

Transaction::~Transaction() {
  if (state_->exchange != nullptr) state_->exchange->cancel();
}

// Takes what one call asks for. Where memory for it runs out, the exchange is given up.
template <typename Step>
void Transaction::take_step(Step&& step) {
  if (!crypto::with_memory(step)) state_->give_up();
}

void Transaction::start(const RequestHead& head, std::shared_ptr<WorkerState> worker) {
  if (state_->phase != Phase::idle) std::abort();
  state_->begin(&head, std::move(worker));
  take_step([this] { state_->run(Phase::select_route); });
}

void Transaction::refuse_unread(Reason reason, std::shared_ptr<WorkerState> worker) {
  if (state_->phase != Phase::idle) std::abort();
  state_->begin(nullptr, std::move(worker));
  take_step([&] { state_->run(state_->refuse({reason, {}})); });
}

void Transaction::refuse_at_door(const RequestHead& head, Reason reason,
                                 std::shared_ptr<WorkerState> worker) {
  if (state_->phase != Phase::idle) std::abort();
  state_->begin(&head, std::move(worker));
  take_step([&] { state_->run(state_->refuse({reason, {}})); });
}

void Transaction::on_body(ReceivedBody body) {
  take_step([&] { state_->take_bytes(body); });
}

void Transaction::on_sent(bool ok) {
  if (state_->phase != Phase::respond || !state_->waiting_for_send) return;
  take_step([&] { state_->after_send(ok ? SendStatus::done : SendStatus::gone); });
}

void Transaction::on_resolved() {
  take_step([this] { state_->take_answer(); });
}

void Transaction::on_deadline() {
  if (!state_->note && !state_->waits_for_vault()) return;
  state_->note.reset();
  state_->held.reset();
  take_step([this] { state_->run(state_->refuse({Reason::store_unavailable, {}})); });
}

void Transaction::on_client_gone() {
  if (state_->phase == Phase::idle) return;
  state_->abort_exchange();
}

Phase Transaction::phase() const noexcept { return state_->phase; }

void Transaction::on_response(const ResponseHead& head, std::string_view body, bool complete) {
  take_step([&] { state_->relay(head, body, complete); });
}

void Transaction::on_response_body(std::string_view bytes, bool complete) {
  take_step([&] { state_->relay_more(bytes, complete); });
}

void Transaction::on_piece_sent() {
  if (!state_->upload || state_->phase != Phase::forward) return;
  take_step([this] {
    state_->upload->on_sent();
    state_->go_on_streaming();
  });
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
  // Not give_up(): the request may have been acted on, and 503 would say that it can be repeated.
  if (!crypto::with_memory([&] { state_->run(state_->refuse({reason, {}})); })) {
    state_->abort_exchange();
  }
}

}  // namespace paravent::proxy
