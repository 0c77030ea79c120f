// Transaction: the life of one request, a step machine whose cases are the nine phases of
// docs/request-path.md.
//
// Sees no socket: a Downstream on one side, an Upstream on the other, the worker's state in
// between. One object carries one exchange after the other, of any connection, so that its buffers
// keep their capacity: no heap allocation in the steady state. Everything happens on the worker's
// thread. Nothing reaches the upstream unless phase 6 made it; what cannot be read, decoded or
// transformed as the policy says is refused, and so is what there is no memory for. No call throws
// but the constructor.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/pipeline/downstream.h"
#include "proxy/pipeline/refusal.h"
#include "proxy/pipeline/upstream.h"

namespace paravent::proxy {

struct WorkerState;

enum class Phase : std::uint8_t {
  idle,
  select_route,
  admit,
  receive,
  scan,
  resolve,
  protect,
  forward,
  respond,
  record,
};

class Transaction final : public UpstreamHandler {
 public:
  // Both must outlive the exchanges until the next bind().
  Transaction(Downstream& downstream, Upstream& upstream);
  // Between exchanges: the next ones are of another connection. Both must outlive them.
  void bind(Downstream& downstream, Upstream& upstream);
  ~Transaction() override;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Begins an exchange; everything in `head` stays valid until Downstream::finished. `worker` is
  // the state that this whole exchange sees, whatever is published meanwhile.
  void start(const RequestHead& head, std::shared_ptr<WorkerState> worker);

  // Turns the exchange away before a head could be read (framing, limits, deadlines): answers,
  // counts, records. Never needs a head.
  void refuse_unread(Reason reason, std::shared_ptr<WorkerState> worker);
  // The same once `head` has been read, in place of start(): overload, a client's rate.
  void refuse_at_door(const RequestHead& head, Reason reason, std::shared_ptr<WorkerState> worker);

  // Answers to what Downstream said was pending. Of a streamed body on_body comes more than once.
  void on_body(ReceivedBody body);
  void on_sent(bool ok);
  void on_resolved();
  void on_deadline();
  // The client went away: cancels the upstream exchange, no answer is sent, Downstream::finished
  // follows.
  void on_client_gone();

  Phase phase() const noexcept;

  void on_response(const ResponseHead& head, std::string_view body, bool complete) override;
  void on_response_body(std::string_view bytes, bool complete) override;
  void on_piece_sent() override;
  void on_failure(UpstreamFailure failure) override;

 private:
  struct State;
  template <typename Step>
  void take_step(Step&& step);
  std::unique_ptr<State> state_;
};

}  // namespace paravent::proxy
