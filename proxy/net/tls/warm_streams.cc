#include "proxy/net/tls/warm_streams.h"

#include <utility>

#include "proxy/net/tls/tls_stream.h"

namespace paravent::proxy::net::tls {

void WarmStreams::use(TlsStream& stream) noexcept {
  TlsStream::Warmth& own = stream.warmth_;
  // Within a tick their order says nothing.
  if (own.linked && own.tick == tick_) return;
  if (own.linked) {
    unlink(stream);
  } else {
    forget(stream);
    if (stuck_ >= kMost) return;
    stream.keep_buffers();
  }
  own = {.older = newest_, .newer = nullptr, .tick = tick_, .linked = true};
  (newest_ == nullptr ? oldest_ : newest_->warmth_.newer) = &stream;
  newest_ = &stream;
  if (++size_ > kMost) cool(*oldest_);
}

void WarmStreams::forget(TlsStream& stream) noexcept {
  if (stream.warmth_.linked) unlink(stream);
  if (std::exchange(stream.warmth_.stuck, false)) --stuck_;
}

void WarmStreams::end_tick() noexcept {
  while (oldest_ != nullptr && oldest_->warmth_.tick != tick_) cool(*oldest_);
  ++tick_;
}

void WarmStreams::unlink(TlsStream& stream) noexcept {
  TlsStream::Warmth& own = stream.warmth_;
  (own.older == nullptr ? oldest_ : own.older->warmth_.newer) = own.newer;
  (own.newer == nullptr ? newest_ : own.newer->warmth_.older) = own.older;
  own = {};
  --size_;
}

void WarmStreams::cool(TlsStream& stream) noexcept {
  unlink(stream);
  if (stream.release_buffers()) return;
  stream.warmth_.stuck = true;
  ++stuck_;
}

}  // namespace paravent::proxy::net::tls
