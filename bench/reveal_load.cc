// Closed-loop load on the admin API: N keep-alive connections, each sending its next request for
// re-identification when the answer to the last one is complete. The bodies come from a file, one a
// line: `LABEL JSON`; they are taken in random order, so that two labels can be compared within one
// run. Writes one JSON object with a row per label to standard output.

#include <time.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/support/cpu_usage.h"
#include "bench/support/histogram.h"
#include "bench/support/message_head.h"
#include "bench/support/socket.h"
#include "bench/support/stream.h"

namespace paravent::bench {
namespace {

struct Options {
  std::uint16_t port = 0;
  std::string credential;
  std::string bodies;
  std::size_t connections = 8;
  double warm_up = 1.0;
  double window = 5.0;
  std::uint64_t seed = 1;
  std::vector<pid_t> gateway;
  std::string samples;  // a file for every single latency: `LABEL ns` a line
};

std::uint64_t now_ns() {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(at.tv_nsec);
}

struct Label {
  std::string name;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::uint64_t revealed = 0;
  std::uint64_t unavailable = 0;
  Histogram latencies;
  std::vector<std::uint64_t> samples;
};

struct Request {
  Label* label = nullptr;
  std::string bytes;
};

struct Connection {
  Stream stream;
  const Request* request = nullptr;
  std::uint64_t started_ns = 0;
  std::string received;
};

std::uint64_t count(std::string_view text, std::string_view what) {
  std::uint64_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size())) {
    ++found;
  }
  return found;
}

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), random_(options.seed), connections_(options.connections) {}

  bool read_bodies() {
    std::ifstream file(options_.bodies);
    for (std::string line; std::getline(file, line);) {
      const std::size_t space = line.find(' ');
      if (space == std::string::npos) return false;
      auto& label = labels_[line.substr(0, space)];
      if (!label) label = std::make_unique<Label>(Label{line.substr(0, space), 0, 0, 0, 0, {}, {}});
      const std::string body = line.substr(space + 1);
      requests_.push_back({label.get(),
                           "POST /v1/reidentify HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                           "Authorization: Bearer " +
                               options_.credential +
                               "\r\nContent-Type: application/json\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body});
    }
    return !requests_.empty();
  }

  bool start() {
    for (Connection& connection : connections_) {
      if (!connection.stream.open(options_.port, nullptr)) return false;
      poller_.watch(connection.stream.descriptor(), &connection);
      if (!send_next(connection)) return false;
    }
    return true;
  }

  // False: a connection was lost.
  bool run_for(double seconds) {
    const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
    while (now_ns() < until && !stop_requested()) {
      for (const epoll_event& event : poller_.wait(100)) {
        if (!receive(*static_cast<Connection*>(event.data.ptr))) return false;
      }
    }
    return true;
  }

  void clear() {
    for (auto& [name, label] : labels_) *label = Label{name, 0, 0, 0, 0, {}, {}};
  }
  const std::map<std::string, std::unique_ptr<Label>>& labels() const { return labels_; }

 private:
  bool send_next(Connection& connection) {
    connection.request = &requests_[random_() % requests_.size()];
    connection.received.clear();
    connection.started_ns = now_ns();
    return connection.stream.send(connection.request->bytes);
  }

  bool receive(Connection& connection) {
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t got = connection.stream.receive(buffer);
      if (got < 0 && errno == EAGAIN) return true;
      if (got <= 0) return false;
      connection.received.append(buffer.data(), static_cast<std::size_t>(got));
      const auto head = find_head(connection.received);
      if (!head || connection.received.size() < head->total_bytes()) continue;
      const std::uint64_t took = now_ns() - connection.started_ns;
      Label& label = *connection.request->label;
      label.latencies.record(took);
      if (!options_.samples.empty()) label.samples.push_back(took);
      ++label.requests;
      if (head->status != 200) ++label.errors;
      label.revealed += count(connection.received, R"("status":"revealed")");
      label.unavailable += count(connection.received, R"("status":"unavailable")");
      if (!send_next(connection)) return false;
    }
  }

  const Options& options_;
  std::mt19937_64 random_;
  std::map<std::string, std::unique_ptr<Label>> labels_;
  std::vector<Request> requests_;
  std::vector<Connection> connections_;
  Poller poller_;
};

double micros(std::uint64_t ns) { return static_cast<double>(ns) / 1000.0; }

int run(const Options& options) {
  stop_on_signals();
  Load load(options);
  if (!load.read_bodies()) {
    std::cerr << "reveal_load: " << options.bodies << " holds no requests\n";
    return 2;
  }
  if (!load.start() || !load.run_for(options.warm_up)) {
    std::cerr << "reveal_load: the gateway does not answer on port " << options.port << "\n";
    return 6;
  }
  load.clear();
  const std::uint64_t cpu = process_cpu_ns(options.gateway);
  const std::uint64_t begin = now_ns();
  if (!load.run_for(options.window)) {
    std::cerr << "reveal_load: the gateway went away\n";
    return 6;
  }
  const double seconds = static_cast<double>(now_ns() - begin) / 1e9;
  const std::uint64_t used = process_cpu_ns(options.gateway) - cpu;
  std::printf("{\"connections\":%zu,\"seconds\":%.3f,\"gateway_cpu_s\":%.4f,\"labels\":{",
              options.connections, seconds, static_cast<double>(used) / 1e9);
  const char* comma = "";
  for (const auto& [name, label] : load.labels()) {
    std::printf(
        "%s\"%s\":{\"requests\":%llu,\"errors\":%llu,\"revealed\":%llu,\"unavailable\":%llu,"
        "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f}",
        comma, name.c_str(), static_cast<unsigned long long>(label->requests),
        static_cast<unsigned long long>(label->errors),
        static_cast<unsigned long long>(label->revealed),
        static_cast<unsigned long long>(label->unavailable), micros(label->latencies.quantile(0.5)),
        micros(label->latencies.quantile(0.99)), micros(label->latencies.quantile(0.999)));
    comma = ",";
  }
  std::printf("}}\n");
  if (options.samples.empty()) return 0;
  std::ofstream out(options.samples);
  for (const auto& [name, label] : load.labels()) {
    for (const std::uint64_t ns : label->samples) out << name << ' ' << ns << '\n';
  }
  return out.flush() ? 0 : 1;
}

}  // namespace
}  // namespace paravent::bench

int main(int argc, char** argv) {
  CLI::App app(
      "Asks the admin API for re-identification in a closed loop and measures one window.");
  paravent::bench::Options options;
  app.add_option("--port", options.port, "Loopback port of the admin listener")->required();
  app.add_option("--credential", options.credential, "Bearer credential of an operator")
      ->required();
  app.add_option("--bodies", options.bodies, "File of request bodies: LABEL JSON a line")
      ->required();
  app.add_option("--connections", options.connections, "Keep-alive connections");
  app.add_option("--warm-up", options.warm_up, "Seconds before the window");
  app.add_option("--window", options.window, "Seconds of the window");
  app.add_option("--seed", options.seed, "Seed of the order of the bodies");
  app.add_option("--gateway", options.gateway, "Process ids of the gateway")->delimiter(',');
  app.add_option("--samples", options.samples, "File for every single latency");
  CLI11_PARSE(app, argc, argv);
  return paravent::bench::run(options);
}
