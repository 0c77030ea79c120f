// Doubles for the three neighbours of a Transaction, and one exchange put together from them. They
// keep what they were told; what happens next is what the test says.

#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/pipeline/transaction.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {

class FakeDownstream final : public Downstream {
 public:
  ReceivedBody receive_body(std::size_t limit) override {
    limits.push_back(limit);
    return received;
  }
  ReceivedBody read_body(std::size_t consumed, std::uint64_t limit) override {
    stream_limit = limit;
    window.erase(0, consumed);
    return next_piece();
  }
  // What has come since, or pending.
  ReceivedBody next_piece() {
    if (stream_fault) return {*stream_fault, {}};
    if (pieces.empty()) return {};
    window.append(pieces.front());
    pieces.pop_front();
    return {pieces.empty() && stream_ends ? BodyStatus::complete : BodyStatus::more, window};
  }
  SendStatus send(std::string_view head, std::string_view body, bool last) override {
    if (send_status == SendStatus::gone) return SendStatus::gone;
    sent.append(head).append(body);
    ++sends;
    last_sent = last;
    return send_status;
  }
  void finished(Ending how) override {
    ++finishes;
    ending = how;
    kept_alive = how == Ending::keeps;
  }
  std::function<void()> resume_from_other_thread() override {
    return [this] { ++resumes; };
  }
  void set_deadline(std::uint32_t milliseconds) override { deadline = milliseconds; }
  std::string_view peer_address() const override { return "192.0.2.7"; }
  bool peer_is_trusted() const override { return false; }
  bool has_client_certificate() const override { return client_certificate; }
  bool tls() const override { return false; }

  ReceivedBody received;           // what receive_body answers
  std::deque<std::string> pieces;  // what read_body answers, one after the other
  bool stream_ends = true;         // with the last of them
  std::optional<BodyStatus> stream_fault;
  std::string window;
  std::uint64_t stream_limit = 0;
  SendStatus send_status = SendStatus::done;
  std::vector<std::size_t> limits;
  std::string sent;
  int sends = 0;
  bool last_sent = false;
  int finishes = 0;
  bool kept_alive = false;
  std::optional<Ending> ending;
  std::atomic<int> resumes = 0;  // also from other threads
  bool client_certificate = false;
  std::uint32_t deadline = 0;
};

class FakeUpstream final : public Upstream, public UpstreamExchange {
 public:
  UpstreamExchange* exchange(ProtectedRequest request, UpstreamHandler& to) override {
    handler = &to;
    ++exchanges;
    head.assign(request.head());
    body.clear();
    request.body().for_each_segment([this](std::string_view piece) { body.append(piece); });
    if (request.is_streamed()) take(request.piece());
    return this;
  }
  bool send(const ProtectedPiece& piece) override {
    take(piece);
    return !slow;
  }
  void take(const ProtectedPiece& piece) {
    for (const std::string_view part : piece.parts()) body.append(part);
    ended = piece.last();
    ++pieces;
  }
  void resume() override { ++resumes; }
  void cancel() override { ++cancels; }

  UpstreamHandler* handler = nullptr;
  int exchanges = 0;
  int resumes = 0;
  int cancels = 0;
  int pieces = 0;
  bool ended = false;  // the last piece came
  bool slow = false;   // pieces wait for handler->on_piece_sent
  std::string head;
  std::string body;
};

// Keeps the batches until the test answers them.
class HeldVault final : public crypto::vault::TokenVault {
 public:
  void resolve(std::shared_ptr<crypto::vault::ResolveBatch> batch) override {
    batches.push_back(std::move(batch));
  }
  void answer(crypto::vault::ResolveStatus status) {
    for (auto& job : batches.back()->jobs) job.id.fill(7);
    batches.back()->status = status;
    batches.back()->done();
  }
  std::vector<std::shared_ptr<crypto::vault::ResolveBatch>> batches;
};

// One connection: everything that an exchange touches. `rules`: of the route POST /f.
class Exchange {
 public:
  explicit Exchange(const std::string& policy);

  // Begins an exchange. The body is at hand unless `pending`.
  void start(const std::string& text, bool pending = false);
  // A response head with these lines and framing.
  ResponseHead response(std::uint16_t status, BodyFraming framing, std::uint64_t length = 0) const;

  std::uint64_t requests(telemetry::Outcome outcome, bool routed = true) const;
  std::uint64_t refusals(Reason reason, bool routed = true) const;
  std::uint64_t all_requests() const;
  std::uint64_t fields(const std::string& name) const;
  std::string_view body() const { return request_->body(); }

  FakeDownstream down;
  FakeUpstream up;
  HeldVault vault;
  std::shared_ptr<WorkerState> worker;
  Transaction transaction{down, up};

 private:
  crypto::SystemClock clock_;
  std::unique_ptr<crypto::vault::Vault> keys_;
  std::unique_ptr<ReadRequest> request_;
};

}  // namespace paravent::proxy::testing
