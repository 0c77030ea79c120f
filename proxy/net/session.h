// Session: one client connection. Reads heads and bodies, runs one exchange at a time through its
// Transaction, writes the answers, and enforces the connection's deadlines.
//
// A loop over flags, not a chain of calls: whatever the Transaction or a socket says from within
// another call is noted and acted on when that call has unwound, so that a hundred pipelined
// refusals use one stack frame. Edge-triggered: reads only after the socket said so and stops at a
// short read, so that the steady state has no read that fails. Memory for a head is borrowed while
// there are bytes, a transaction while there is an exchange, none of both while idle. Objects are
// kept by the worker and opened again for another connection. One thread.
//
// Its life and its reading are in session.cc; who may come in in session_entry.cc; one exchange in
// session_exchange.cc, with the request's body in session_body.cc and the answer in
// session_sending.cc.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/body_receiver.h"
#include "proxy/net/door.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/http1/request_parser.h"
#include "proxy/net/ip_range.h"
#include "proxy/net/listener.h"
#include "proxy/net/read_block.h"
#include "proxy/net/socket.h"
#include "proxy/net/tls/tls_stream.h"
#include "proxy/net/transaction_pool.h"
#include "proxy/net/upstream_pool.h"
#include "proxy/pipeline/transaction.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::net {

// What a worker carries requests with at one time: its state and the upstreams of that state's
// plan.
struct Generation {
  std::shared_ptr<WorkerState> state;
  std::vector<std::unique_ptr<UpstreamGroup>> upstreams;  // by plan index
};

class Session;

// The worker as its sessions see it.
class SessionHost {
 public:
  virtual EventLoop& loop() noexcept = 0;
  virtual ReadBlockPool& blocks() noexcept = 0;
  virtual tls::WarmStreams& warm_streams() noexcept = 0;
  virtual TransactionPool& transactions() noexcept = 0;
  virtual UpstreamPool& upstreams() noexcept = 0;
  virtual const std::shared_ptr<const Generation>& generation() const noexcept = 0;
  virtual bool draining() const noexcept = 0;
  virtual Door& door() noexcept = 0;
  // A connection was turned away before it had a request.
  virtual void count_refused(Reason reason) noexcept = 0;
  // The connection is gone and the session may be opened again.
  virtual void on_closed(Session& session) = 0;

 protected:
  ~SessionHost() = default;
};

class Session final : private Downstream,
                      private Upstream,
                      private Watcher,
                      private DeadlineHandler,
                      private Task,
                      private Writer {
 public:
  explicit Session(SessionHost& host);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes over an accepted, non-blocking socket; with `tls`, shakes hands first. False: it was
  // closed, because it cannot be watched, because there is no memory for it, or because its peer
  // may not come in.
  bool open(UniqueFd fd, const IpAddress& peer, const ListenerTraits& traits,
            std::shared_ptr<const tls::ServerContext> tls = nullptr);
  // Ends at once when idle, else after the exchange under way. REQUIRES: the host says draining.
  void drain();
  // Memory is short: ends at once when idle.
  void shed();
  // Ends now, whatever is under way.
  void abort();

 private:
  enum class State : std::uint8_t { closed, preface, handshake, idle, head, exchange, lingering };

  // Downstream.
  ReceivedBody receive_body(std::size_t limit) override;
  ReceivedBody read_body(std::size_t consumed, std::uint64_t limit) override;
  SendStatus send(std::string_view head, std::string_view body, bool last) override;
  void finished(Ending ending) override;
  std::function<void()> resume_from_other_thread() override;
  void set_deadline(std::uint32_t milliseconds) override;
  std::chrono::steady_clock::time_point event_time() const override {
    return loop_.deadlines().refreshed();
  }
  std::string_view peer_address() const override { return {peer_text_.data(), peer_size_}; }
  bool peer_is_trusted() const override { return trusted_; }
  const TrustedProxies* trusted_proxies() const override { return &host_.door(); }
  bool tls() const override { return tls_ != nullptr; }
  bool has_client_certificate() const override { return tls_ && tls_->has_client_certificate(); }
  // Upstream.
  UpstreamExchange* exchange(ProtectedRequest request, UpstreamHandler& handler) override;

  // The loop's calls.
  void on_ready(std::uint32_t events) override;
  void read_ahead(std::uint32_t events) override;
  void on_deadline(DeadlineSlot slot) override;
  void run_task() override;
  void write_now() override;

  // Takes a step that the loop or the worker asks for. Where memory for it runs out, the connection
  // ends and the process goes on.
  template <typename Step>
  void take_step(Step&& step);
  bool enter(const IpAddress& peer, const ListenerTraits& traits,
             std::shared_ptr<const tls::ServerContext> tls);
  void take_events(std::uint32_t events);
  void take_deadline(DeadlineSlot slot);
  void write_answer();

  void run();
  bool advance();
  bool advance_preface();
  bool advance_handshake();
  bool advance_idle();
  bool advance_head();
  bool advance_body();
  bool advance_lingering();
  bool fill();
  IoResult read(std::span<char> into);
  IoResult write(std::span<iovec> parts, bool last_bytes = false);
  void make_room();
  void begin_head();
  void start_exchange();
  bool admit_client(const IpAddress& peer, bool may_tell);
  void begin_stream();
  std::optional<Reason> refused_at_door();
  void refuse_head(Reason reason);
  bool enter_exchange();
  bool goes_on() noexcept;
  void finish_exchange();
  bool ask_for_body();
  void await_body();
  void body_came(BodyStatus status);
  void check_body_pace();
  void watch_write();
  void check_write_progress();
  void flush();
  void on_gone();
  void linger();
  void close();
  const Limits& limits() const noexcept;

  SessionHost& host_;
  EventLoop& loop_;
  DeadlineSlot own_deadline_;
  DeadlineSlot exchange_deadline_;
  std::unique_ptr<Transaction> transaction_;  // from the pool, while an exchange is under way

  State state_ = State::closed;
  UniqueFd fd_;
  std::unique_ptr<tls::TlsStream> tls_;  // null: plain
  std::array<char, 46> peer_text_{};
  std::uint8_t peer_size_ = 0;
  bool trusted_ = false;
  std::optional<ClientLimits::Place> counted_;  // among its client's connections
  IpAddress peer_;
  std::uint32_t requests_ = 0;

  // Reading: block_[begin_, end_) has arrived and is not used up.
  std::unique_ptr<ReadBlock> block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  http1::RequestParser parser_;
  std::optional<IoResult> ahead_;  // a read into the block whose event is still to be told
  bool readable_ = false;
  bool peer_closing_ = false;  // told: the end of the stream, or an error, is to be read
  bool peer_closed_ = false;   // read: nothing more will come

  // The exchange.
  std::shared_ptr<const Generation> generation_;
  RequestHead head_;
  BodyReceiver body_;
  std::uint64_t serial_ = 0;          // tells late answers for an earlier exchange from this one's
  std::uint64_t body_since_ms_ = 0;   // less the time in which nobody asked for it
  std::uint64_t body_paused_ms_ = 0;  // when it was last asked for no more
  bool receiving_ = false;
  bool finished_ = false;
  bool keep_alive_ = false;
  bool broken_ = false;  // what was sent is a part, and must not look whole
  bool gone_ = false;
  bool running_ = false;

  // What a full socket left of the answer, or the whole of a short one until the loop's writes have
  // their turn. Copied: the sender's views may not outlive its call.
  std::string unsent_;
  std::size_t unsent_at_ = 0;
  bool write_waiting_ = false;  // the sender was told that it is done; the exchange is not over
  bool send_pending_ = false;   // the socket is full
  std::size_t queued_ = 0;      // in the kernel's hands when the deadline for progress was set
  std::size_t flushed_ = 0;     // and put there since
};

}  // namespace paravent::proxy::net
