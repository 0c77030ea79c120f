// UpstreamConnection: one connection to an application and the one exchange that is on it.
//
//   closed -> connecting -> (handshake ->) busy -> idle -> busy ... -> closed
//
// busy sends the request in one gathered write where the socket takes it, reads the answer strictly
// (http1/response_parser.h) and hands it over piece by piece; the next piece is read only after
// resume(). On any doubt the connection is destroyed. A pooled connection that dies before a byte
// of an answer is replaced once by a fresh one, if the request may be repeated (GET and HEAD:
// RFC 9110 9.2.2, RFC 9112 9.3.1) or none of it was written. Where no connection can be made to a
// target, nothing has been sent, and the next target is tried. Owned by the pool; one thread.
//
// Making the connection is in upstream_connecting.cc, the request in upstream_sending.cc, the
// answer in upstream_receiving.cc; how an exchange begins, ends and fails in
// upstream_connection.cc.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/http1/chunked_decoder.h"
#include "proxy/net/http1/response_parser.h"
#include "proxy/net/socket.h"
#include "proxy/net/tls/tls_stream.h"
#include "proxy/net/upstream_pool.h"

namespace paravent::proxy::net {

// Where an exchange begins; a null host: nowhere, every target is out.
struct UpstreamChoice {
  UpstreamGroup* group = nullptr;
  UpstreamHost* host = nullptr;
  std::uint32_t tried = 0;
};

class UpstreamConnection final : public UpstreamExchange,
                                 private Watcher,
                                 private DeadlineHandler,
                                 private Task,
                                 private Writer {
 public:
  explicit UpstreamConnection(UpstreamPool& pool);
  ~UpstreamConnection() override;
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  // closed or idle: begins an exchange. Never calls the handler before returning.
  void start(const UpstreamChoice& choice, ProtectedRequest request, UpstreamHandler& handler,
             const Limits& limits, telemetry::WorkerCounters& counters);
  // idle: false when it is better not to trust it with this request.
  bool fit_for(const ProtectedRequest& request) noexcept;
  // idle: closes it and leaves the pool's list.
  void discard();

  bool send(const ProtectedPiece& piece) override;
  void resume() override;
  void cancel() override;

 private:
  enum class State : std::uint8_t { closed, connecting, handshake, busy, idle };

  // The loop's calls.
  void on_ready(std::uint32_t events) override;
  void read_ahead(std::uint32_t events) override;
  void on_deadline(DeadlineSlot slot) override;
  void run_task() override;
  void write_now() override;

  // Takes a step that the loop asks for. Where memory for it runs out, the exchange is given up,
  // which is no fault of the target's, and the process goes on.
  template <typename Step>
  void take_step(Step&& step);
  void take_events(std::uint32_t events);
  void take_deadline();
  void go_on();

  void attach(UpstreamHost& host) noexcept;
  void detach() noexcept;
  std::uint64_t now_ms() const noexcept { return pool_.loop().deadlines().steady_ms(); }
  void connect_next();
  void next_host();
  void shake_hands();
  bool is_silent() noexcept;
  IoResult read(std::span<char> into);
  IoResult write(std::span<iovec> parts);
  void on_connected(std::uint32_t events);
  void on_idle_event();
  void begin_request();
  void gather_request();
  void write_request();
  bool write_left();
  void piece_sent();
  void begin_answer();
  void read_answer();
  bool make_room();
  void take_bytes();
  bool take_head();
  void take_body();
  std::string_view next_piece(bool& complete, bool& bad);
  std::string_view decode_chunks(bool& complete, bool& bad);
  void deliver(std::string_view piece, bool complete);
  void on_broken(bool clean_end);
  void fail(UpstreamFailure failure);
  void give_up(UpstreamFailure failure);
  void finish();
  void close();
  void release();

  UpstreamPool& pool_;
  DeadlineSlot deadline_;
  State state_ = State::closed;
  UniqueFd fd_;
  std::unique_ptr<tls::TlsStream> tls_;  // null: plain

  // The exchange.
  UpstreamGroup* group_ = nullptr;
  UpstreamHost* host_ = nullptr;
  std::uint64_t moves_ = 0;  // of host_, when this connection was made
  std::uint32_t tried_ = 0;  // targets of the group
  bool attached_ = false;    // counted as under way at host_
  bool tries_ = false;       // its open circuit
  std::optional<ProtectedRequest> request_;
  UpstreamHandler* handler_ = nullptr;
  const Limits* limits_ = nullptr;
  telemetry::WorkerCounters* counters_ = nullptr;
  std::size_t next_address_ = 0;
  std::optional<UpstreamFailure> failure_;  // to be told once the current call has unwound
  bool reused_ = false;
  bool in_handler_ = false;
  bool cancelled_ = false;

  // Sending.
  std::string small_;  // head and body in one piece where both are short
  std::vector<iovec> parts_;
  std::span<iovec> left_;
  bool wrote_ = false;
  bool sending_ = false;
  bool streaming_ = false;   // pieces of the request's body are still to come
  bool piece_sent_ = false;  // to be told once the current call has unwound

  // Receiving.
  std::unique_ptr<ReadBlock> block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  http1::ResponseParser parser_;
  http1::ChunkedDecoder chunks_;
  std::uint64_t body_left_ = 0;
  unsigned interim_ = 0;
  bool has_head_ = false;
  bool head_told_ = false;
  std::optional<IoResult> ahead_;  // a read into the block whose event is still to be told
  bool received_ = false;          // a byte of this exchange's answer
  bool readable_ = false;
  bool peer_closed_ = false;
  bool paused_ = false;
  bool reusable_ = true;
  std::uint64_t idle_since_ms_ = 0;
};

}  // namespace paravent::proxy::net
