#include "proxy/pipeline/response_writer.h"

#include "proxy/body/html_text.h"
#include "proxy/body/json.h"
#include "proxy/pipeline/append_all.h"
#include "proxy/pipeline/line_copier.h"
#include "proxy/pipeline/visitor_words.h"

namespace paravent::proxy {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  out.append(std::string_view(Digits(number)));
}

std::string_view status_phrase(std::uint16_t status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

std::string_view connection_line(ConnectionLine line) {
  switch (line) {
    case ConnectionLine::none:
      return {};
    case ConnectionLine::close:
      return "Connection: close\r\n";
    case ConnectionLine::keep_alive:
      return "Connection: keep-alive\r\n";
  }
  return {};
}

void write_json_body(const Refusal& refusal, const ProblemContext& context, std::string& body) {
  const std::uint16_t status = reason_status(refusal.reason);
  const std::string_view label = reason_label(refusal.reason);
  body.append(R"({"type":"urn:paravent:problem:)").append(label);
  body.append(R"(","title":")").append(visitor_words(refusal.reason).english);
  body.append(R"(","status":)");
  append_number(body, status);
  body.append(R"(,"reason":")").append(label).append("\"");
  if (!context.route.empty()) {
    body.append(R"(,"route":)");
    body::encode_json_string(context.route, body);
  }
  if (!refusal.field.empty()) {
    body.append(R"(,"field":)");
    body::encode_json_string(refusal.field, body);
  }
  body.append(R"(,"request_id":")").append(context.request_id).append("\"}\n");
}

// A page for the visitor whose form this was: needs nothing but itself, on any screen.
constexpr std::string_view kPageStyle =
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.2rem}"
    "h1{font-size:1.6rem;line-height:1.25}small{opacity:.65}";

void write_html_body(const Refusal& refusal, const ProblemContext& context, std::string& body) {
  const VisitorWords words = visitor_words(refusal.reason);
  body.append("<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\">");
  body.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
  body.append(words.french_heading).append("</title>\n<style>").append(kPageStyle);
  body.append("</style></head>\n<body>\n<h1>").append(words.french_heading);
  body.append("</h1>\n<p>").append(words.french);
  body.append("</p>\n<p lang=\"en\">").append(words.english).append("</p>\n<p><small>");
  append_number(body, reason_status(refusal.reason));
  body.append(" &middot; ").append(reason_label(refusal.reason));
  if (!refusal.field.empty()) {
    body.append(" &middot; ");
    body::append_html_text(refusal.field, body);
  }
  body.append(" &middot; ").append(context.request_id);
  body.append("</small></p>\n</body></html>\n");
}

}  // namespace

void write_relayed_head(const ResponseHead& head, const ResponseFraming& framing, bool head_request,
                        ConnectionLine connection, std::string& out) {
  append_all(out, "HTTP/1.1 ", Digits(head.status), " ", head.reason, "\r\n");
  LineCopier lines(out);
  for (const HeaderLine& line : head.headers) {
    if (is_hop_by_hop(line.id)) continue;
    if (line.id == HeaderName::content_length && !head_request) continue;
    lines.copy(line);
  }
  lines.flush();
  const std::string_view last = connection_line(connection);
  if (framing.kind == BodyFraming::length) {
    append_all(out, "Content-Length: ", Digits(framing.length), "\r\n", last, "\r\n");
  } else if (framing.kind == BodyFraming::chunked) {
    append_all(out, "Transfer-Encoding: chunked\r\n", last, "\r\n");
  } else {
    append_all(out, last, "\r\n");
  }
}

void write_problem(const Refusal& refusal, const ProblemContext& context, std::string& head,
                   std::string& body) {
  const std::uint16_t status = reason_status(refusal.reason);
  if (context.wants_html) {
    write_html_body(refusal, context, body);
  } else {
    write_json_body(refusal, context, body);
  }
  head.append("HTTP/1.1 ");
  append_number(head, status);
  head.append(" ").append(status_phrase(status));
  head.append("\r\nContent-Type: ");
  head.append(context.wants_html ? "text/html; charset=utf-8" : "application/problem+json");
  head.append("\r\nCache-Control: no-store\r\nContent-Length: ");
  append_number(head, body.size());
  head.append("\r\n");
  if (status == 503 || status == 429) head.append("Retry-After: 5\r\n");
  if (!context.allow.empty()) head.append("Allow: ").append(context.allow).append("\r\n");
  head.append(connection_line(context.connection)).append("\r\n");
  if (context.head_request) body.clear();
}

void write_no_content(ConnectionLine connection, std::string& head) {
  head.append("HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n");
  head.append(connection_line(connection)).append("\r\n");
}

bool prefers_html(const RequestHead& head) {
  for (const HeaderLine& line : head.headers) {
    if (line.id != HeaderName::accept) continue;
    const std::string_view first = line.value.substr(0, line.value.find_first_of(",; \t"));
    return same_header_name(first, "text/html");
  }
  return false;
}

}  // namespace paravent::proxy
