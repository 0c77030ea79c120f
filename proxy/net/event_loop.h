// EventLoop: one worker's thread of events: an Asio io_context for posts from other threads and for the
// tick, and beside it one edge-triggered epoll set for the sockets of the data path.
//
// Why not Asio's own reactor for those sockets: it tries a read that fails before every wait, two wasted
// system calls per proxied request. Here a socket is registered once in its life and its owner reads and
// writes directly when told; the set itself is one descriptor to Asio, so that a busy loop pays for it once
// per batch (docs/request-path.md). All but post() and stop() belong to the loop's thread.

#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "proxy/net/deadlines.h"
#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net {

// Owner of a registered descriptor.
class Watcher {
 public:
  // `events` as of epoll_wait, edge-triggered: what was not read or written to its end is told once.
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~Watcher() = default;
};

// Work put off until the current call has unwound.
class Task {
 public:
  virtual void run_task() = 0;

  // The loop's own mark; answers what it was.
  bool mark_queued(bool queued) noexcept { return std::exchange(queued_, queued); }

 protected:
  ~Task() = default;

 private:
  bool queued_ = false;
};

class EventLoop;

// Where other threads leave work for a loop that may be gone by then. Thread safe.
class Mailbox {
 public:
  // False, and `work` is dropped, once the loop has ended.
  bool post(std::function<void()> work);

 private:
  friend class EventLoop;
  std::mutex mutex_;
  EventLoop* loop_ = nullptr;
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs on the calling thread until stop().
  void run();
  // Any thread.
  void stop();
  const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }

  // Registers for reading and writing, edge-triggered unless `level`. False: out of resources.
  bool add(int fd, Watcher& watcher, bool level = false) noexcept;
  // To be called before the descriptor is closed: no event that was already fetched reaches `watcher`.
  void drop(const Watcher& watcher) noexcept;

  // Runs `task` soon on this thread, once however often it is asked for.
  void defer(Task& task);
  void forget(Task& task) noexcept;

  Deadlines& deadlines() noexcept { return deadlines_; }
  // Called at every tick.
  void set_on_tick(std::function<void()> on_tick) { on_tick_ = std::move(on_tick); }

 private:
  friend class Mailbox;
  static constexpr std::size_t kBatch = 128;

  void wait_ready();
  void wait_tick();
  void dispatch();
  void run_tasks();

  // Runs on one thread; other threads only post, which this hint still allows.
  boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  boost::asio::posix::stream_descriptor ready_;
  boost::asio::steady_timer ticker_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::array<epoll_event, kBatch> batch_{};
  std::size_t batch_at_ = 0;
  std::size_t batch_size_ = 0;
  std::vector<Task*> tasks_;
  std::vector<Task*> running_;
  Deadlines deadlines_;
  std::function<void()> on_tick_;
};

}  // namespace paravent::proxy::net
