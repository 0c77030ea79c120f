#include "proxy/body/multipart_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "proxy/body/find_stop.h"
#include "proxy/body/multipart_line.h"

namespace paravent::proxy::body {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kDashes = "--";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

using Event = MultipartStream::Event;

Event event_of(ScanStatus status) noexcept {
  switch (status) {
    case ScanStatus::too_large:
      return Event::too_large;
    case ScanStatus::unsupported:
      return Event::unsupported;
    case ScanStatus::ok:
    case ScanStatus::stopped:
    case ScanStatus::malformed:
      break;
  }
  return Event::malformed;
}

Span span_in(std::string_view text, std::string_view part) noexcept {
  if (part.empty()) return {};
  return span_of(text.data(), part.data(), part.data() + part.size());
}

std::string_view without_line_end(std::string_view text) noexcept {
  if (text.starts_with(kCrlf)) return text.substr(2);
  return text.substr(1);
}

}  // namespace

void MultipartStream::begin(std::string_view boundary, const MultipartLimits& limits,
                            std::size_t field_bytes) {
  limits_ = limits;
  dash_boundary_.assign(kDashes).append(boundary);
  finder_.reset();
  text_.clear();
  content_ = {};
  state_ = State::first;
  at_ = searched_ = begin_ = parts_ = 0;
  fields_left_ = field_bytes;
}

void MultipartStream::wipe() noexcept {
  for (std::string* text : {&text_, &last_text_}) {
    crypto::wipe(crypto::MutableBytes(reinterpret_cast<std::uint8_t*>(text->data()), text->size()));
    text->clear();
  }
}

Event MultipartStream::stop(Event event) noexcept {
  state_ = State::over;
  stopped_ = event;
  return event;
}

Event MultipartStream::next(std::string_view& in, bool at_end) {
  if (state_ == State::over) return stopped_;
  if (state_ == State::content) return next_content(in, at_end);
  return next_text(in, at_end);
}

// Line by line, so that a text never holds a byte of the content behind it.
Event MultipartStream::next_text(std::string_view& in, bool at_end) {
  for (;;) {
    const Event event = parse(at_end && in.empty());
    if (event != Event::need_more || in.empty()) return event;
    if (!take_line(in)) return stop(Event::too_large);
  }
}

bool MultipartStream::take_line(std::string_view& in) {
  if (fields_left_ == 0) return false;
  const std::size_t line = std::min({in.find('\n'), in.size() - 1, fields_left_ - 1}) + 1;
  fields_left_ -= line;
  text_.append(in.substr(0, line));
  in.remove_prefix(line);
  return true;
}

Event MultipartStream::parse(bool at_end) {
  switch (state_) {
    case State::first: {
      const std::string_view begins(text_);
      if (begins.size() < dash_boundary_.size() && !at_end &&
          std::string_view(dash_boundary_).starts_with(begins)) {
        return Event::need_more;
      }
      if (!begins.starts_with(dash_boundary_)) return stop(Event::malformed);
      state_ = State::delimiter;
      return parse_delimiter(at_end);
    }
    case State::delimiter:
    case State::trailer:
      return parse_delimiter(at_end);
    case State::head:
      return parse_head(at_end);
    case State::value:
      return parse_value(at_end);
    case State::content:
    case State::over:
      break;
  }
  return stopped_;
}

// `at_` is where a delimiter begins, boundary and all.
Event MultipartStream::parse_delimiter(bool at_end) {
  const std::string_view behind = std::string_view(text_).substr(at_ + dash_boundary_.size());
  if (behind.starts_with(kDashes)) {
    state_ = State::trailer;
    const std::string_view trailer = behind.substr(kDashes.size());
    if (!kCrlf.starts_with(trailer)) return stop(Event::malformed);
    if (!at_end) return Event::need_more;
    return stop(trailer.empty() || trailer == kCrlf ? Event::end : Event::malformed);
  }
  if (!behind.starts_with(kCrlf)) {
    const bool undecided = behind.empty() || behind == "-" || behind == "\r";
    return undecided && !at_end ? Event::need_more : stop(Event::malformed);
  }
  if (parts_++ == limits_.parts) return stop(Event::too_large);
  begin_ = at_;
  at_ += dash_boundary_.size() + kCrlf.size();
  searched_ = at_ - kCrlf.size();  // an empty head ends with the delimiter's own line
  state_ = State::head;
  return parse_head(at_end);
}

Event MultipartStream::parse_head(bool at_end) {
  const std::string_view text(text_);
  const bool ended = text.find(kHeadEnd, searched_) != std::string_view::npos;
  if (!ended && !at_end && text.size() - at_ <= limits_.part_head_bytes + kHeadEnd.size()) {
    searched_ = std::max(searched_, text.size() - std::min(text.size(), kHeadEnd.size() - 1));
    return Event::need_more;
  }
  head_ = PartHead{};
  const ScanStatus status = read_part_head(text.substr(at_), limits_, head_);
  if (status != ScanStatus::ok) return stop(event_of(status));
  part_ = Part{};
  part_.name = span_in(text, head_.name);
  part_.content_type = span_in(text, head_.content_type);
  part_.field.file_name = span_in(text, head_.file_name);
  at_ += head_.size;
  searched_ = at_;
  if (!head_.has_filename || head_.empty_filename) {
    state_ = State::value;
    return parse_value(at_end);
  }
  const auto content = static_cast<std::uint32_t>(at_);
  part_.field.value = {content, content};
  part_.field.whole = {static_cast<std::uint32_t>(begin_), content};
  part_.field.is_file = true;
  state_ = State::content;
  if (!finder_) finder_ = std::make_unique<BoundaryFinder>(dash_boundary_);
  content_begins_ = true;
  content_bytes_ = 0;
  return Event::file;
}

Event MultipartStream::parse_value(bool at_end) {
  const std::string_view text(text_);
  const std::size_t next = find_at_line_start(text, searched_, dash_boundary_);
  if (next == std::string_view::npos) {
    if (at_end) return stop(Event::malformed);
    const std::size_t tail = std::min(text.size(), dash_boundary_.size() - 1);
    searched_ = std::max(searched_, text.size() - tail);
    return Event::need_more;
  }
  if (next < at_ + kCrlf.size() || text.substr(next - kCrlf.size(), kCrlf.size()) != kCrlf) {
    return stop(Event::malformed);
  }
  const std::size_t end = next - kCrlf.size();
  if (head_.content_length && *head_.content_length != end - at_) return stop(Event::malformed);
  part_.field.value = {static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(end)};
  part_.field.whole = {static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(end)};
  part_.field.is_file = head_.has_filename && end > at_;
  at_ = next;
  state_ = State::delimiter;
  return Event::field;
}

// How many bytes at the end of `in` may be the beginning of a delimiter, with the line end in front
// of it.
std::size_t MultipartStream::held(std::string_view in) const noexcept {
  const std::string_view dash_boundary(dash_boundary_);
  if (content_begins_ && dash_boundary.starts_with(in)) return in.size();
  const std::size_t most = std::min(in.size(), dash_boundary.size() + 1);
  for (std::string_view tail = in.substr(in.size() - most); !tail.empty(); tail.remove_prefix(1)) {
    if (tail.front() != '\r' && tail.front() != '\n') continue;
    if (dash_boundary.starts_with(without_line_end(tail))) return tail.size();
  }
  return 0;
}

Event MultipartStream::next_content(std::string_view& in, bool at_end) {
  std::size_t size = std::string_view::npos;
  for (std::size_t from = 0; size == std::string_view::npos;) {
    const std::size_t at = finder_->find(in, from);
    if (at == std::string_view::npos) {
      size = in.size() - held(in);
      break;
    }
    const bool at_line_start = at == 0 ? content_begins_ : in[at - 1] == '\n' || in[at - 1] == '\r';
    if (!at_line_start) {
      from = at + dash_boundary_.size();
      continue;
    }
    // The CRLF in front of a delimiter belongs to it (RFC 2046 5.1.1).
    if (at < kCrlf.size() || in.substr(at - kCrlf.size(), kCrlf.size()) != kCrlf) {
      return stop(Event::malformed);
    }
    if (at > kCrlf.size()) {
      size = at - kCrlf.size();
      break;
    }
    if (head_.content_length && *head_.content_length != content_bytes_) {
      return stop(Event::malformed);
    }
    if (at + dash_boundary_.size() > fields_left_) return stop(Event::too_large);
    fields_left_ -= at + dash_boundary_.size();
    std::swap(text_, last_text_);
    text_.assign(in.substr(0, at + dash_boundary_.size()));
    in.remove_prefix(at + dash_boundary_.size());
    at_ = kCrlf.size();
    state_ = State::delimiter;
    return Event::file_end;
  }
  if (size == 0) return at_end ? stop(Event::malformed) : Event::need_more;
  content_ = in.substr(0, size);
  content_bytes_ += size;
  content_begins_ = false;
  in.remove_prefix(size);
  if (head_.content_length && content_bytes_ > *head_.content_length) {
    return stop(Event::malformed);
  }
  return Event::content;
}

}  // namespace paravent::proxy::body
