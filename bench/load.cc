// Closed-loop load: N keep-alive connections, each sending its next request (requests.h) when the
// answer to the last one is complete. After a warm-up it measures one window, and reads the
// processor time of the processes it is told to watch at the window's two edges, so that the figure
// and the requests it is divided by come from the same instants. Writes one JSON object to standard
// output.
//
// Instead of a window it sends so many requests (--requests), each once, and the edges are before
// the first and behind the last answer; with --day each pass over the requests is another day's.
//
// A closed loop measures cost and throughput. Its latencies are those of a saturated system (they
// grow with N by Little's law) and serve to compare peers of one run, not to promise response
// times.

#include <time.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "bench/support/cpu_usage.h"
#include "bench/support/histogram.h"
#include "bench/support/message_head.h"
#include "bench/support/print_latencies.h"
#include "bench/support/requests.h"
#include "bench/support/shared_day.h"
#include "bench/support/socket.h"
#include "bench/support/stream.h"

namespace paravent::bench {
namespace {

struct Options {
  Requests requests;
  unsigned short beside_port = 0;  // 0: one proxy
  std::size_t connections = 64;
  double warm_up = 1.0;
  double window = 5.0;
  std::vector<pid_t> proxy;
  std::vector<pid_t> backend;
  int proxy_cpu = 0;
  int own_cpu = 1;
  std::vector<std::string> labels;
  std::string name;  // of the workload in the output; empty: what is sent
  bool tls = false;
  bool each_new = false;    // a connection for each request
  double patience = 10;     // seconds for what is under way at the window's end
  std::uint64_t count = 0;  // so many requests instead of a window
  std::string day;          // of the clock that later_day.so goes by
  bool resume = false;      // over TLS: each new one goes on from the last one's ticket
  bool histogram = false;   // all latencies in the output
};

std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(at.tv_nsec);
}

struct Connection {
  Stream stream;
  unsigned short port = 0;
  std::string_view request;
  std::string_view unsent;  // of an upload under way
  std::uint64_t started_ns = 0;
  std::size_t held = 0;
  std::array<char, 8192> buffer{};
};

// What fits into any socket's buffer.
constexpr std::size_t kSentAtOnce = 64 * 1024;

struct Tally {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;      // an answer other than 2xx, or none, also behind the window
  std::uint64_t reconnects = 0;  // orderly closes by the proxy included
};

// Everything that is read at both edges of the window.
struct Edge {
  std::uint64_t wall_ns = 0;
  std::uint64_t proxy_ns = 0;
  std::uint64_t backend_ns = 0;
  std::uint64_t own_ns = 0;
  std::uint64_t switches = 0;  // of the proxy
  BothProcessors processors;
  Tally tally;
  std::uint64_t resumed = 0;
};

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options),
        requests_(make_requests(options.requests)),
        connections_(options.connections),
        tls_(options.tls ? std::make_unique<TlsClient>(options.resume ? Handshakes::resumed
                                                                      : Handshakes::full)
                         : nullptr) {
    bool beside = false;
    for (Connection& connection : connections_) {
      connection.port = beside ? options.beside_port : options.requests.port;
      beside = !beside && options.beside_port != 0;
    }
  }

  // False when the proxy cannot be reached.
  bool connect() {
    for (Connection& connection : connections_) {
      if (!connect(connection)) return false;
    }
    return true;
  }
  bool start() {
    for (Connection& connection : connections_) {
      if (!send_next(connection)) return false;
    }
    return true;
  }

  void run_for(double seconds) {
    const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
    while (now_ns() < until && !lost_ && !stop_requested()) handle_events();
  }

  // So many requests, all of them in turn. `day`: null, or a day begins with each pass, when
  // nothing is under way.
  void run_counted(std::uint64_t count, SharedDay* day, double patience) {
    while (count > 0 && !lost_ && !stop_requested()) {
      if (day != nullptr) day->fetch_add(1);
      allowed_ = std::min<std::uint64_t>(count, requests_.size());
      count -= allowed_;
      if (!start()) lost_ = true;
      const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(patience * 1e9);
      while (under_way() > 0 && now_ns() < until && !lost_ && !stop_requested()) handle_events();
      const std::uint64_t left = under_way() + allowed_;  // what was not sent has failed too
      tally_.errors += left;
      if (left > 0) return;
    }
  }

  // Sends nothing new and waits for what is under way: a request that is never answered has failed.
  void drain(double seconds) {
    draining_ = true;
    const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
    const auto waiting = [this] {
      std::size_t open = 0;
      for (const Connection& connection : connections_)
        open += connection.stream.descriptor() >= 0 ? 1U : 0U;
      return open;
    };
    while (waiting() > 0 && now_ns() < until) {
      for (const epoll_event& event : poller_.wait(100)) {
        auto& connection = *static_cast<Connection*>(event.data.ptr);
        if (connection.stream.descriptor() < 0) continue;
        if ((event.events & EPOLLOUT) != 0 && !send_rest(connection)) {
          ++tally_.errors;
          connection.stream.close();
          continue;
        }
        const bool closing = (event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
        on_event(connection, (event.events & EPOLLIN) != 0, closing);
      }
    }
    tally_.errors += waiting();
  }

  bool lost() const { return lost_; }
  std::uint64_t errors() const { return tally_.errors; }
  Histogram& latencies() { return latencies_; }
  std::size_t request_bytes() const { return requests_.front().size(); }

  Edge edge() const {
    Edge edge;
    edge.wall_ns = now_ns();
    edge.proxy_ns = process_cpu_ns(options_.proxy);
    edge.backend_ns = process_cpu_ns(options_.backend);
    edge.own_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    edge.switches = context_switches(options_.proxy);
    edge.processors = {machine_time(options_.proxy_cpu), machine_time(options_.own_cpu)};
    edge.tally = tally_;
    edge.resumed = tls_ == nullptr ? 0 : tls_->resumed();
    return edge;
  }

 private:
  bool connect(Connection& connection) {
    if (!connection.stream.open(connection.port, tls_.get())) return false;
    connection.held = 0;
    connection.request = connection.unsent = {};
    poller_.watch(connection.stream.descriptor(), &connection);
    return true;
  }

  void reopen(Connection& connection) {
    connection.stream.close();
    connection.request = {};
    if (draining_) return;
    ++tally_.reconnects;
    if (!connect(connection) || !send_next(connection)) lost_ = true;
  }

  std::size_t under_way() const {
    std::size_t count = 0;
    for (const Connection& connection : connections_) count += connection.request.empty() ? 0U : 1U;
    return count;
  }

  void handle_events() {
    for (const epoll_event& event : poller_.wait(100)) {
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      const bool closing = (event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
      if ((event.events & EPOLLOUT) != 0 && !send_rest(connection)) {
        ++tally_.errors;
        reopen(connection);
        continue;
      }
      on_event(connection, (event.events & EPOLLIN) != 0, closing);
    }
  }

  bool send_next(Connection& connection) {
    if (allowed_ == 0) return true;
    --allowed_;
    // There are far more of them than are under way, so that nobody is sending the one that is
    // made new.
    connection.started_ns = now_ns();
    renew_request(options_.requests.workload, next_, connection.started_ns, requests_[next_]);
    connection.request = requests_[next_];
    next_ = next_ + 1 == requests_.size() ? 0 : next_ + 1;
    if (connection.request.size() < kSentAtOnce) return connection.stream.send(connection.request);
    connection.unsent = connection.request;
    return send_rest(connection);
  }

  bool send_rest(Connection& connection) {
    while (!connection.unsent.empty()) {
      const ssize_t sent = connection.stream.send_some(connection.unsent);
      if (sent < 0) return false;
      if (sent == 0) return true;
      connection.unsent.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void on_event(Connection& connection, bool readable, bool closing) {
    if (!readable && !closing) return;
    // Behind the last bytes of a connection comes its end, which may be told in the same event and
    // then is not told again.
    do {
      const ssize_t got =
          connection.stream.receive(std::span(connection.buffer).subspan(connection.held));
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        // Only where a pass ends is there none under way.
        if (!connection.request.empty()) ++tally_.errors;
        reopen(connection);
        return;
      }
      connection.held += static_cast<std::size_t>(got);
      const auto head = find_head({connection.buffer.data(), connection.held});
      if (!head) continue;
      const bool unusable = !head->has_length || head->total_bytes() > connection.buffer.size();
      if (!unusable && connection.held < head->total_bytes()) continue;
      finish(connection, *head, unusable, closing);
      return;
    } while (closing);
  }

  void finish(Connection& connection, const MessageHead& head, bool unusable, bool closing) {
    // In a mix of both, how long 10 MiB take says nothing about the others.
    const bool uploads = options_.requests.workload == kUploadWorkload;
    if (uploads || connection.request.size() < kSentAtOnce) {
      latencies_.record(now_ns() - connection.started_ns);
    }
    ++tally_.requests;
    if (unusable || head.status < 200 || head.status > 299) ++tally_.errors;
    connection.held = 0;
    connection.request = {};
    const bool ends = draining_ || options_.each_new || unusable || closing || head.close;
    if (ends || !send_next(connection)) reopen(connection);
  }

  const Options& options_;
  std::vector<std::string> requests_;
  std::vector<Connection> connections_;
  std::unique_ptr<TlsClient> tls_;  // null: plain
  Poller poller_;
  Histogram latencies_;
  Tally tally_;
  std::size_t next_ = 0;
  std::uint64_t allowed_ = std::numeric_limits<std::uint64_t>::max();  // more requests
  bool lost_ = false;
  bool draining_ = false;
};

double micros(std::uint64_t ns) { return static_cast<double>(ns) / 1000.0; }

void print_report(const Options& options, Load& load, const Edge& a, const Edge& b) {
  const double seconds = static_cast<double>(b.wall_ns - a.wall_ns) / 1e9;
  const std::uint64_t requests = b.tally.requests - a.tally.requests;
  const auto per_request = [&](std::uint64_t ns) {
    return requests == 0 ? 0.0 : micros(ns) / static_cast<double>(requests);
  };
  const std::uint64_t proxy_ns = b.proxy_ns - a.proxy_ns;
  const std::uint64_t backend_ns = b.backend_ns - a.backend_ns;
  const std::uint64_t own_ns = b.own_ns - a.own_ns;
  const double ours = static_cast<double>(proxy_ns + backend_ns + own_ns) / 1e9;
  const SharesOfOthers others = shares_of_others(a.processors, b.processors, ours, seconds);
  const Histogram& latency = load.latencies();

  const std::string& name = options.name.empty() ? options.requests.workload : options.name;
  std::printf("{\"workload\":\"%s\",", name.c_str());
  for (const std::string& label : options.labels) {
    const std::size_t at = label.find('=');
    std::printf("\"%s\":\"%s\",", label.substr(0, at).c_str(), label.substr(at + 1).c_str());
  }
  std::printf("\"seconds\":%.6f,\"connections\":%zu,\"request_bytes\":%zu,", seconds,
              options.connections, load.request_bytes());
  std::printf("\"resumed\":%llu,", static_cast<unsigned long long>(b.resumed - a.resumed));
  std::printf("\"requests\":%llu,\"errors\":%llu,\"reconnects\":%llu,",
              static_cast<unsigned long long>(requests),
              static_cast<unsigned long long>(load.errors() - a.tally.errors),
              static_cast<unsigned long long>(b.tally.reconnects - a.tally.reconnects));
  std::printf("\"requests_per_second\":%.1f,", static_cast<double>(requests) / seconds);
  std::printf("\"proxy_cpu_us\":%.4f,\"backend_cpu_us\":%.4f,\"load_cpu_us\":%.4f,",
              per_request(proxy_ns), per_request(backend_ns), per_request(own_ns));
  std::printf("\"proxy_switches\":%.4f,",
              requests == 0
                  ? 0.0
                  : static_cast<double>(b.switches - a.switches) / static_cast<double>(requests));
  std::printf("\"p50_us\":%.2f,\"p90_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f,",
              micros(latency.quantile(0.5)), micros(latency.quantile(0.9)),
              micros(latency.quantile(0.99)), micros(latency.quantile(0.999)));
  if (options.histogram) print_latencies(latency);
  std::printf("\"proxy_cpu_busy\":%.4f,\"own_cpu_busy\":%.4f,",
              static_cast<double>(proxy_ns) / 1e9 / seconds,
              static_cast<double>(backend_ns + own_ns) / 1e9 / seconds);
  std::printf("\"steal\":%.4f,\"foreign\":%.4f}\n", others.steal, others.foreign);
}

int run_load(const Options& options) {
  stop_on_signals();
  SharedDay* const day = options.day.empty() ? nullptr : map_shared_day(options.day.c_str());
  if (!options.day.empty() && day == nullptr) {
    std::cerr << "load: " << options.day << " cannot be written\n";
    return 6;
  }
  Load load(options);
  if (!load.connect() || (options.count == 0 && !load.start())) {
    std::cerr << "load: nothing answers on port " << options.requests.port << "\n";
    return 6;
  }
  if (options.count == 0) {
    load.run_for(options.warm_up);
    load.latencies().clear();
  } else {
    // Until the proxy has taken the connections, which is no part of a request.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  const Edge before = load.edge();
  if (options.count == 0) {
    load.run_for(options.window);
  } else {
    load.run_counted(options.count, day, options.patience);
  }
  const Edge after = load.edge();
  if (options.count == 0) load.drain(options.patience);
  if (load.lost()) {
    std::cerr << "load: the proxy on port " << options.requests.port
              << " went away during the window\n";
    return 6;
  }
  print_report(options, load, before, after);
  return 0;
}

}  // namespace
}  // namespace paravent::bench

int main(int argc, char** argv) {
  CLI::App app("Sends forms in a closed loop and measures one window.");
  paravent::bench::Options options;
  app.add_option("--port", options.requests.port, "Loopback port of the proxy");
  app.add_option("--beside-port", options.beside_port,
                 "Of a second proxy, for every second connection");
  app.add_option("--connections", options.connections, "Keep-alive connections");
  app.add_option("--warm-up", options.warm_up, "Seconds before the window");
  app.add_option("--window", options.window, "Seconds of the window");
  app.add_option("--requests", options.count, "So many requests instead of warm-up and window")
      ->check(CLI::PositiveNumber);
  app.add_option(
         "--day", options.day,
         "With --requests: the file of later_day.so; each pass over the forms is a new day's")
      ->needs("--requests");
  app.add_option("--workload", options.requests.workload, "What is sent")
      ->check(CLI::IsMember(paravent::bench::kWorkloads));
  app.add_option("--seed", options.requests.seed, "Seed of the form pool");
  app.add_option("--forms", options.requests.forms, "Forms in the pool")
      ->check(CLI::PositiveNumber);
  app.add_option("--stored", options.requests.stored, "Addresses that five-stored-tokens asks for")
      ->check(CLI::Range(5, 100'000'000));
  app.add_option("--message-bytes", options.requests.message_bytes,
                 "So many more bytes in the message of each form");
  app.add_option("--proxy", options.proxy, "Process ids of the proxy")->delimiter(',');
  app.add_option("--backend", options.backend, "Process ids of the backend")->delimiter(',');
  app.add_option("--proxy-cpu", options.proxy_cpu, "Processor the proxy is pinned to");
  app.add_option("--own-cpu", options.own_cpu, "Processor of the backend and this program");
  app.add_option("--name", options.name, "Name of the workload in the output");
  app.add_flag("--tls", options.tls, "Over TLS 1.3");
  app.add_flag("--each-new", options.each_new, "A new connection for each request");
  app.add_option("--patience", options.patience,
                 "Seconds for the answers that are due at the window's end");
  app.add_flag("--resume", options.resume, "With both: handshakes resumed from the last ticket");
  app.add_flag("--histogram", options.histogram,
               "Print all latencies too: [microseconds at most, how many], in buckets of 1.6 %");
  app.add_option("--label", options.labels, "KEY=VALUE to repeat in the output");
  bool print_form = false;
  app.add_flag("--print-form", print_form, "Print the body of the pool's first form and end");
  CLI11_PARSE(app, argc, argv);
  if (print_form) {
    std::cout << paravent::bench::make_forms(options.requests.seed, 1).front().body << "\n";
    return 0;
  }
  return paravent::bench::run_load(options);
}
