// Open-loop load: requests leave at fixed instants, whether or not earlier ones were answered, and
// a latency counts from the instant at which its request was due. A closed loop stops sending while
// the proxy is slow and so leaves out just the moments that hurt ("coordinated omission"); this one
// counts them. Writes one JSON object to standard output.
//
// The rate belongs well below what the proxy can do: at half of it the figures are response times
// that a visitor sees, without the queue that any overload makes.
//
// With --beside-port every second request goes to another proxy, over as many connections: whatever
// else the machine does hits both, so a ratio of their quantiles moves less than either.

#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <iostream>
#include <string>
#include <vector>

#include "bench/support/cpu_usage.h"
#include "bench/support/histogram.h"
#include "bench/support/message_head.h"
#include "bench/support/print_latencies.h"
#include "bench/support/requests.h"
#include "bench/support/socket.h"

namespace paravent::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Options {
  Requests requests;
  double rate = 1000;
  std::size_t connections = 64;
  double warm_up = 1.0;
  double window = 5.0;
  unsigned short beside_port = 0;  // 0: one proxy
  bool histogram = false;          // all latencies in the output
  // Proxies and backends; where some are named, what the host and other programs had of the
  // machine's two processors is told as well.
  std::vector<pid_t> ours;
  std::vector<std::string> labels;
};

std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec at{};
  clock_gettime(clock, &at);
  return static_cast<std::uint64_t>(at.tv_sec) * kSecond + static_cast<std::uint64_t>(at.tv_nsec);
}

struct Edge {
  BothProcessors processors;
  double wall = 0;  // seconds, as is the next
  double ours = 0;
};

Edge edge_now(const Options& options) {
  const std::uint64_t ours = process_cpu_ns(options.ours) + now_ns(CLOCK_PROCESS_CPUTIME_ID);
  return {{machine_time(0), machine_time(1)},
          static_cast<double>(now_ns()) / 1e9,
          static_cast<double>(ours) / 1e9};
}

struct Proxy;

struct Connection {
  Proxy* proxy = nullptr;
  int descriptor = -1;
  std::uint64_t due_ns = 0;  // of the request under way
  bool busy = false;
  std::size_t held = 0;
  std::array<char, 8192> buffer{};
};

struct Proxy {
  unsigned short port = 0;
  std::vector<Connection> connections;
  std::vector<Connection*> idle;
  std::deque<std::uint64_t> waiting;  // when each was due
  std::uint64_t due_in_window = 0;
  std::uint64_t errors = 0;
  std::size_t longest_queue = 0;
  Histogram latencies;
};

class OpenLoad {
 public:
  explicit OpenLoad(const Options& options)
      : options_(options),
        texts_(make_requests(options.requests)),
        proxies_(options.beside_port == 0 ? 1 : 2),
        timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
        step_ns_(static_cast<std::uint64_t>(1e9 / options.rate)) {}
  OpenLoad(const OpenLoad&) = delete;
  OpenLoad& operator=(const OpenLoad&) = delete;
  ~OpenLoad() {
    close(timer_);
    for (const Proxy& proxy : proxies_) {
      for (const Connection& connection : proxy.connections) close(connection.descriptor);
    }
  }

  // False when the proxy cannot be reached, or goes away.
  bool run() {
    proxies_.front().port = options_.requests.port;
    if (proxies_.size() > 1) proxies_.back().port = options_.beside_port;
    for (Proxy& proxy : proxies_) {
      proxy.connections.resize(options_.connections);
      for (Connection& connection : proxy.connections) {
        connection.proxy = &proxy;
        if (!open(connection)) return false;
        proxy.idle.push_back(&connection);
      }
    }
    poller_.watch(timer_, nullptr);
    const std::uint64_t start = now_ns();
    from_ns_ = start + static_cast<std::uint64_t>(options_.warm_up * 1e9);
    until_ns_ = from_ns_ + static_cast<std::uint64_t>(options_.window * 1e9);
    next_due_ns_ = start;
    // What is under way at the end is waited for: a late answer counts as late, not as none.
    const std::uint64_t give_up_ns = until_ns_ + 5 * kSecond;
    before_ = edge_now(options_);
    while (!stop_requested() && !lost_) {
      send_due(now_ns());
      if (next_due_ns_ >= until_ns_ && all_answered()) break;
      if (now_ns() > give_up_ns) break;
      arm();
      for (const epoll_event& event : poller_.wait(100)) {
        if (event.data.ptr == nullptr) {
          std::uint64_t ticks = 0;
          (void)!read(timer_, &ticks, sizeof ticks);
          continue;
        }
        on_event(*static_cast<Connection*>(event.data.ptr), event.events);
      }
    }
    after_ = edge_now(options_);
    return !lost_;
  }

  void print() const {
    std::printf("{\"workload\":\"%s\",", options_.requests.workload.c_str());
    for (const std::string& label : options_.labels) {
      const std::size_t at = label.find('=');
      std::printf("\"%s\":\"%s\",", label.substr(0, at).c_str(), label.substr(at + 1).c_str());
    }
    std::printf("\"rate\":%.1f,\"seconds\":%.3f,\"connections\":%zu,", options_.rate,
                options_.window, options_.connections);
    if (!options_.ours.empty()) {
      const SharesOfOthers others =
          shares_of_others(before_.processors, after_.processors, after_.ours - before_.ours,
                           after_.wall - before_.wall);
      std::printf("\"steal\":%.4f,\"foreign\":%.4f,", others.steal, others.foreign);
    }
    print(proxies_.front());
    if (proxies_.size() > 1) {
      std::printf(",\"beside\":{");
      print(proxies_.back());
      std::printf("}");
    }
    std::printf("}\n");
  }

 private:
  void print(const Proxy& proxy) const {
    const auto micros = [&](double q) {
      return static_cast<double>(proxy.latencies.quantile(q)) / 1000.0;
    };
    std::printf("\"requests\":%llu,\"answered\":%llu,\"errors\":%llu,\"queued\":%zu,",
                static_cast<unsigned long long>(proxy.due_in_window),
                static_cast<unsigned long long>(proxy.latencies.count()),
                static_cast<unsigned long long>(proxy.errors), proxy.longest_queue);
    if (options_.histogram) print_latencies(proxy.latencies);
    std::printf("\"p50_us\":%.2f,\"p90_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f", micros(0.5),
                micros(0.9), micros(0.99), micros(0.999));
  }

  bool all_answered() const {
    return std::ranges::all_of(proxies_, [](const Proxy& proxy) {
      return proxy.waiting.empty() && proxy.idle.size() == proxy.connections.size();
    });
  }

  bool open(Connection& connection) {
    connection.descriptor = connect_loopback(connection.proxy->port);
    if (connection.descriptor < 0) return false;
    connection.held = 0;
    poller_.watch(connection.descriptor, &connection);
    return true;
  }

  // Everything whose instant has come; what finds no idle connection waits in order.
  void send_due(std::uint64_t now) {
    for (; next_due_ns_ <= now && next_due_ns_ < until_ns_; next_due_ns_ += step_ns_) {
      Proxy& proxy = proxies_[turn_];
      turn_ = turn_ + 1 == proxies_.size() ? 0 : turn_ + 1;
      proxy.waiting.push_back(next_due_ns_);
      if (next_due_ns_ >= from_ns_) ++proxy.due_in_window;
      send_waiting(proxy);
    }
    for (Proxy& proxy : proxies_) {
      send_waiting(proxy);
      proxy.longest_queue = std::max(proxy.longest_queue, proxy.waiting.size());
    }
  }

  void send_waiting(Proxy& proxy) {
    while (!proxy.waiting.empty() && !proxy.idle.empty()) {
      Connection& connection = *proxy.idle.back();
      proxy.idle.pop_back();
      connection.due_ns = proxy.waiting.front();
      proxy.waiting.pop_front();
      connection.busy = true;
      const std::string& text = texts_[at_];
      at_ = at_ + 1 == texts_.size() ? 0 : at_ + 1;
      // A request on an idle connection always fits the socket's buffer (connect_loopback).
      if (send(connection.descriptor, text.data(), text.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(text.size())) {
        fail(connection);
      }
    }
  }

  void arm() const {
    itimerspec at{};
    const std::uint64_t next = next_due_ns_ < until_ns_ ? next_due_ns_ : now_ns() + kSecond / 10;
    at.it_value.tv_sec = static_cast<time_t>(next / kSecond);
    at.it_value.tv_nsec = static_cast<long>(next % kSecond);
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr);
  }

  void on_event(Connection& connection, std::uint32_t events) {
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) return;
    const std::size_t room = connection.buffer.size() - connection.held;
    const ssize_t got =
        recv(connection.descriptor, connection.buffer.data() + connection.held, room, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      fail(connection);
      return;
    }
    connection.held += static_cast<std::size_t>(got);
    const auto head = find_head({connection.buffer.data(), connection.held});
    if (!head) return;
    if (!head->has_length || head->total_bytes() > connection.buffer.size()) {
      fail(connection);
      return;
    }
    if (connection.held < head->total_bytes()) return;
    if (head->status < 200 || head->status > 299) ++connection.proxy->errors;
    if (connection.due_ns >= from_ns_)
      connection.proxy->latencies.record(now_ns() - connection.due_ns);
    connection.held = 0;
    if (head->close) {
      close(connection.descriptor);
      if (!open(connection)) lost_ = true;
    }
    connection.busy = false;
    connection.proxy->idle.push_back(&connection);
  }

  // A connection that closes while nothing is under way is opened anew and is no error.
  void fail(Connection& connection) {
    close(connection.descriptor);
    if (connection.busy) {
      ++connection.proxy->errors;
      connection.proxy->idle.push_back(&connection);
    }
    connection.busy = false;
    if (!open(connection)) lost_ = true;
  }

  const Options& options_;
  std::vector<std::string> texts_;
  std::vector<Proxy> proxies_;
  std::size_t turn_ = 0;  // whose the next request is
  Poller poller_;
  int timer_;
  std::uint64_t step_ns_;
  std::uint64_t from_ns_ = 0;
  std::uint64_t until_ns_ = 0;
  std::uint64_t next_due_ns_ = 0;
  std::size_t at_ = 0;
  bool lost_ = false;
  Edge before_;  // the warm-up included
  Edge after_;
};

}  // namespace
}  // namespace paravent::bench

int main(int argc, char** argv) {
  using namespace paravent::bench;
  CLI::App app("Sends requests at fixed instants and measures from when each was due.");
  Options options;
  app.add_option("--port", options.requests.port, "Loopback port of the proxy")->required();
  app.add_option("--rate", options.rate, "Requests per second")->check(CLI::Range(1.0, 1e6));
  app.add_option("--connections", options.connections, "Keep-alive connections")
      ->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up, "Seconds before the window");
  app.add_option("--window", options.window, "Seconds of the window");
  app.add_option("--workload", options.requests.workload, "What is sent")
      ->check(CLI::IsMember(kWorkloads));
  app.add_option("--beside-port", options.beside_port,
                 "Of a second proxy, for every second request");
  app.add_flag("--histogram", options.histogram, "All latencies in the output");
  app.add_option("--ours", options.ours,
                 "Process ids of proxies and backends: then what others had is told")
      ->delimiter(',');
  app.add_option("--label", options.labels, "KEY=VALUE to repeat in the output");
  CLI11_PARSE(app, argc, argv);
  stop_on_signals();
  OpenLoad load(options);
  if (!load.run()) {
    std::cerr << "open_load: the proxy on port " << options.requests.port
              << " does not answer, or went away\n";
    return 6;
  }
  load.print();
  return 0;
}
