// The order in which an EventLoop reads, handles and writes what it fetched together.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/event_loop.h"

namespace paravent::proxy::net {
namespace {

// One end of a socket pair that notes what is asked of it.
class Noting final : public Watcher {
 public:
  Noting(EventLoop& loop, char name, std::string& notes) : loop_(loop), name_(name), notes_(notes) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      std::abort();
    }
    own_ = UniqueFd(ends[0]);
    far_ = UniqueFd(ends[1]);
    if (!loop_.add(own_.get(), *this)) std::abort();
  }
  ~Noting() { end(); }
  Noting(const Noting&) = delete;
  Noting& operator=(const Noting&) = delete;

  void end() {
    if (!own_) return;
    loop_.drop(*this);
    own_.reset();
  }
  void say_something() const { ASSERT_EQ(write(far_.get(), "x", 1), 1); }
  void then(std::function<void()> action) { action_ = std::move(action); }

 private:
  void read_ahead(std::uint32_t events) override {
    if ((events & EPOLLIN) == 0) return;
    char byte = 0;
    if (read(own_.get(), &byte, 1) == 1) notes_ += name_;
  }
  void on_ready(std::uint32_t events) override {
    if ((events & EPOLLIN) == 0) return;
    notes_ += static_cast<char>(std::toupper(name_));
    if (action_) action_();
  }

  EventLoop& loop_;
  const char name_;
  std::string& notes_;
  UniqueFd own_;
  UniqueFd far_;
  std::function<void()> action_;
};

class ReadAhead : public testing::Test {
 protected:
  // What `count` watchers note that all have something to read when the loop begins.
  std::string run(std::size_t count, const std::function<void(std::size_t at)>& on_ready) {
    watchers_.clear();
    notes_.clear();
    std::size_t handled = 0;
    EventLoop loop;
    for (std::size_t i = 0; i < count; ++i) {
      const char name = static_cast<char>('a' + static_cast<char>(i % 26));
      watchers_.push_back(std::make_unique<Noting>(loop, name, notes_));
      watchers_.back()->say_something();
      watchers_.back()->then([&, i] {
        on_ready(i);
        if (++handled + ended_ == count) loop.stop();
      });
    }
    loop.run();
    watchers_.clear();
    return notes_;
  }

  std::vector<std::unique_ptr<Noting>> watchers_;
  std::string notes_;
  std::size_t ended_ = 0;
};

TEST_F(ReadAhead, AllReadBeforeTheFirstIsHandled) {
  EXPECT_EQ(run(5, [](std::size_t) {}), "abcdeABCDE");
}

TEST_F(ReadAhead, FewAreEachHandledToTheirEnd) {
  EXPECT_EQ(run(4, [](std::size_t) {}), "ABCD");
}

TEST_F(ReadAhead, AWatcherThatEndsInBetweenIsNotTold) {
  const std::string notes = run(5, [&](std::size_t at) {
    if (at != 1) return;
    watchers_[2]->end();
    ++ended_;
  });
  EXPECT_EQ(notes, "abcdeABDE");
}

TEST_F(ReadAhead, NoMoreThanSixtyFourInARow) {
  const std::string notes = run(100, [](std::size_t) {});
  const auto is_read = [](char note) { return std::islower(note) != 0; };
  ASSERT_EQ(notes.size(), 200U);
  EXPECT_EQ(std::find_if_not(notes.begin(), notes.end(), is_read) - notes.begin(), 64);
  EXPECT_EQ(std::count_if(notes.begin() + 128, notes.begin() + 164, is_read), 36);
}

}  // namespace
}  // namespace paravent::proxy::net
