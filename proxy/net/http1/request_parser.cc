#include "proxy/net/http1/request_parser.h"

#include "proxy/net/http1/char_class.h"
#include "proxy/net/http1/request_target.h"

namespace paravent::proxy::http1 {
namespace {

// Longer than any registered method; beyond it is noise.
constexpr std::size_t kLongestMethod = 32;

Method method_of(std::string_view text) noexcept {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      break;
    case 6:
      if (text == "DELETE") return Method::del;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      break;
    default:
      break;
  }
  return Method::other;
}

bool is_version(std::string_view text) noexcept {
  return text.size() == 8 && text.substr(0, 5) == "HTTP/" && is(text[5], kDigitChar) &&
         text[6] == '.' && is(text[7], kDigitChar);
}

std::string_view view(std::span<const char> bytes) noexcept { return {bytes.data(), bytes.size()}; }

}  // namespace

void RequestParser::begin(std::span<HeaderLine> lines, std::size_t header_bytes,
                          std::size_t line_bytes) noexcept {
  lines_ = lines;
  header_bytes_ = header_bytes;
  line_bytes_ = line_bytes;
  scanner_.reset();
  head_ = RequestHead{};
  framing_ = FramingFields{};
  authority_ = {};
  count_ = 0;
  expectations_ = 0;
  content_types_ = 0;
  has_request_line_ = false;
  unknown_expectation_ = false;
  reason_ = Reason::framing;
}

ParseStatus RequestParser::refuse(Reason reason) noexcept {
  reason_ = reason;
  return ParseStatus::refused;
}

ParseStatus RequestParser::parse(std::span<char> bytes) noexcept {
  // A byte beyond the limit is not looked at, so that the answer is the same however they arrive.
  const bool full = bytes.size() >= header_bytes_;
  const std::string_view text = view(full ? bytes.first(header_bytes_) : bytes);
  for (;;) {
    std::string_view line;
    switch (scanner_.next(text, line_bytes_, line)) {
      case LineStatus::bad:
        return refuse(Reason::framing);
      case LineStatus::too_long:
        return refuse(has_request_line_ ? Reason::headers_too_large : Reason::target_too_long);
      case LineStatus::need_more:
        if (!full) return ParseStatus::need_more;
        return refuse(has_request_line_ ? Reason::headers_too_large : Reason::target_too_long);
      case LineStatus::line:
        break;
    }
    if (!has_request_line_) {
      const auto begin = static_cast<std::size_t>(line.data() - text.data());
      if (!take_request_line(bytes.subspan(begin, line.size()))) return ParseStatus::refused;
      has_request_line_ = true;
    } else if (line.empty()) {
      return finish();
    } else if (!take_header(line)) {
      return ParseStatus::refused;
    }
  }
}

bool RequestParser::take_request_line(std::span<char> line) noexcept {
  const std::string_view text = view(line);
  const std::size_t first = text.find(' ');
  const std::size_t last = text.rfind(' ');
  // Exactly two spaces; a line in front of the request line, even an empty one, is not skipped.
  if (first == std::string_view::npos || first == last) return false;
  head_.method_text = text.substr(0, first);
  if (head_.method_text.empty() || head_.method_text.size() > kLongestMethod ||
      !all_of(head_.method_text, kTokenChar)) {
    return false;
  }
  head_.method = method_of(head_.method_text);

  const std::string_view version = text.substr(last + 1);
  if (!is_version(version)) return false;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    reason_ = Reason::http_version;
    return false;
  }
  head_.http_1_0 = version.back() == '0';
  // CONNECT asks for a tunnel and TRACE for an echo of what the client cannot see; a gateway that
  // transforms bodies can honour neither.
  if (head_.method_text == "CONNECT" || head_.method_text == "TRACE") {
    reason_ = Reason::method;
    return false;
  }
  return take_target(line.subspan(first + 1, last - first - 1));
}

bool RequestParser::take_target(std::span<char> target) noexcept {
  if (target.empty()) return false;
  if (target.size() == 1 && target[0] == '*') {
    head_.target = head_.path = view(target);
    return head_.method == Method::options;
  }
  if (target[0] != '/') {
    // absolute-form: accepted when it says what Host says, and rewritten to origin-form.
    // In lower case only: some servers take "HTTP://" for a path.
    constexpr std::string_view kScheme = "http://";
    if (!view(target).starts_with(kScheme)) {
      return false;
    }
    const std::string_view rest = view(target).substr(kScheme.size());
    const std::size_t slash = rest.find('/');
    // Without a path there is no origin-form to cut out of it; nobody sends that.
    if (slash == std::string_view::npos) return false;
    authority_ = rest.substr(0, slash);
    if (!valid_host(authority_)) return false;
    target = target.subspan(kScheme.size() + slash);
  }
  const std::string_view text = view(target);
  const std::size_t mark = text.find('?');
  const std::size_t path_size = mark == std::string_view::npos ? text.size() : mark;
  if (!normal_path(target.first(path_size))) return false;
  head_.target = text;
  head_.path = text.substr(0, path_size);
  if (mark != std::string_view::npos) {
    head_.has_query = true;
    head_.query = text.substr(mark + 1);
  }
  return valid_query(head_.query);
}

bool RequestParser::take_header(std::string_view line) noexcept {
  std::size_t colon = 0;
  while (colon < line.size() && is(line[colon], kNameChar)) ++colon;
  // Whatever stopped the name must be the colon: white space in front of it, a folded line, an
  // empty name, a character that some read as a hyphen and an 8-bit name all end here.
  if (colon == 0 || colon == line.size() || line[colon] != ':') return false;
  if (count_ == lines_.size()) {
    reason_ = Reason::headers_too_large;
    return false;
  }
  HeaderLine& header = lines_[count_++];
  header.name = {line.data(), colon};
  header.value = trim_ows({line.data() + colon + 1, line.size() - colon - 1});
  header.id = header_name(header.name);
  switch (header.id) {
    case HeaderName::other:
      return true;
    case HeaderName::host:
      return take_host(header.value);
    case HeaderName::expect:
      if (expectations_ < 2) ++expectations_;
      if (!equals_lower(header.value, "100-continue")) unknown_expectation_ = true;
      return true;
    case HeaderName::content_type:
      return ++content_types_ == 1;
    default:
      framing_.on_header(header.id, header.value);
      return true;
  }
}

bool RequestParser::take_host(std::string_view value) noexcept {
  if (!head_.host.empty() || !valid_host(value)) return false;
  head_.host = value;
  return true;
}

ParseStatus RequestParser::finish() noexcept {
  if (head_.host.empty()) return refuse(Reason::framing);
  if (!authority_.empty() && !same_header_name(authority_, head_.host)) {
    return refuse(Reason::framing);
  }
  if (!settle_framing() || !settle_expectation()) return ParseStatus::refused;
  head_.headers = lines_.first(count_);
  return ParseStatus::done;
}

bool RequestParser::settle_framing() noexcept {
  const FramingFields& said = framing_;
  if (said.bad || (said.has_length && said.has_coding)) return false;
  head_.keep_alive = head_.http_1_0 ? said.says_keep_alive && !said.says_close : !said.says_close;
  if (said.has_coding) {
    if (head_.http_1_0) return false;  // RFC 9112 6.1: framing is in doubt
    if (said.unknown_coding) {
      reason_ = Reason::unsupported_coding;
      return false;
    }
    head_.framing = BodyFraming::chunked;
  } else if (said.has_length) {
    // A persistent HTTP/1.0 connection with a body went through a proxy that did not understand one
    // of the two (RFC 9112 C.2.2).
    if (head_.http_1_0 && said.says_keep_alive) return false;
    head_.content_length = said.content_length;
    if (said.content_length > 0) head_.framing = BodyFraming::length;
  } else if (head_.http_1_0 && (head_.method == Method::post || head_.method == Method::put ||
                                head_.method == Method::patch)) {
    reason_ = Reason::length_required;
    return false;
  }
  // A body on GET or HEAD has no meaning (RFC 9110 9.3.1) and is what request smuggling rides on.
  const bool bodiless = head_.method == Method::get || head_.method == Method::head;
  return !bodiless || head_.framing == BodyFraming::none;
}

bool RequestParser::settle_expectation() noexcept {
  if (expectations_ == 0) return true;
  if (unknown_expectation_ || expectations_ > 1) {
    reason_ = Reason::expectation;
    return false;
  }
  // HTTP/1.0 has no interim answers (RFC 9110 10.1.1), and without a body there is nothing to wait
  // for.
  head_.expect_continue = !head_.http_1_0 && head_.framing != BodyFraming::none;
  return true;
}

}  // namespace paravent::proxy::http1
