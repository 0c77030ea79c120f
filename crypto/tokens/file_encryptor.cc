#include "crypto/tokens/file_encryptor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace paravent::crypto {

Status FileEncryptor::begin(ByteView key, std::string_view token, std::string& out) {
  lines_.assign(kFileMagic).append(token).append("\n");
  if (token.empty() || token.find('\n') != std::string_view::npos ||
      lines_.size() > kMaxFileLines) {
    return Error(ErrorKind::usage);
  }
  std::array<std::uint8_t, kStreamHeaderSize> header{};
  auto stream = StreamSealer::start(key, header);
  if (!stream) return stream.error();
  stream_.emplace(std::move(*stream));
  if (held_.empty()) held_ = SecretBytes(kFileChunk);
  held_size_ = 0;
  out.append(lines_).append(as_text(header));
  return {};
}

Status FileEncryptor::seal(std::string_view chunk, StreamPart part, std::string& out) {
  const std::size_t begin = out.size();
  const std::size_t size = chunk.size() + kStreamChunkOverhead;
  out.resize(begin + size);
  return stream_->seal(as_bytes(lines_), as_bytes(chunk), part,
                       MutableBytes(reinterpret_cast<std::uint8_t*>(out.data() + begin), size));
}

Status FileEncryptor::feed(std::string_view content, std::string& out) {
  while (!content.empty()) {
    // A whole chunk need not be held.
    if (held_size_ == 0 && content.size() >= kFileChunk) {
      if (auto s = seal(content.substr(0, kFileChunk), StreamPart::more, out); !s) return s;
      content.remove_prefix(kFileChunk);
      continue;
    }
    const std::size_t size = std::min(content.size(), kFileChunk - held_size_);
    std::memcpy(held_.mutable_bytes().data() + held_size_, content.data(), size);
    held_size_ += size;
    content.remove_prefix(size);
    if (held_size_ < kFileChunk) break;
    held_size_ = 0;
    if (auto s = seal(as_text(held_.bytes()), StreamPart::more, out); !s) return s;
  }
  return {};
}

Status FileEncryptor::end(std::string& out) {
  const std::size_t size = std::exchange(held_size_, 0);
  const Status status = seal(as_text(held_.bytes()).substr(0, size), StreamPart::last, out);
  stream_.reset();
  return status;
}

}  // namespace paravent::crypto
