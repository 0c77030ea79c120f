// Upstream: the application's side, as the Transaction sees it. Takes nothing but a
// ProtectedRequest. Implemented by the per-worker pool in proxy/net (and by doubles in tests); one
// worker's thread only.

#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/protected_request.h"

namespace paravent::proxy {

enum class UpstreamFailure : std::uint8_t {
  unreachable,  // no connection, or it broke before an answer: 502
  bad_answer,   // framing, limits or syntax of the answer: 502
  timeout,      // 504
  overloaded,   // as many requests are under way there as may be: 503
};

// Receives one exchange's answer. Interim (1xx) answers never reach it.
class UpstreamHandler {
 public:
  virtual ~UpstreamHandler() = default;
  // Views stay valid until UpstreamExchange::resume or the end of the call that reports `complete`.
  // The body bytes are decoded from their framing. complete: nothing follows, the handle is dead.
  virtual void on_response(const ResponseHead& head, std::string_view body, bool complete) = 0;
  virtual void on_response_body(std::string_view bytes, bool complete) = 0;
  // Of a streamed request: the piece last given has been taken, and what it borrowed is free again.
  virtual void on_piece_sent() {}
  // Nothing follows, the handle is dead. May come before or in the middle of the answer.
  virtual void on_failure(UpstreamFailure failure) = 0;
};

// An exchange under way. Owned by the pool; the handle dies with complete, on_failure or cancel.
class UpstreamExchange {
 public:
  virtual ~UpstreamExchange() = default;
  // Of a streamed request, after on_piece_sent or `true`: the next piece of its body. True: it has
  // been taken; false: on_piece_sent follows. Never calls the handler before returning. After the
  // answer's head nothing more is to be sent.
  virtual bool send(const ProtectedPiece& piece) = 0;
  // The bytes last handed over have been taken; send more. Never calls the handler before
  // returning.
  virtual void resume() = 0;
  // The client is gone: destroys the connection, no further callback.
  virtual void cancel() = 0;
};

class Upstream {
 public:
  virtual ~Upstream() = default;
  // Sends the request and answers through `handler`, which must stay until the handle is dead; so
  // must all that the request borrows. Never calls the handler before returning.
  virtual UpstreamExchange* exchange(ProtectedRequest request, UpstreamHandler& handler) = 0;
};

}  // namespace paravent::proxy
