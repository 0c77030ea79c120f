// FileOpener: an encrypted file (crypto/tokens/file_format.h) opened piece by piece by whoever has
// its key. What stands in front of the chunks is read first; its token tells whom to ask for the
// key.
//
// Nothing that comes out may be trusted before end() says so: a file can be cut off between two
// chunks. Whatever does not open is ErrorKind::malformed without a sentence. One thread.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/file_format.h"

namespace paravent::crypto::reveal {

// What stands in front of the chunks.
struct FileHead {
  std::string token;
  std::size_t size = 0;  // bytes, up to the first chunk
};

// From the first bytes of a file, kMaxFileLines + kStreamHeaderSize of them or all there are.
Result<FileHead> read_file_head(std::string_view first);

class FileOpener {
 public:
  // `key` is the value that the head's token stands for: its hexadecimal text. `first`: as above.
  static Result<FileOpener> start(std::string_view key, std::string_view first);

  // Takes bytes behind the head and appends what they open to.
  Status feed(std::string_view sealed, std::string& out);
  // No more bytes follow: appends the rest. Fails unless the last chunk was there.
  Status end(std::string& out);

 private:
  FileOpener(StreamOpener stream, std::string lines)
      : stream_(std::move(stream)), lines_(std::move(lines)) {}

  Status open(std::string_view chunk, StreamPart expected, std::string& out);

  StreamOpener stream_;
  std::string lines_;
  std::string held_;
};

}  // namespace paravent::crypto::reveal
