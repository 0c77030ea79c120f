// FileEncryptor: one file on its way into the format of file_format.h, piece by piece. It encrypts
// and cannot do the inverse (crypto/reveal/file_opener.h).
//
// Holds at most one chunk of the content. One file each; one thread.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/file_format.h"

namespace paravent::crypto {

class FileEncryptor {
 public:
  // Begins a file: appends what stands in front of the chunks. `token` stands for `key`.
  // ErrorKind::usage: a key of another size, a token that does not fit.
  Status begin(ByteView key, std::string_view token, std::string& out);
  // Takes the next bytes of the content and appends the chunks that they fill.
  Status feed(std::string_view content, std::string& out);
  // Bytes taken that no chunk holds yet.
  std::size_t pending() const noexcept { return held_size_; }
  // The content is over: appends the last chunk.
  Status end(std::string& out);

 private:
  Status seal(std::string_view chunk, StreamPart part, std::string& out);

  std::optional<StreamSealer> stream_;
  std::string lines_;
  SecretBytes held_;  // one chunk
  std::size_t held_size_ = 0;
};

}  // namespace paravent::crypto
