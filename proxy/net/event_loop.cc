#include "proxy/net/event_loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net {

bool Mailbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return false;
  boost::asio::post(loop_->context_, std::move(work));
  loop_->wake();
  return true;
}

EventLoop::EventLoop(std::chrono::microseconds busy_poll)
    : set_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      busy_poll_(busy_poll) {
  if (!set_ || !wake_ || !add(wake_.get(), *this, true)) std::abort();
  mailbox_->loop_ = this;
}

EventLoop::~EventLoop() {
  const std::lock_guard lock(mailbox_->mutex_);
  mailbox_->loop_ = nullptr;
}

void EventLoop::run() {
  while (!stopping_) {
    const int n = wait();
    const std::size_t events = n > 0 ? static_cast<std::size_t>(n) : 0;
    deadlines_.refresh();
    dispatch(events);
    // As many as events: where a flood comes in, it must not come in quicker than it is shown out.
    more_due_ = deadlines_.fire_due(std::max(kDueInRow, events));
    run_tasks();
    run_writes();
  }
}

int EventLoop::wait() noexcept {
  if (!tasks_.empty() || !writers_.empty() || more_due_) return fetch(0);
  if (busy_poll_ > busy_poll_.zero()) {
    const auto until = std::chrono::steady_clock::now() + busy_poll_;
    do {
      if (const int n = fetch(0); n != 0) return n;
    } while (std::chrono::steady_clock::now() < until);
  }
  return fetch(deadlines_.ms_to_next_tick());
}

int EventLoop::fetch(int wait_ms) noexcept {
  return epoll_wait(set_.get(), batch_.data(), static_cast<int>(kBatch), wait_ms);
}

bool EventLoop::add(int fd, Watcher& watcher, bool level) noexcept {
  epoll_event event{};
  event.events = level ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watcher;
  return epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::drop(const Watcher& watcher) noexcept {
  for (std::size_t i = batch_at_; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watcher) batch_[i].data.ptr = nullptr;
  }
}

bool EventLoop::has_event_for(const Watcher& watcher) const noexcept {
  for (std::size_t i = batch_at_; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watcher) return true;
  }
  return false;
}

void EventLoop::defer(Task& task) noexcept {
  if (!task.is_linked()) tasks_.push_back(task);
}

void EventLoop::forget(Task& task) noexcept { task.unlink(); }

void EventLoop::run_tasks() {
  if (tasks_.empty()) return;
  take_turns(tasks_, [](Task& task) { task.run_task(); });
}

// What a watcher read ahead is used up, or dropped with it, before this returns.
void EventLoop::dispatch(std::size_t size) {
  batch_size_ = size;
  const bool few = size <= kFew;
  const std::size_t most_waiting = few ? 1 : kMostInRow;
  std::size_t read = few ? size : 0;
  for (batch_at_ = 0; batch_at_ < batch_size_;) {
    if (batch_at_ == read) read = read_ahead_from(batch_at_);
    const epoll_event event = batch_[batch_at_++];
    if (event.data.ptr == nullptr) continue;
    static_cast<Watcher*>(event.data.ptr)->on_ready(event.events);
    run_tasks();
    if (writers_came_ >= most_waiting) run_writes();
  }
  batch_at_ = batch_size_ = 0;
}

// Where the events end that have now been read ahead.
std::size_t EventLoop::read_ahead_from(std::size_t first) {
  const std::size_t end = std::min(batch_size_, first + kMostInRow);
  for (std::size_t i = first; i < end; ++i) {
    Watcher* const watcher = static_cast<Watcher*>(batch_[i].data.ptr);
    if (watcher != nullptr) watcher->read_ahead(batch_[i].events);
  }
  return end;
}

void EventLoop::write_soon(Writer& writer) noexcept {
  if (writer.is_linked()) return;
  writers_.push_back(writer);
  ++writers_came_;
}

void EventLoop::forget_write(Writer& writer) noexcept { writer.unlink(); }

void EventLoop::run_writes() {
  writers_came_ = 0;
  if (writers_.empty()) return;
  take_turns(writers_, [](Writer& writer) { writer.write_now(); });
}

// One byte of news is enough for any number of posts.
void EventLoop::wake() noexcept {
  if (!woken_.exchange(true)) eventfd_write(wake_.get(), 1);
}

void EventLoop::on_ready(std::uint32_t) {
  eventfd_t count = 0;
  eventfd_read(wake_.get(), &count);
  // Before the work is taken: what is posted from here on wakes again.
  woken_ = false;
  context_.restart();
  // Work for which memory runs out is dropped with what it holds; the next is not.
  while (!crypto::with_memory([this] { context_.poll(); })) continue;
}

}  // namespace paravent::proxy::net
