#include "proxy/main/io/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "crypto/base/secret_bytes.h"
#include "policies/model/upstream_address.h"
#include "proxy/net/tls/client_context.h"

namespace paravent::proxy::main {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using asio::local::stream_protocol;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using policies::UpstreamAddress;
using LocalStream = beast::basic_stream<stream_protocol>;

Error unreachable() { return ErrorKind::unreachable; }

// Runs one asynchronous step to its end or to the stream's deadline.
template <typename Start>
boost::system::error_code finish(asio::io_context& io, Start&& start) {
  boost::system::error_code result = asio::error::would_block;
  start([&result](boost::system::error_code error, auto&&...) { result = error; });
  io.restart();
  io.run();
  return result;
}

http::request<http::string_body> message_of(const HttpQuestion& question,
                                            const UpstreamAddress& address) {
  http::request<http::string_body> message(
      question.post ? http::verb::post : http::verb::get,
      beast::string_view(question.path.data(), question.path.size()), 11);
  message.set(http::field::host, address.unix_path.empty()
                                     ? address.host + ":" + std::to_string(address.port)
                                     : std::string("localhost"));
  if (question.post) message.set(http::field::content_type, question.content_type);
  for (const auto& [name, value] : question.headers) message.set(name, value);
  message.body() = question.body;
  message.prepare_payload();
  return message;
}

template <typename Stream>
Result<HttpAnswer> exchange(asio::io_context& io, Stream& stream, const HttpQuestion& question,
                            const UpstreamAddress& address) {
  auto& lowest = beast::get_lowest_layer(stream);
  auto message = message_of(question, address);
  lowest.expires_after(question.patience);
  auto error = finish(io, [&](auto done) { http::async_write(stream, message, done); });
  for (const auto& [name, value] : question.headers) message.erase(name);
  crypto::wipe(message.body());
  if (error) return unreachable();
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(question.most);
  lowest.expires_after(question.patience);
  error = finish(io, [&](auto done) { http::async_read(stream, buffer, parser, done); });
  if (error) return unreachable();
  HttpAnswer answer;
  answer.status = static_cast<std::uint16_t>(parser.get().result_int());
  answer.body = std::move(parser.get().body());
  return answer;
}

Result<HttpAnswer> over_tls(asio::io_context& io, beast::tcp_stream stream,
                            const HttpQuestion& question, const UpstreamAddress& address) {
  std::vector<std::string> unused;
  auto context = net::tls::ClientContext::make({address.host, question.ca, {}, {}}, unused);
  if (!context) return context.error();
  ssl_st* const connection = (*context)->new_connection();
  if (connection == nullptr) return unreachable();
  asio::ssl::stream<beast::tcp_stream> secure(std::move(stream), connection);
  const auto error =
      finish(io, [&](auto done) { secure.async_handshake(asio::ssl::stream_base::client, done); });
  if (error) return Error(ErrorKind::verification);
  return exchange(io, secure, question, address);
}

}  // namespace

std::pair<std::string, std::string> split_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash =
      scheme == std::string_view::npos ? std::string_view::npos : url.find('/', scheme + 3);
  if (slash == std::string_view::npos) return {std::string(url), "/"};
  return {std::string(url.substr(0, slash)), std::string(url.substr(slash))};
}

namespace {

Result<HttpAnswer> ask(const HttpQuestion& question) {
  const auto parsed = policies::parse_upstream(question.url);
  const auto* address = std::get_if<UpstreamAddress>(&parsed);
  if (address == nullptr) return Error(ErrorKind::usage);
  asio::io_context io;
  boost::system::error_code error;
  if (!address->unix_path.empty()) {
    LocalStream stream(io);
    stream.expires_after(question.patience);
    const stream_protocol::endpoint endpoint(address->unix_path);
    error = finish(io, [&](auto done) { stream.async_connect(endpoint, done); });
    if (error) return unreachable();
    return exchange(io, stream, question, *address);
  }
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(address->host, std::to_string(address->port), error);
  if (error) return unreachable();
  beast::tcp_stream stream(io);
  stream.expires_after(question.patience);
  error = finish(io, [&](auto done) { stream.async_connect(found, done); });
  if (error) return unreachable();
  if (address->tls) return over_tls(io, std::move(stream), question, *address);
  return exchange(io, stream, question, *address);
}

}  // namespace

Result<HttpAnswer> http_exchange(const HttpQuestion& question) {
  try {
    return ask(question);
  } catch (const std::exception&) {
    // Asio throws where no descriptor is left for its own needs.
    return unreachable();
  }
}

}  // namespace paravent::proxy::main
