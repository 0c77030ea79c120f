#include "proxy/main/admin_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "crypto/vault/engine/durable_file.h"
#include "policies/model/upstream_address.h"
#include "proxy/net/tls/client_context.h"

namespace paravent::proxy::main {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr auto kPatience = std::chrono::seconds(30);
constexpr std::size_t kMaxAnswerBytes = 64 * 1024 * 1024;

Error unreachable(const std::string& url) {
  return {ErrorKind::unreachable, "The admin API at " + url +
                                      " does not answer; is the gateway running, and is this its "
                                      "--admin address?"};
}

// Runs one asynchronous step to its end or to the stream's deadline.
template <typename Start>
boost::system::error_code finish(asio::io_context& io, Start&& start) {
  boost::system::error_code result = asio::error::would_block;
  start([&result](boost::system::error_code error, auto&&...) { result = error; });
  io.restart();
  io.run();
  return result;
}

template <typename Stream>
Result<AdminAnswer> exchange(asio::io_context& io, Stream& stream,
                             const http::request<http::string_body>& request,
                             const std::string& url) {
  beast::tcp_stream& lowest = beast::get_lowest_layer(stream);
  lowest.expires_after(kPatience);
  auto error = finish(io, [&](auto done) { http::async_write(stream, request, done); });
  if (error) return unreachable(url);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxAnswerBytes);
  lowest.expires_after(kPatience);
  error = finish(io, [&](auto done) { http::async_read(stream, buffer, parser, done); });
  if (error) return unreachable(url);
  AdminAnswer answer;
  answer.status = static_cast<std::uint16_t>(parser.get().result_int());
  answer.body = std::move(parser.get().body());
  return answer;
}

Result<AdminAnswer> ask(http::verb verb, const AdminAddress& at, std::string_view path,
                        const crypto::SecretBytes& credential, std::string_view json) {
  const auto parsed = policies::parse_upstream(at.url);
  const auto* address = std::get_if<policies::UpstreamAddress>(&parsed);
  if (address == nullptr || address->host.empty()) {
    return Error(ErrorKind::usage, "--admin takes an address such as http://127.0.0.1:8081.");
  }
  asio::io_context io;
  boost::system::error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(address->host, std::to_string(address->port), error);
  if (error) return unreachable(at.url);
  beast::tcp_stream stream(io);
  stream.expires_after(kPatience);
  error = finish(io, [&](auto done) { stream.async_connect(found, done); });
  if (error) return unreachable(at.url);

  http::request<http::string_body> request(verb, beast::string_view(path.data(), path.size()), 11);
  request.set(http::field::host, address->host + ":" + std::to_string(address->port));
  if (verb == http::verb::post) request.set(http::field::content_type, "application/json");
  if (!credential.empty()) {
    std::string authorization = "Bearer ";
    authorization.append(crypto::as_text(credential.bytes()));
    request.set(http::field::authorization, authorization);
    crypto::wipe(authorization);
  }
  request.body() = json;
  request.prepare_payload();
  if (!address->tls) return exchange(io, stream, request, at.url);

  std::vector<std::string> unused;
  auto context = net::tls::ClientContext::make({address->host, at.ca, {}, {}}, unused);
  if (!context) return context.error();
  ssl_st* const connection = (*context)->new_connection();
  if (connection == nullptr) return unreachable(at.url);
  asio::ssl::stream<beast::tcp_stream> secure(std::move(stream), connection);
  error =
      finish(io, [&](auto done) { secure.async_handshake(asio::ssl::stream_base::client, done); });
  if (error) {
    return Error(ErrorKind::unreachable,
                 "The admin API at " + at.url +
                     " cannot be trusted: its certificate is not for that name, or not from an "
                     "authority that is known; give its file with --ca.");
  }
  return exchange(io, secure, request, at.url);
}

}  // namespace

Result<AdminAnswer> admin_post(const AdminAddress& at, std::string_view path,
                               const crypto::SecretBytes& credential, std::string_view json) {
  return ask(http::verb::post, at, path, credential, json);
}

Result<AdminAnswer> admin_get(const AdminAddress& at, std::string_view path,
                              const crypto::SecretBytes& credential) {
  return ask(http::verb::get, at, path, credential, {});
}

Error admin_error(const AdminAnswer& answer) {
  boost::system::error_code ignored;
  const auto problem = boost::json::parse(answer.body, ignored);
  std::string sentence = "The admin API answered " + std::to_string(answer.status);
  if (const auto* object = problem.if_object()) {
    if (const auto* title = object->if_contains("title"); title != nullptr && title->is_string()) {
      sentence += ": " + std::string(title->get_string());
    }
  }
  const bool barred =
      answer.status == 401 || answer.status == 403 || answer.status == 409 || answer.status == 429;
  const ErrorKind kind = barred                 ? ErrorKind::refused
                         : answer.status >= 500 ? ErrorKind::unreachable
                                                : ErrorKind::usage;
  return {kind, sentence};
}

Result<crypto::SecretBytes> read_credential(const std::string& file, CredentialOf whose) {
  if (file.empty()) {
    return Error(ErrorKind::usage,
                 "Give the file that holds your credential with --credential-file.");
  }
  auto read = crypto::vault::read_file(file, 4096);
  if (!read) {
    return Error(ErrorKind::usage, "The credential file " + file + " cannot be read.");
  }
  std::string_view text = crypto::as_text(read->bytes());
  if (text.starts_with('{')) {
    const std::string_view marker =
        whose == CredentialOf::admin ? R"("admin_credential":")" : R"("credential":")";
    const std::size_t at = text.find(marker);
    if (at == std::string_view::npos) {
      return Error(ErrorKind::usage, "The file " + file +
                                         " holds no operator's credential (a "
                                         "credential leaves the first-credentials file at its "
                                         "first use).");
    }
    text.remove_prefix(at + marker.size());
    return crypto::SecretBytes::copy_of(text.substr(0, text.find('"')));
  }
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  return crypto::SecretBytes::copy_of(text);
}

}  // namespace paravent::proxy::main
