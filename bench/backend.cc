// The application behind every proxy of the comparison: answers each form with the same few bytes,
// and is the witness of the run, because it judges every body it receives (body_check.h). One port
// per expectation, so that one process serves all peers:
//
//   backend --clear 9101 --changed 9102 --tokens 9103 --peer-tokens 9104
//
// GET /kib is answered with 1 KiB, which passes every proxy unchanged; of POST /vault the one field
// must be a vault token. GET /__counts on any of the ports answers the counts of all as JSON.
//
// With --drain it ends as an application should that is restarted: it takes no new connections,
// says with its next answer on each that this is the last one, and goes when all have ended or
// rested for a second.

#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/support/batch_check.h"
#include "bench/support/body_check.h"
#include "bench/support/message_head.h"
#include "bench/support/socket.h"

namespace paravent::bench {
namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nreceived\n";
constexpr std::string_view kLengthRequired =
    "HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::string_view kTooLarge =
    "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::string one_kib() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" +
         std::string(1024, '.');
}

struct Service {
  std::string name;
  int listener = -1;
  BodyCheck check;
  BatchCheck batches;
  std::uint64_t gets = 0;
  std::uint64_t uploads = 0;
  std::uint64_t bad_uploads = 0;
  std::uint64_t minted = 0;
  std::uint64_t unminted = 0;
};

struct Connection {
  int descriptor = -1;  // -1: a listener's tag
  Service* service = nullptr;
  std::array<char, 131072> buffer{};
  std::size_t held = 0;
  std::size_t discard = 0;  // of an upload under way: bytes still to come
};

std::string as_json(const std::deque<Service>& services, bool with_bad) {
  std::string out = "{";
  for (const Service& service : services) {
    const BodyCounts counts = service.check.counts();
    if (out.size() > 1) out += ",";
    out += "\"" + service.name + "\":{\"good\":" + std::to_string(counts.good) +
           ",\"bad\":" + std::to_string(counts.bad) + ",\"distinct\":{";
    for (std::size_t f = 0; f < kFieldCount; ++f) {
      if (f > 0) out += ",";
      out.append("\"").append(kFieldNames[f]).append("\":");
      out += std::to_string(counts.distinct[f]);
    }
    out += "},\"gets\":" + std::to_string(service.gets) +
           ",\"batches\":" + std::to_string(service.batches.good()) +
           ",\"bad_batches\":" + std::to_string(service.batches.bad()) +
           ",\"uploads\":" + std::to_string(service.uploads) +
           ",\"bad_uploads\":" + std::to_string(service.bad_uploads) +
           ",\"minted\":" + std::to_string(service.minted) +
           ",\"unminted\":" + std::to_string(service.unminted);
    if (with_bad && counts.bad > 0) {
      // Encoded form text needs no escaping in JSON; anything else is only counted.
      const std::string& body = service.check.first_bad();
      const bool plain = body.find_first_of("\"\\") == std::string::npos;
      out += ",\"first_bad\":\"" + (plain ? body : std::string("unprintable")) + "\"";
    }
    out += "}";
  }
  return out + "}\n";
}

// More than an upload's fields take, and less than the file behind them.
constexpr std::size_t kUploadFields = 4096;

// Of an upload's four fields three are protected, where the service is one of tokens.
bool fields_arrived_well(const std::string& service, std::string_view begun) {
  const auto has = [begun](std::string_view name, std::string_view value) {
    return begun.find(std::string(name).append("\"\r\n\r\n").append(value)) != begun.npos;
  };
  if (service == "clear") return has("email", "marie.dupont@example.fr\r\n");
  return has("name", "pvd1") && has("email", "pvd1") && has("city", "pvh1") &&
         begun.find("Dupont") == begun.npos && begun.find("dupont") == begun.npos;
}

class Backend {
 public:
  Backend(std::deque<Service>& services, bool drains) : services_(services), drains_(drains) {
    for (Service& service : services_) {
      auto tag = std::make_unique<Connection>();
      tag->service = &service;
      poller_.watch_listener(service.listener, tag.get());
      listeners_.push_back(std::move(tag));
    }
  }

  void run() {
    std::size_t quiet = 0;
    while (!draining_ || (!connections_.empty() && quiet < kQuietTurns)) {
      // Not for ever: a signal may come between the look at its flag and the wait.
      const auto events = poller_.wait(kTurnMs);
      quiet = draining_ && events.empty() ? quiet + 1 : 0;
      if (stop_requested() && !begin_draining()) return;
      for (const epoll_event& event : events) {
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        if (connection.descriptor < 0) {
          accept_one(*connection.service);
        } else {
          const bool closing = (event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
          const bool readable = (event.events & EPOLLIN) != 0;
          if ((readable || closing) && !read_from(connection, closing)) forget(connection);
        }
      }
    }
  }

 private:
  static constexpr int kTurnMs = 100;
  static constexpr std::size_t kQuietTurns = 10;

  // False: it ends at once.
  bool begin_draining() {
    if (!drains_) return false;
    if (draining_) return true;
    // Who waits on the queue is served, and nobody behind them.
    for (Service& service : services_) {
      while (accept_one(service)) {
      }
      close(service.listener);
    }
    draining_ = true;
    return true;
  }

  bool accept_one(Service& service) {
    if (draining_) return false;
    const int descriptor = accept_from(service.listener);
    if (descriptor < 0) return false;
    auto connection = std::make_unique<Connection>();
    connection->descriptor = descriptor;
    connection->service = &service;
    poller_.watch(descriptor, connection.get());
    connections_.emplace(descriptor, std::move(connection));
    return true;
  }

  // epoll reports a descriptor once per batch, so a connection can go at once.
  void forget(Connection& connection) {
    const int descriptor = connection.descriptor;
    connections_.erase(descriptor);
    close(descriptor);
  }

  // False when the connection is to be closed.
  bool read_from(Connection& connection, bool closing) {
    for (;;) {
      if (connection.discard > 0) {
        const ssize_t got = recv(connection.descriptor, connection.buffer.data(),
                                 std::min(connection.buffer.size(), connection.discard), 0);
        if (got <= 0) return got < 0 && errno == EAGAIN;
        connection.discard -= static_cast<std::size_t>(got);
        if (connection.discard > 0) continue;
        ++connection.service->uploads;
        if (!reply(connection, kAnswer)) return false;
        continue;
      }
      const std::size_t room = connection.buffer.size() - connection.held;
      if (room == 0) return false;
      const ssize_t got =
          recv(connection.descriptor, connection.buffer.data() + connection.held, room, 0);
      if (got <= 0) return got < 0 && errno == EAGAIN;
      connection.held += static_cast<std::size_t>(got);
      if (!answer_all(connection)) return false;
      if (static_cast<std::size_t>(got) < room && !closing) return true;
    }
  }

  bool answer_all(Connection& connection) {
    std::string_view bytes(connection.buffer.data(), connection.held);
    while (const auto head = find_head(bytes)) {
      // Every peer of the comparison frames a form by its length.
      if (head->chunked) return reply(connection, kLengthRequired) && false;
      // An upload is read to its end, thrown away and counted; its fields come first and are
      // judged.
      if (head->start_line.starts_with("POST /upload ") && bytes.size() < head->total_bytes()) {
        const std::string_view begun = bytes.substr(head->head_bytes);
        if (begun.size() < kUploadFields) break;
        if (!fields_arrived_well(connection.service->name, begun))
          ++connection.service->bad_uploads;
        connection.discard = head->total_bytes() - bytes.size();
        bytes = {};
        break;
      }
      if (head->total_bytes() > connection.buffer.size()) {
        return reply(connection, kTooLarge) && false;
      }
      if (bytes.size() < head->total_bytes()) break;
      if (!answer(connection, *head, bytes.substr(head->head_bytes, head->content_length))) {
        return false;
      }
      bytes.remove_prefix(head->total_bytes());
    }
    connection.held = bytes.size();
    if (!bytes.empty()) std::memmove(connection.buffer.data(), bytes.data(), bytes.size());
    return true;
  }

  bool answer(Connection& connection, const MessageHead& head, std::string_view body) {
    if (head.start_line.starts_with("POST /vault ")) {
      // One field, or five, each with a vault token.
      const bool five = body.starts_with("first=");
      std::size_t tokens = 0;
      for (std::size_t at = body.find("=pvv1"); at != body.npos; at = body.find("=pvv1", at + 1)) {
        ++tokens;
      }
      const bool minted = tokens == (five ? 5U : 1U) && body.find("example") == body.npos &&
                          (five || body.starts_with("email="));
      ++(minted ? connection.service->minted : connection.service->unminted);
      return reply(connection, kAnswer);
    }
    if (head.start_line.starts_with("POST /batch ")) {
      connection.service->batches.inspect(body);
      return reply(connection, kAnswer);
    }
    if (head.start_line.starts_with("POST ")) {
      connection.service->check.inspect(body);
      return reply(connection, kAnswer);
    }
    if (head.start_line.starts_with("GET /kib ")) {
      ++connection.service->gets;
      return reply(connection, kib_);
    }
    if (!head.start_line.starts_with("GET /__counts ")) return reply(connection, kAnswer);
    const std::string counts = as_json(services_, true);
    return reply(connection,
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                 "Content-Length: " +
                     std::to_string(counts.size()) + "\r\n\r\n" + counts);
  }

  // The answers are far smaller than any socket buffer: one that does not fit is a lost client.
  // False also behind the last answer on a connection.
  bool reply(Connection& connection, std::string_view answer) const {
    if (draining_) {
      std::string last(answer);
      last.insert(last.find("\r\n") + 2, "Connection: close\r\n");
      send(connection.descriptor, last.data(), last.size(), MSG_NOSIGNAL);
      return false;
    }
    return send(connection.descriptor, answer.data(), answer.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(answer.size());
  }

  std::deque<Service>& services_;
  const bool drains_;
  bool draining_ = false;
  const std::string kib_ = one_kib();
  Poller poller_;
  std::vector<std::unique_ptr<Connection>> listeners_;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
};

struct ServicePort {
  const char* name;
  Expectation expectation;
  std::uint16_t port;  // 0: none
};

int run_backend(const std::vector<ServicePort>& ports, std::uint64_t seed, std::size_t count,
                bool drains) {
  const std::vector<Form> forms = make_forms(seed, count);
  const std::vector<Batch> batches = make_batches(seed, kDefaultBatches);
  std::deque<Service> services;
  for (const auto& [name, expectation, port] : ports) {
    if (port == 0) continue;
    const int listener = listen_loopback(port);
    if (listener < 0) {
      std::cerr << "backend: port " << port << " is taken; choose another\n";
      return 1;
    }
    services.push_back(
        {name, listener, BodyCheck(expectation, forms), BatchCheck(expectation, batches), 0});
  }
  stop_on_signals();
  Backend(services, drains).run();
  std::cout << as_json(services, true);
  return 0;
}

}  // namespace
}  // namespace paravent::bench

int main(int argc, char** argv) {
  using paravent::bench::Expectation;
  CLI::App app("Answers forms on loopback and judges every body it receives.");
  std::uint16_t clear = 0;
  std::uint16_t tokens = 0;
  std::uint16_t changed = 0;
  std::uint16_t peer_tokens = 0;
  std::uint64_t seed = paravent::bench::kDefaultSeed;
  std::size_t count = paravent::bench::kDefaultForms;
  app.add_option("--clear", clear, "Port where the fields must arrive unchanged");
  app.add_option("--tokens", tokens, "Port where each field must be the right kind of token");
  app.add_option("--peer-tokens", peer_tokens, "The same for a peer, counted apart");
  app.add_option("--changed", changed, "Port where no field may be a clear value");
  app.add_option("--seed", seed, "Seed of the form pool, the load generator's");
  app.add_option("--forms", count, "Forms in the pool, as many as the load generator's");
  bool drains = false;
  app.add_flag("--drain", drains, "End in order: with a last answer on each connection");
  CLI11_PARSE(app, argc, argv);
  return paravent::bench::run_backend({{"clear", Expectation::clear, clear},
                                       {"tokens", Expectation::tokens, tokens},
                                       {"peer-tokens", Expectation::tokens, peer_tokens},
                                       {"changed", Expectation::changed, changed}},
                                      seed, count, drains);
}
