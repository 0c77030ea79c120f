#include "proxy/net/tls/warm_streams.h"

#include "proxy/net/tls/tls_stream.h"

namespace paravent::proxy::net::tls {

void WarmStreams::use(TlsStream& stream) noexcept {
  TlsStream::Warmth& own = stream.warmth_;
  // Within a tick their order says nothing.
  if (own.linked && own.tick == tick_) return;
  if (own.linked) unlink(stream);
  own = {.older = newest_, .newer = nullptr, .tick = tick_, .linked = true};
  (newest_ == nullptr ? oldest_ : newest_->warmth_.newer) = &stream;
  newest_ = &stream;
  if (++size_ > kMost) cool(*oldest_);
}

void WarmStreams::forget(TlsStream& stream) noexcept {
  if (stream.warmth_.linked) unlink(stream);
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
  stream.release_buffers();
}

}  // namespace paravent::proxy::net::tls
