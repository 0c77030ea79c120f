// WarmStreams: which of one thread's TLS streams keep their buffers from one record to the next.
//
// OpenSSL takes a block of 17 KiB to read a record and one to write, and gives them back after each
// record. For a stream that is used again at once that is work for nothing: a wipe and two searches
// of the heap for each small request (docs/decisions/0068). So a stream that was used keeps its own
// two until a whole tick has passed without a use; of many, those that were used last, kMost of
// them. What a record brought is wiped in its block as it is read, and no other stream ever gets a
// block with plaintext in it (certificate.h: harden(), docs/decisions/0069).
//
// A stream in the middle of a record cannot let go, as one can bring about by sending half of one
// or by reading slowly. Where kMost are stuck so, no further stream keeps its buffers.
//
// Owned by whoever runs the thread; outlives the streams. One thread.

#pragma once

#include <cstddef>
#include <cstdint>

namespace paravent::proxy::net::tls {

class TlsStream;

class WarmStreams {
 public:
  static constexpr std::size_t kMost = 128;  // 5 MiB, and 10 for those that are stuck

  WarmStreams() = default;
  WarmStreams(const WarmStreams&) = delete;
  WarmStreams& operator=(const WarmStreams&) = delete;

  // The stream is used now. The one that was used longest ago may have to let go of its buffers.
  void use(TlsStream& stream) noexcept;
  // The stream is going.
  void forget(TlsStream& stream) noexcept;
  // Once for each tick: who was not used since the last one lets go.
  void end_tick() noexcept;

  std::size_t size() const noexcept { return size_; }
  std::size_t stuck() const noexcept { return stuck_; }

 private:
  void unlink(TlsStream& stream) noexcept;
  void cool(TlsStream& stream) noexcept;

  TlsStream* oldest_ = nullptr;
  TlsStream* newest_ = nullptr;
  std::size_t size_ = 0;
  std::size_t stuck_ = 0;
  std::uint32_t tick_ = 1;
};

}  // namespace paravent::proxy::net::tls
