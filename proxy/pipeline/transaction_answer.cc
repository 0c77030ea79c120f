// What a transaction says to its client: refusals, and the upstream's answer as it comes.

#include "crypto/base/out_of_memory.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/transaction_state.h"
#include "proxy/pipeline/vault_question.h"

namespace paravent::proxy {

Phase Transaction::State::refuse(const Refusal& refusal) {
  if (exchange != nullptr) {  // a streamed body's, which thereby never comes to a clean end
    exchange->cancel();
    exchange = nullptr;
  }
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
  note.reset();
  downstream->set_deadline(0);
  response_started = response_complete = true;
  phase = Phase::respond;
  const SendStatus sent = downstream->send(response_head, problem_body, true);
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
  if (body_unread) keep_alive = false;
  response_head.clear();
  write_no_content(connection_line(), response_head);
  worker->counters->refusals(route_index(), static_cast<std::size_t>(Reason::objected)).add();
  response_started = response_complete = true;
  phase = Phase::respond;
  const SendStatus sent = downstream->send(response_head, {}, true);
  if (sent == SendStatus::pending) {
    waiting_for_send = true;
    return Phase::respond;
  }
  if (sent == SendStatus::gone) keep_alive = false;
  return Phase::record;
}

void Transaction::State::relay(const ResponseHead& response, std::string_view bytes,
                               bool complete) {
  if (complete) exchange = nullptr;
  if (body_unread) keep_alive = false;  // an answer before the whole body: no more of it is read
  if (note) {                           // nor is more of it sent, whatever becomes of it
    note.reset();
    downstream->set_deadline(0);
  }
  answered = downstream->event_time();
  phase = Phase::respond;
  status = response.status;
  response_started = true;
  response_complete = complete;
  const ResponseFraming framing = choose_framing(*head, response, bytes, complete);
  framer.begin(framing);
  ends_by_close = framing.kind == BodyFraming::close;
  if (ends_by_close) keep_alive = false;
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
  after_send(downstream->send(response_head, bytes, last && framer.has_ended()));
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

// Memory ran out in the midst of a step: an answer where none has begun, and else none. To end an
// exchange takes no memory.
void Transaction::State::give_up() {
  if (phase == Phase::idle) return;  // it has ended
  const auto refuse_it = [this] { run(refuse({Reason::overloaded, {}})); };
  if (response_started || !crypto::with_memory(refuse_it)) abort_exchange();
}

}  // namespace paravent::proxy
