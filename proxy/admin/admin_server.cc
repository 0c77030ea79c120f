#include "proxy/admin/admin_server.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "crypto/base/secret_arena.h"

namespace paravent::proxy::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using PlainStream = beast::tcp_stream;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

struct Caller {
  bool from_loopback = false;
  std::string certificate_name;
};

AdminRequest to_request(const http::request<http::string_body>& message, const Caller& caller) {
  AdminRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  request.authorization = std::string(message[http::field::authorization]);
  request.content_type = std::string(message[http::field::content_type]);
  request.body = message.body();
  request.from_loopback = caller.from_loopback;
  request.certificate_name = caller.certificate_name;
  return request;
}

http::response<http::string_body> to_message(AdminResponse answer, bool keep_alive) {
  http::response<http::string_body> message;
  message.version(11);
  message.result(static_cast<http::status>(answer.status));
  message.set(http::field::content_type, answer.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  message.body() = answer.body;
  message.prepare_payload();
  return message;
}

}  // namespace

struct AdminServer::State {
  State(const AdminServerOptions& with, AdminHandler& to)
      : options(with), handler(to), io(static_cast<int>(with.threads)), acceptor(io) {}

  AdminServerOptions options;
  AdminHandler& handler;
  asio::io_context io;
  tcp::acceptor acceptor;
  std::vector<std::thread> threads;
  std::atomic<std::size_t> connections{0};

  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> serve_tls(PlainStream socket, Caller caller);
  template <typename Stream>
  asio::awaitable<void> serve_http(Stream& stream, const Caller& caller);
  std::shared_ptr<const net::tls::ServerContext> certificates() const {
    const std::lock_guard lock(tls_mutex);
    return options.tls;
  }
  const bool uses_tls = options.tls != nullptr;
  mutable std::mutex tls_mutex;  // guards options.tls only
};

asio::awaitable<void> AdminServer::State::accept_loop() {
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(io, kToken);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, most likely: trying again at once would only burn the processor.
      asio::steady_timer pause(io, std::chrono::milliseconds(50));
      co_await pause.async_wait(kToken);
      continue;
    }
    if (connections.load() >= options.connections) continue;  // closed by the destructor
    asio::co_spawn(io, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> AdminServer::State::serve(tcp::socket socket) {
  ++connections;
  boost::system::error_code ignored;
  const bool from_loopback = socket.remote_endpoint(ignored).address().is_loopback();
  PlainStream stream(std::move(socket));
  stream.socket().set_option(tcp::no_delay(true), ignored);
  const Caller caller{from_loopback, {}};
  if (uses_tls) {
    co_await serve_tls(std::move(stream), caller);
  } else {
    co_await serve_http(stream, caller);
    stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
  }
  --connections;
}

asio::awaitable<void> AdminServer::State::serve_tls(PlainStream socket, Caller caller) {
  const auto context = certificates();
  ssl_st* const connection = context->new_connection();
  if (connection == nullptr) co_return;
  TlsStream stream(std::move(socket), connection);  // which owns the connection from here on
  PlainStream& lowest = stream.next_layer();
  lowest.expires_after(std::chrono::seconds(options.handshake_seconds));
  auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, kToken);
  if (error) co_return;
  caller.certificate_name = net::tls::verified_common_name(*connection);
  co_await serve_http(stream, caller);
  lowest.expires_after(std::chrono::seconds(options.handshake_seconds));
  co_await stream.async_shutdown(kToken);  // whether it is answered or not
}

template <typename Stream>
asio::awaitable<void> AdminServer::State::serve_http(Stream& stream, const Caller& caller) {
  PlainStream& lowest = beast::get_lowest_layer(stream);
  // Secrets arrive here: what unseals, and credentials.
  beast::basic_flat_buffer<crypto::SecretAllocator<char>> buffer(options.header_bytes +
                                                                 options.body_bytes);
  bool keep_alive = true;
  while (keep_alive) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(options.header_bytes));
    parser.body_limit(options.body_bytes);
    lowest.expires_after(std::chrono::seconds(options.idle_seconds));
    auto [error, bytes] = co_await http::async_read(stream, buffer, parser, kToken);
    AdminResponse answer;
    if (error == http::error::body_limit) {
      answer = admin_problem(413, "too-large", "The request is too large.");
      keep_alive = false;
    } else if (error == http::error::header_limit) {
      answer = admin_problem(431, "headers-too-large", "The request's head is too large.");
      keep_alive = false;
    } else if (error.category() == http::make_error_code(http::error::end_of_stream).category() &&
               error != http::error::end_of_stream) {
      answer = admin_problem(400, "framing", "The request is not valid HTTP.");
      keep_alive = false;
    } else if (error) {
      break;
    } else {
      keep_alive = parser.get().keep_alive();
      answer = handler.handle(to_request(parser.get(), caller));
      crypto::wipe(parser.get().body());
    }
    auto message = to_message(std::move(answer), keep_alive);
    lowest.expires_after(std::chrono::seconds(options.idle_seconds));
    auto [write_error, written] = co_await http::async_write(stream, message, kToken);
    crypto::wipe(message.body());
    if (write_error) break;
  }
}

crypto::Result<std::unique_ptr<AdminServer>> AdminServer::start(const AdminServerOptions& options,
                                                                AdminHandler& handler) {
  auto state = std::make_unique<State>(options, handler);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.host, error);
  const std::string where = options.host + ":" + std::to_string(options.port);
  if (error) {
    return crypto::Error(crypto::ErrorKind::configuration,
                         "The admin address " + where + " is not an address.");
  }
  const tcp::endpoint endpoint(address, options.port);
  state->acceptor.open(endpoint.protocol(), error);
  if (!error) state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoint, error);
  if (!error) state->acceptor.listen(128, error);
  if (error) {
    const bool taken = error == asio::error::address_in_use;
    return crypto::Error(taken ? crypto::ErrorKind::busy : crypto::ErrorKind::configuration,
                         "The admin listener cannot use " + where + ": " + error.message() +
                             ". Choose another address with --admin or in the gateway file.");
  }
  asio::co_spawn(state->io, state->accept_loop(), asio::detached);
  for (unsigned i = 0; i < options.threads; ++i) {
    state->threads.emplace_back([io = &state->io] { io->run(); });
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(state)));
}

AdminServer::AdminServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

AdminServer::~AdminServer() { stop(); }

std::uint16_t AdminServer::port() const {
  boost::system::error_code ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

void AdminServer::use_certificates(std::shared_ptr<const net::tls::ServerContext> tls) {
  const std::lock_guard lock(state_->tls_mutex);
  state_->options.tls = std::move(tls);
}

void AdminServer::stop() {
  if (state_->threads.empty()) return;
  state_->io.stop();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

}  // namespace paravent::proxy::admin
