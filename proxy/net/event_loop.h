// EventLoop: one worker's thread of events: an edge-triggered epoll set for the sockets of the data
// path, an Asio io_context for what other threads post, and one coarse tick.
//
// Why not Asio's own reactor for those sockets: it tries a read that fails before every wait, two
// wasted system calls per proxied request. Here a socket is registered once in its life and its
// owner reads and writes directly when told: 4 calls per request and a share of one epoll_wait
// (docs/request-path.md). All but Mailbox::post() belong to the loop's thread.

#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "proxy/net/deadlines.h"
#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net {

// Owner of a registered descriptor. Neither its calls nor those of a Task, a Writer or a
// DeadlineHandler may throw: where memory runs out, whoever is called gives up what it is about.
class Watcher {
 public:
  // `events` as of epoll_wait, edge-triggered: what was not read or written to its end is told
  // once.
  virtual void on_ready(std::uint32_t events) = 0;

  // Called in a row for events that were fetched together, where there are more than a few, before
  // the on_ready() of any of them:
  // the moment to read what has arrived, and only to read. One read after the other, and then one
  // request after the other, keeps the kernel's code and ours from driving each other out of the
  // processor's caches (docs/decisions/0002). Between this call and on_ready() other watchers run,
  // and may end this one.
  virtual void read_ahead(std::uint32_t events) { static_cast<void>(events); }

 protected:
  ~Watcher() = default;
};

// A link of the loop's lists in the object itself: to wait there takes no memory, so it cannot
// fail.
using LoopHook = boost::intrusive::list_base_hook<
    boost::intrusive::link_mode<boost::intrusive::link_mode_type::auto_unlink>>;

// Work put off until the current call has unwound.
class Task : public LoopHook {
 public:
  virtual void run_task() = 0;

 protected:
  ~Task() = default;
};

// Bytes that leave behind the events under way, together with those of others.
class Writer : public LoopHook {
 public:
  virtual void write_now() = 0;

 protected:
  ~Writer() = default;
};

class EventLoop;

// Where other threads leave work for a loop that may be gone by then. Thread safe.
class Mailbox {
 public:
  // False, and `work` is dropped, once the loop is destroyed. Work that a loop does not come to any
  // more is destroyed with it; so is work for which memory runs out. Throws std::bad_alloc.
  bool post(std::function<void()> work);

 private:
  friend class EventLoop;
  std::mutex mutex_;
  EventLoop* loop_ = nullptr;
};

class EventLoop final : private Watcher {
 public:
  // Looks for events so long before each sleep; zero: sleeps at once. A thread
  // that sleeps is woken in tens of microseconds, twice for a request; one that looks
  // takes its processor for itself while requests come more often than that.
  // Ends the process when descriptors are exhausted: a worker without its epoll set is none.
  explicit EventLoop(std::chrono::microseconds busy_poll = {});
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs on the calling thread until stop(), which is called on that thread.
  void run();
  void stop() noexcept { stopping_ = true; }
  const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }

  // Registers for reading and writing, edge-triggered; or for reading, level-triggered. False: out
  // of resources.
  bool add(int fd, Watcher& watcher, bool level = false) noexcept;
  // To be called before the descriptor is closed: no event that was already fetched reaches
  // `watcher`.
  void drop(const Watcher& watcher) noexcept;
  // Whether an event that was already fetched is still to be told to `watcher`: what it says
  // happened before anything that is done now.
  bool has_event_for(const Watcher& watcher) const noexcept;

  // Runs `task` soon on this thread, once however often it is asked for: behind the event under
  // way, or, when asked by a task, behind the next one. So work that goes on and on shares the
  // thread.
  void defer(Task& task) noexcept;
  void forget(Task& task) noexcept;

  // Calls `writer` once, behind the events that were fetched together, or earlier when enough wait;
  // when asked by a writer, behind the next ones.
  // One write after the other finds the kernel's code and tables in the processor's caches and its
  // reader mostly awake (docs/decisions/0002). Of few events at a time none waits for the others.
  void write_soon(Writer& writer) noexcept;
  void forget_write(Writer& writer) noexcept;

  Deadlines& deadlines() noexcept { return deadlines_; }

 private:
  friend class Mailbox;
  static constexpr std::size_t kBatch = 128;
  // Reads, or writes, in a row: more would delay the first without saving anything.
  static constexpr std::size_t kMostInRow = 64;
  // So few events that were fetched together are each handled to their end: the first would wait
  // for the others, and they save little.
  static constexpr std::size_t kFew = 4;
  static constexpr std::size_t kDueInRow = 2;

  template <typename Item>
  using Waiting = boost::intrusive::list<Item, boost::intrusive::constant_time_size<false>>;

  // One pass: who asks for another turn meanwhile waits until others had theirs.
  template <typename Item, typename Act>
  static void take_turns(Waiting<Item>& waiting, Act act) {
    Waiting<Item> turns;
    turns.swap(waiting);
    while (!turns.empty()) {
      Item& item = turns.front();
      turns.pop_front();
      act(item);
    }
  }

  void on_ready(std::uint32_t events) override;  // somebody posted
  int wait() noexcept;
  int fetch(int wait_ms) noexcept;
  void dispatch(std::size_t size);
  std::size_t read_ahead_from(std::size_t first);
  void run_tasks();
  void run_writes();
  void wake() noexcept;

  // Run by one thread; others only post, which this hint still allows.
  boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  UniqueFd set_;
  UniqueFd wake_;
  std::atomic<bool> woken_{false};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  bool stopping_ = false;
  bool more_due_ = false;  // deadlines whose handlers have not had their turn
  std::chrono::steady_clock::duration busy_poll_;
  std::array<epoll_event, kBatch> batch_{};
  std::size_t batch_at_ = 0;
  std::size_t batch_size_ = 0;
  Waiting<Task> tasks_;
  Waiting<Writer> writers_;
  std::size_t writers_came_ = 0;  // since the last turn, some of whom may be forgotten again
  Deadlines deadlines_;
};

}  // namespace paravent::proxy::net
