#include "crypto/reveal/file_opener.h"

#include <algorithm>
#include <utility>

#include "crypto/base/encoding.h"

namespace paravent::crypto::reveal {
namespace {

constexpr std::size_t kSealedChunk = kFileChunk + kStreamChunkOverhead;

}  // namespace

Result<FileHead> read_file_head(std::string_view first) {
  if (!first.starts_with(kFileMagic)) return Error(ErrorKind::malformed);
  const std::size_t end = first.substr(0, kMaxFileLines).find('\n', kFileMagic.size());
  if (end == std::string_view::npos || end == kFileMagic.size() ||
      first.size() < end + 1 + kStreamHeaderSize) {
    return Error(ErrorKind::malformed);
  }
  FileHead head;
  head.token = first.substr(kFileMagic.size(), end - kFileMagic.size());
  head.size = end + 1 + kStreamHeaderSize;
  return head;
}

Result<FileOpener> FileOpener::start(std::string_view key, std::string_view first) {
  const auto head = read_file_head(first);
  if (!head) return head.error();
  auto bytes = from_hex(key);
  if (!bytes) return Error(ErrorKind::malformed);
  const std::size_t lines = head->size - kStreamHeaderSize;
  auto stream = StreamOpener::start(*bytes, as_bytes(first.substr(lines, kStreamHeaderSize)));
  wipe(*bytes);
  if (!stream) return Error(ErrorKind::malformed);
  return FileOpener(std::move(*stream), std::string(first.substr(0, lines)));
}

Status FileOpener::open(std::string_view chunk, StreamPart expected, std::string& out) {
  if (chunk.size() < kStreamChunkOverhead) return Error(ErrorKind::malformed);
  const std::size_t begin = out.size();
  const std::size_t size = chunk.size() - kStreamChunkOverhead;
  out.resize(begin + size);
  const auto part =
      stream_.open(as_bytes(lines_), as_bytes(chunk),
                   MutableBytes(reinterpret_cast<std::uint8_t*>(out.data() + begin), size));
  if (part && *part == expected) return {};
  out.resize(begin);
  return Error(ErrorKind::malformed);
}

Status FileOpener::feed(std::string_view sealed, std::string& out) {
  held_.append(sealed);
  std::size_t at = 0;
  // A whole chunk is never the last: that one is shorter.
  while (held_.size() - at >= kSealedChunk) {
    if (auto s = open(std::string_view(held_).substr(at, kSealedChunk), StreamPart::more, out);
        !s) {
      return s;
    }
    at += kSealedChunk;
  }
  held_.erase(0, at);
  return {};
}

Status FileOpener::end(std::string& out) {
  const std::string last = std::exchange(held_, {});
  return open(last, StreamPart::last, out);
}

}  // namespace paravent::crypto::reveal
