// How the body of a relayed answer is framed for the client, whatever framing the upstream used:
// the choice once the head is known, and the lines of chunks as the bytes come.
//
// One object per Transaction, reused; one thread; no allocation once `head` has its capacity.

#pragma once

#include <string>
#include <string_view>

#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/response_writer.h"

namespace paravent::proxy {

// `first` is what came of the body with the head, all of it when `complete`.
ResponseFraming choose_framing(const RequestHead& request, const ResponseHead& response,
                               std::string_view first, bool complete);

class ResponseFramer {
 public:
  void begin(ResponseFraming framing) noexcept {
    chunked_ = framing.kind == BodyFraming::chunked;
    chunk_open_ = false;
    ended_ = !chunked_;
  }

  // Appends to `head`, which goes out in front of `bytes`, what their framing needs there. The
  // closing chunk is written only without bytes: whoever adds the last ones calls once more, with
  // none, when has_ended() is false.
  void add(std::string_view bytes, bool last, std::string& head);

  // Whether everything that ends the body in its framing was written.
  bool has_ended() const noexcept { return ended_; }

 private:
  bool chunked_ = false;
  bool chunk_open_ = false;  // the line break behind the last chunk's data is still owed
  bool ended_ = true;
};

}  // namespace paravent::proxy
