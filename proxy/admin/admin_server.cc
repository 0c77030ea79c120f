#include "proxy/admin/admin_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/out_of_memory.h"
#include "crypto/base/secret_arena.h"
#include "crypto/base/seldom_thread.h"

namespace paravent::proxy::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using asio::local::stream_protocol;
using PlainStream = beast::tcp_stream;
using LocalStream = beast::basic_stream<stream_protocol>;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

// What is to be had before a request is begun: more than one takes, answer included.
constexpr std::size_t kHeadroom = std::size_t{64} << 20U;

struct Caller {
  bool from_loopback = false;
  std::string certificate_name;
  std::optional<crypto::WallTime> certificate_expires;
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
  request.accept = std::string(message[http::field::accept]);
  request.idempotency_key = std::string(message["Idempotency-Key"]);
  request.body = message.body();
  request.from_loopback = caller.from_loopback;
  request.certificate_name = caller.certificate_name;
  request.certificate_expires = caller.certificate_expires;
  return request;
}

template <typename Message>
void set_head(Message& message, const AdminResponse& answer, bool keep_alive) {
  message.version(11);
  message.result(static_cast<http::status>(answer.status));
  message.set(http::field::content_type, answer.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : answer.headers) message.set(name, value);
  message.keep_alive(keep_alive);
}

// Answers that are being sent piece by piece. What the end of the server leaves unsent is told.
// Thread safe.
class Unfinished {
 public:
  void add(AdminResponse& answer) {
    const std::lock_guard lock(mutex_);
    answers_.insert(&answer);
  }
  // False: it has been told.
  bool remove(AdminResponse& answer) {
    const std::lock_guard lock(mutex_);
    return answers_.erase(&answer) > 0;
  }
  // REQUIRES: no thread sends any more.
  void abandon() {
    for (AdminResponse* const answer : std::exchange(answers_, {})) {
      if (answer->abandoned) answer->abandoned();
    }
  }

  // One of them, as long as it is sent. Tells that it was abandoned unless settle() was called,
  // however its sending ended.
  class Entry {
   public:
    Entry(Unfinished& all, AdminResponse& answer) : all_(all), answer_(answer) {
      if (crypto::with_memory([this] { all_.add(answer_); })) return;
      tell();
      throw std::bad_alloc();
    }
    ~Entry() {
      if (all_.remove(answer_) && !settled_) tell();
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    void settle() noexcept { settled_ = true; }

   private:
    void tell() noexcept {
      if (answer_.abandoned) answer_.abandoned();
    }

    Unfinished& all_;
    AdminResponse& answer_;
    bool settled_ = false;
  };

 private:
  std::mutex mutex_;
  std::set<AdminResponse*> answers_;
};

// One of the places for connections, until the end of whatever holds it, however that ends.
class Place {
 public:
  explicit Place(std::atomic<std::size_t>& taken) : taken_(taken) { ++taken_; }
  ~Place() { --taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::atomic<std::size_t>& taken_;
};

// Who watches, and who seals, is answered however little memory there is.
bool takes_little(const http::request<http::string_body>& message) {
  const std::string_view target(message.target().data(), message.target().size());
  return target == "/healthz" || target == "/readyz" || target == "/v1/seal";
}

// Goes on record as it is made: not to be left in the midst, as State::handle().
bool next_piece(AdminResponse& answer, std::string& piece) {
  try {
    return answer.more(piece);
  } catch (const std::bad_alloc&) {
    std::abort();
  }
}

// Ends the process where a coroutine ends before the server does: a listener that nobody accepts
// from looks like a gateway that cannot be unsealed.
class MustGoOn {
 public:
  explicit MustGoOn(const std::atomic<bool>& stopping) : stopping_(stopping) {}
  ~MustGoOn() {
    if (!stopping_) std::abort();
  }
  MustGoOn(const MustGoOn&) = delete;
  MustGoOn& operator=(const MustGoOn&) = delete;

 private:
  const std::atomic<bool>& stopping_;
};

// Piece by piece, as the answer makes it. False: the connection is of no more use.
template <typename Stream>
asio::awaitable<bool> send_pieces(Stream& stream, AdminResponse& answer, bool keep_alive,
                                  std::chrono::seconds patience) {
  auto& lowest = beast::get_lowest_layer(stream);
  http::response<http::empty_body> head;
  set_head(head, answer, keep_alive);
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  lowest.expires_after(patience);
  auto [head_error, head_bytes] = co_await http::async_write_header(stream, serializer, kToken);
  if (head_error) co_return false;
  std::string piece;
  for (bool more = true; more;) {
    more = next_piece(answer, piece);
    if (!piece.empty()) {
      const auto chunk = http::make_chunk(asio::buffer(piece));
      lowest.expires_after(patience);
      auto [error, written] = co_await asio::async_write(stream, chunk, kToken);
      crypto::wipe(piece);
      piece.clear();
      if (error) co_return false;
    }
  }
  const auto last = http::make_chunk_last();
  auto [last_error, last_bytes] = co_await asio::async_write(stream, last, kToken);
  co_return !last_error;
}

// What a GET would have had in front of its body (RFC 9110 9.3.2): a body would be read as the next
// answer. False: the connection is of no more use.
template <typename Stream>
asio::awaitable<bool> send_head(Stream& stream, const AdminResponse& answer, bool keep_alive,
                                std::chrono::seconds patience) {
  http::response<http::empty_body> head;
  set_head(head, answer, keep_alive);
  head.content_length(answer.body.size());
  beast::get_lowest_layer(stream).expires_after(patience);
  auto [error, written] = co_await http::async_write(stream, head, kToken);
  co_return !error;
}

// Whole, or piece by piece. False: the connection is of no more use.
template <typename Stream>
asio::awaitable<bool> send(Stream& stream, AdminResponse& answer, bool keep_alive,
                           std::chrono::seconds patience) {
  auto& lowest = beast::get_lowest_layer(stream);
  if (!answer.more) {
    http::response<http::string_body> message;
    set_head(message, answer, keep_alive);
    message.body() = answer.body;
    message.prepare_payload();
    lowest.expires_after(patience);
    auto [error, written] = co_await http::async_write(stream, message, kToken);
    crypto::wipe(message.body());
    co_return !error;
  }
  co_return co_await send_pieces(stream, answer, keep_alive, patience);
}

}  // namespace

struct AdminServer::State {
  State(const AdminServerOptions& with, AdminHandler& to)
      : options(with),
        handler(to),
        io(static_cast<int>(with.threads)),
        acceptor(io),
        local_acceptor(io) {}

  AdminServerOptions options;
  AdminHandler& handler;
  // These three outlive what `io` still runs.
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> stopping{false};
  Unfinished unfinished;
  asio::io_context io;
  tcp::acceptor acceptor;
  stream_protocol::acceptor local_acceptor;
  std::vector<std::thread> threads;

  template <typename Acceptor>
  asio::awaitable<void> accept_loop(Acceptor& from);
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> serve(stream_protocol::socket socket);
  boost::system::error_code listen_local();
  asio::awaitable<void> serve_tls(PlainStream socket, Caller caller);
  template <typename Stream>
  asio::awaitable<void> serve_http(Stream& stream, const Caller& caller);
  // Is not left in the midst of a change for want of memory: then the process ends.
  AdminResponse handle(const http::request<http::string_body>& message, const Caller& caller) {
    try {
      return handler.handle(to_request(message, caller));
    } catch (const std::bad_alloc&) {
      std::abort();
    }
  }
  std::shared_ptr<const net::tls::ServerContext> certificates() const {
    const std::lock_guard lock(tls_mutex);
    return options.tls;
  }
  const bool uses_tls = options.tls != nullptr;
  mutable std::mutex tls_mutex;  // guards options.tls only
};

template <typename Acceptor>
asio::awaitable<void> AdminServer::State::accept_loop(Acceptor& from) {
  const MustGoOn guard(stopping);
  while (from.is_open()) {
    auto [error, socket] = co_await from.async_accept(io, kToken);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, most likely: trying again at once would only burn the processor.
      asio::steady_timer pause(io, std::chrono::milliseconds(50));
      co_await pause.async_wait(kToken);
      continue;
    }
    if (connections.load() >= options.connections) continue;  // closed by the destructor
    // A connection that has not even the memory to begin is closed; nobody else accepts.
    auto taken = std::move(socket);  // clang 14 captures no structured binding
    crypto::with_memory([&] { asio::co_spawn(io, serve(std::move(taken)), asio::detached); });
  }
}

asio::awaitable<void> AdminServer::State::serve(tcp::socket socket) {
  const Place place(connections);
  boost::system::error_code ignored;
  const bool from_loopback = socket.remote_endpoint(ignored).address().is_loopback();
  PlainStream stream(std::move(socket));
  stream.socket().set_option(tcp::no_delay(true), ignored);
  const Caller caller{from_loopback, {}, {}};
  if (uses_tls) {
    co_await serve_tls(std::move(stream), caller);
  } else {
    co_await serve_http(stream, caller);
    stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
  }
}

// The kernel lets in only whom the permissions of the path let in: this machine, this user or root.
asio::awaitable<void> AdminServer::State::serve(stream_protocol::socket socket) {
  const Place place(connections);
  LocalStream stream(std::move(socket));
  const Caller caller{
      true, {}, {}};  // a temporary inside of co_await would be destroyed twice (GCC 12)
  co_await serve_http(stream, caller);
  boost::system::error_code ignored;
  stream.socket().shutdown(stream_protocol::socket::shutdown_both, ignored);
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
  caller.certificate_expires = net::tls::verified_until(*connection);
  co_await serve_http(stream, caller);
  lowest.expires_after(std::chrono::seconds(options.handshake_seconds));
  co_await stream.async_shutdown(kToken);  // whether it is answered or not
}

template <typename Stream>
asio::awaitable<void> AdminServer::State::serve_http(Stream& stream, const Caller& caller) {
  auto& lowest = beast::get_lowest_layer(stream);
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
      const bool has_room = takes_little(parser.get()) || crypto::has_memory_for(kHeadroom);
      if (has_room) answer = handle(parser.get(), caller);
      crypto::wipe(parser.get().body());
      if (!has_room) {
        answer = admin_problem(503, "overloaded", "There is no memory for this request now.");
        keep_alive = false;
      }
    }
    const std::chrono::seconds patience(options.idle_seconds);
    bool sent = false;
    // From here on: whatever ends the sending, that it did not come to its end is told.
    std::optional<Unfinished::Entry> unfinished_answer;
    if (answer.more) unfinished_answer.emplace(unfinished, answer);
    if (parser.get().method() == http::verb::head) {
      sent = co_await send_head(stream, answer, keep_alive, patience);
    } else {
      sent = co_await send(stream, answer, keep_alive, patience);
    }
    if (sent && unfinished_answer) unfinished_answer->settle();
    if (!sent) break;
  }
}

// Nobody may connect before the mode is set: it listens last.
boost::system::error_code AdminServer::State::listen_local() {
  boost::system::error_code error;
  const stream_protocol::endpoint endpoint(options.unix_path);
  struct stat status {};
  if (::lstat(options.unix_path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    stream_protocol::socket probe(io);
    probe.connect(endpoint, error);
    if (!error) return asio::error::address_in_use;
    ::unlink(options.unix_path.c_str());
    error = {};
  }
  local_acceptor.open(endpoint.protocol(), error);
  if (!error) local_acceptor.bind(endpoint, error);
  if (!error && ::chmod(options.unix_path.c_str(), S_IRUSR | S_IWUSR) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) local_acceptor.listen(128, error);
  return error;
}

crypto::Result<std::unique_ptr<AdminServer>> AdminServer::start(const AdminServerOptions& options,
                                                                AdminHandler& handler) {
  auto state = std::make_unique<State>(options, handler);
  const bool local = !options.unix_path.empty();
  const std::string where =
      local ? options.unix_path : options.host + ":" + std::to_string(options.port);
  boost::system::error_code error;
  if (local) {
    error = state->listen_local();
  } else {
    const auto address = asio::ip::make_address(options.host, error);
    if (error) {
      return crypto::Error(crypto::ErrorKind::configuration,
                           "The admin address " + where + " is not an address.");
    }
    const tcp::endpoint endpoint(address, options.port);
    state->acceptor.open(endpoint.protocol(), error);
    if (!error) state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) state->acceptor.bind(endpoint, error);
    if (!error) state->acceptor.listen(128, error);
  }
  if (error) {
    const bool taken = error == asio::error::address_in_use;
    return crypto::Error(taken ? crypto::ErrorKind::busy : crypto::ErrorKind::configuration,
                         "The admin listener cannot use " + where + ": " + error.message() +
                             ". Choose another address with --admin or in the gateway file.");
  }
  if (local) {
    asio::co_spawn(state->io, state->accept_loop(state->local_acceptor), asio::detached);
  } else {
    asio::co_spawn(state->io, state->accept_loop(state->acceptor), asio::detached);
  }
  for (unsigned i = 0; i < options.threads; ++i) {
    state->threads.emplace_back([io = &state->io] {
      crypto::this_thread_allocates_seldom();
      // A connection for which memory runs out ends with its coroutine; the others go on.
      while (!crypto::with_memory([io] { io->run(); })) continue;
    });
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
  state_->stopping = true;
  if (state_->threads.empty()) return;
  state_->io.stop();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
  state_->unfinished.abandon();
  if (!state_->options.unix_path.empty()) ::unlink(state_->options.unix_path.c_str());
}

}  // namespace paravent::proxy::admin
