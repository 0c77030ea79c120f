// Downstream: the client's side of one exchange, as the Transaction sees it. One per HTTP/1.1
// exchange now, one per HTTP/2 stream later. Implemented by proxy/net (and by doubles in tests);
// used on the worker's thread only. The Transaction lives inside the implementation and never
// outlives it.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "proxy/pipeline/client_chain.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

// How the receiving of a body ended. Everything but `complete` and `pending` is a refusal.
// `more` and `complete` say of a streamed body that there are bytes, and whether they are the rest.
enum class BodyStatus : std::uint8_t { complete, more, pending, too_large, framing, timeout, gone };

struct ReceivedBody {
  BodyStatus status = BodyStatus::pending;
  // complete: the decoded body, valid until the exchange ends. Of a streamed body (more, complete):
  // what has come and is not consumed, valid until the next read_body.
  std::string_view bytes;
};

enum class SendStatus : std::uint8_t { done, pending, gone };

// What becomes of the connection behind an exchange.
enum class Ending : std::uint8_t {
  keeps,   // it has another exchange
  closes,  // after what was sent, lingering, so that the client can read it
  breaks,  // now, by a reset: its end would say that the answer is whole, and it is not
};

// REQUIRES: the status is a refusal.
inline Reason reason_of(BodyStatus status) noexcept {
  switch (status) {
    case BodyStatus::too_large:
      return Reason::too_large;
    case BodyStatus::timeout:
      return Reason::timeout;
    default:
      return Reason::framing;
  }
}

class Downstream {
 public:
  virtual ~Downstream() = default;

  // Receives the whole body, at most `limit` bytes once decoded; sends 100 Continue first where the
  // head asks for it. pending: Transaction::on_body follows.
  virtual ReceivedBody receive_body(std::size_t limit) = 0;

  // In place of receive_body, for a body that is not to be held: takes `consumed` bytes off what
  // the last call or on_body gave, and asks for more behind the rest. Memory: kBodyWindow, whatever
  // the body. Not more than `limit` bytes in all. pending: Transaction::on_body follows, once;
  // nothing is read from the client before the next call.
  virtual ReceivedBody read_body(std::size_t consumed, std::uint64_t limit) = 0;

  // Sends bytes of the response; what cannot leave at once is copied, so both views need only stay
  // for the call. `last` ends the exchange's response; done may then mean that it is as good as
  // sent: the connection ends the exchange and goes on only when it has left. One send at a time.
  // pending: Transaction::on_sent follows.
  virtual SendStatus send(std::string_view head, std::string_view body, bool last) = 0;

  // The exchange is over and the Transaction idle. May be called from within any Transaction call.
  virtual void finished(Ending ending) = 0;

  // A callable for another thread: posts to this worker and, if the exchange still exists, calls
  // Transaction::on_resolved.
  virtual std::function<void()> resume_from_other_thread() = 0;

  // Transaction::on_deadline is called after so many milliseconds unless cleared by 0.
  virtual void set_deadline(std::uint32_t milliseconds) = 0;

  // When the events under way were fetched: when a request came, or its answer, without asking the
  // clock for each of those that came together.
  virtual std::chrono::steady_clock::time_point event_time() const {
    return std::chrono::steady_clock::now();
  }

  // The peer's socket address in text, without port ("192.0.2.1", "2001:db8::1"); and whether it is
  // one of the trusted proxies; and whether the client spoke TLS to us.
  virtual std::string_view peer_address() const = 0;
  virtual bool peer_is_trusted() const = 0;
  // Which of the addresses that a trusted peer names are proxies too; null: none.
  virtual const TrustedProxies* trusted_proxies() const { return nullptr; }
  virtual bool tls() const = 0;
  // Whether the client has shown a certificate that its listener's authority issued.
  virtual bool has_client_certificate() const = 0;
};

}  // namespace paravent::proxy
