// Transaction::State: one exchange under way, and what its phases share. Internal to the
// transaction: transaction.cc has the phases, transaction_streaming.cc what replaces them for a
// streamed body, transaction_answer.cc what is said to the client.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/protected_request.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/response_framing.h"
#include "proxy/pipeline/response_writer.h"
#include "proxy/pipeline/route_group.h"
#include "proxy/pipeline/transaction.h"
#include "proxy/pipeline/upload.h"
#include "proxy/pipeline/worker_state.h"
#include "proxy/telemetry/sealed_list.h"

namespace paravent::proxy {

struct Transaction::State final : public UploadOwner {
  // Of the exchange under way; never null from the first bind() on.
  Downstream* downstream = nullptr;
  Upstream* upstream = nullptr;
  std::shared_ptr<WorkerState> worker;
  const RequestHead* head = nullptr;
  Phase phase = Phase::idle;
  policies::RouteMatch match;
  BodyPlan body_plan;
  std::string_view body;
  ExchangeBuffers buffers;
  std::shared_ptr<crypto::vault::ResolveBatch> batch;
  UpstreamExchange* exchange = nullptr;
  std::unique_ptr<Upload> upload;  // while the body is streamed
  // While what was sealed because the vault is gets on its list, and nothing is answered yet; what
  // is held, of a request that is not streamed.
  std::shared_ptr<telemetry::SealedNote> note;
  std::optional<ProtectedRequest> held;

  // respond
  std::string response_head;
  std::string problem_body;
  ResponseFramer framer;
  std::uint64_t sent_body_bytes = 0;
  bool response_started = false;
  bool response_complete = false;  // the upstream has no more
  bool ends_by_close = false;      // the connection's end is the answer's
  bool waiting_for_send = false;
  bool keep_alive = true;
  bool body_unread = false;

  // record
  std::chrono::steady_clock::time_point started;
  std::chrono::steady_clock::time_point forwarded;
  std::chrono::steady_clock::time_point answered;
  telemetry::Outcome outcome = telemetry::Outcome::forwarded;
  std::optional<Reason> reason;
  std::uint16_t status = 0;
  std::array<char, 16> request_id{};
  bool has_request_id = false;
  std::string host;

  void on_raw(std::uint32_t action_id) override { worker->counters->raw_fields(action_id).add(); }

  const policies::RoutePlan& route() const override { return *match.route; }
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
  std::optional<Phase> stream();
  std::optional<Phase> record();

  enum class Asked : std::uint8_t { nothing, answered, pending, sealed };
  Asked ask_vault(bool about_person);
  void go_on_streaming() {
    if (const auto next = stream()) run(*next);
  }
  bool waits_for_vault() const {
    if (!upload) return phase == Phase::resolve;
    return (phase == Phase::resolve || phase == Phase::forward) && upload->waits_for_vault();
  }
  void answer_upload();
  void tell_upload() {
    if (phase == Phase::resolve) phase = Phase::receive;
    upload->resolved(batch.get());
  }
  void take_bytes(ReceivedBody received);
  void take_body(ReceivedBody received);
  void take_answer();
  std::optional<Refusal> choose_route(std::string_view text,
                                      std::span<const body::MultipartStream::Part> parts,
                                      std::deque<StreamedConditions>& watched) override;
  bool note_sealed();
  bool list_sealed(ProtectedRequest& made);
  void go_on_listed();
  void forward(ProtectedRequest made);
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
    return {downstream->peer_address(), downstream->peer_is_trusted(),
            downstream->trusted_proxies()};
  }

  void relay(const ResponseHead& response, std::string_view bytes, bool complete);
  void relay_more(std::string_view bytes, bool complete);
  void send(std::string_view bytes, bool last);
  void after_send(SendStatus status);
  void abort_exchange();
  void give_up();
  Ending ending() const {
    if (keep_alive) return Ending::keeps;
    const bool cut = ends_by_close && outcome == telemetry::Outcome::aborted;
    return cut ? Ending::breaks : Ending::closes;
  }
  void count_fields() const;

  UpstreamHandler* handler = nullptr;
};

}  // namespace paravent::proxy
