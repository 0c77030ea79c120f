#include "proxy/net/event_loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <utility>

namespace paravent::proxy::net {
namespace {

// A worker without its epoll set is no worker; this happens at start, under exhausted descriptors.
int make_epoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) std::abort();
  return fd;
}

// A batch of this many suggests that more has become ready meanwhile: look again before going through
// Asio, but not forever.
constexpr int kBusyBatch = 8;
constexpr int kMaxRounds = 8;

}  // namespace

bool Mailbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return false;
  boost::asio::post(loop_->context_, [loop = loop_, task = std::move(work)] {
    task();
    loop->run_tasks();
  });
  return true;
}

EventLoop::EventLoop() : ready_(context_, make_epoll()), ticker_(context_) {
  mailbox_->loop_ = this;
}

EventLoop::~EventLoop() {
  const std::lock_guard lock(mailbox_->mutex_);
  mailbox_->loop_ = nullptr;
}

void EventLoop::run() {
  wait_ready();
  wait_tick();
  context_.run();
}

void EventLoop::stop() { context_.stop(); }

bool EventLoop::add(int fd, Watcher& watcher, bool level) noexcept {
  epoll_event event{};
  event.events = level ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watcher;
  return epoll_ctl(ready_.native_handle(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::drop(const Watcher& watcher) noexcept {
  for (std::size_t i = batch_at_; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watcher) batch_[i].data.ptr = nullptr;
  }
}

void EventLoop::defer(Task& task) {
  if (task.mark_queued(true)) return;
  tasks_.push_back(&task);
}

void EventLoop::forget(Task& task) noexcept {
  if (!task.mark_queued(false)) return;
  std::replace(tasks_.begin(), tasks_.end(), &task, static_cast<Task*>(nullptr));
  std::replace(running_.begin(), running_.end(), &task, static_cast<Task*>(nullptr));
}

void EventLoop::run_tasks() {
  while (!tasks_.empty()) {
    running_.swap(tasks_);
    for (std::size_t i = 0; i < running_.size(); ++i) {
      Task* const task = running_[i];
      if (task == nullptr) continue;
      task->mark_queued(false);
      task->run_task();
    }
    running_.clear();
  }
}

void EventLoop::wait_ready() {
  ready_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& error) {
                      if (error) return;
                      dispatch();
                      wait_ready();
                    });
}

void EventLoop::dispatch() {
  for (int round = 0; round < kMaxRounds; ++round) {
    const int n = epoll_wait(ready_.native_handle(), batch_.data(), static_cast<int>(kBatch), 0);
    if (n <= 0) return;
    batch_size_ = static_cast<std::size_t>(n);
    for (batch_at_ = 0; batch_at_ < batch_size_;) {
      const epoll_event event = batch_[batch_at_++];
      if (event.data.ptr == nullptr) continue;
      static_cast<Watcher*>(event.data.ptr)->on_ready(event.events);
      run_tasks();
    }
    batch_at_ = batch_size_ = 0;
    if (n < kBusyBatch) return;
  }
}

void EventLoop::wait_tick() {
  ticker_.expires_after(std::chrono::milliseconds(Deadlines::kTickMs));
  ticker_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    deadlines_.tick();
    run_tasks();
    if (on_tick_) on_tick_();
    run_tasks();
    wait_tick();
  });
}

}  // namespace paravent::proxy::net
