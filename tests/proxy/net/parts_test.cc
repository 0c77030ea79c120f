// The small parts of the room: address ranges, deadlines, body buffers, deferred work.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/body_receiver.h"
#include "proxy/net/deadlines.h"
#include "proxy/net/event_loop.h"
#include "proxy/net/ip_range.h"
#include "proxy/net/read_block.h"
#include "proxy/net/socket.h"

namespace paravent::proxy::net {
namespace {

TEST(IpRange, Contains) {
  const auto in = [](const char* range, const char* address) {
    return IpRange::parse(range)->contains(*parse_ip_address(address));
  };
  EXPECT_TRUE(in("127.0.0.0/8", "127.255.0.1"));
  EXPECT_FALSE(in("127.0.0.0/8", "128.0.0.1"));
  EXPECT_TRUE(in("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(in("10.1.2.3", "10.1.2.2"));
  EXPECT_TRUE(in("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(in("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(in("0.0.0.0/0", "255.1.2.3"));
  EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(in("2001:db8::/32", "2001:db8:ffff::1"));
  EXPECT_FALSE(in("2001:db8::/32", "2001:db9::1"));
  EXPECT_TRUE(in("::/0", "2001:db9::1"));
  // A peer on a dual-stack listener.
  EXPECT_TRUE(in("127.0.0.0/8", "::ffff:127.0.0.1"));
  EXPECT_EQ(parse_ip_address("::ffff:192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(parse_ip_address("2001:DB8:0::1")->text(), "2001:db8::1");
}

TEST(IpRange, RefusesWhatIsNoRange) {
  for (const char* text :
       {"", "localhost", "127.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1",
        "10.0.0/8", "010.0.0.0/8", "2001:db8::/129", "2001:db8::1/32", "[::1]", "::1%lo",
        "10.0.0.0/8/8", "10.0.0.0 /8", "10.0.0.0/8 "}) {
    const auto range = IpRange::parse(text);
    ASSERT_FALSE(range) << text;
    EXPECT_EQ(range.error().kind(), crypto::ErrorKind::configuration);
  }
}

TEST(Socket, AddressesOfListenersAreAddresses) {
  EXPECT_EQ(socket_address({"127.0.0.1", 80})->port(), 80);
  EXPECT_EQ(socket_address({"::1", 443})->port(), 443);
  EXPECT_FALSE(socket_address({"localhost", 80}));
  EXPECT_EQ((ListenEndpoint{"::1", 80}.text()), "[::1]:80");
  EXPECT_TRUE(is_own_address(*socket_address({"127.0.0.1", 80})));
  EXPECT_FALSE(is_own_address(*socket_address({"192.0.2.77", 80})));
  EXPECT_FALSE(unix_address(std::string(108, 'x')));
  EXPECT_TRUE(unix_address("/run/app.sock"));
}

TEST(Socket, ConsumeCutsAcrossParts) {
  std::string a = "abc";
  std::string b = "defg";
  std::vector<iovec> parts = {to_iovec(a), to_iovec(""), to_iovec(b)};
  auto left = consume(parts, 4);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(std::string(static_cast<char*>(left[0].iov_base), left[0].iov_len), "efg");
  EXPECT_TRUE(consume(left, 3).empty());
}

class Recorder final : public DeadlineHandler {
 public:
  void on_deadline(DeadlineSlot slot) override { fired.push_back(slot); }
  std::vector<DeadlineSlot> fired;
};

TEST(Deadlines, FireLateNeverEarlyAndOnce) {
  Deadlines deadlines;
  Recorder recorder;
  const DeadlineSlot a = deadlines.add(recorder);
  const DeadlineSlot b = deadlines.add(recorder);
  const DeadlineSlot cleared = deadlines.add(recorder);
  const auto start = std::chrono::steady_clock::now();
  deadlines.set(a, 150);
  deadlines.set(b, 10'000);
  deadlines.set(cleared, 100);
  deadlines.clear(cleared);
  while (recorder.fired.empty()) {
    deadlines.refresh();
    deadlines.fire_due(2);
    std::this_thread::sleep_for(std::chrono::milliseconds(deadlines.ms_to_next_tick()));
    ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(150));
  EXPECT_EQ(recorder.fired, std::vector<DeadlineSlot>{a});
  deadlines.remove(cleared);
  EXPECT_EQ(deadlines.add(recorder), cleared);
}

// Many that are due together have their turns, two at a time; nobody is lost, and none is early.
TEST(Deadlines, ManyAtOnceTakeTurns) {
  Deadlines deadlines;
  Recorder recorder;
  std::vector<DeadlineSlot> slots;
  for (int i = 0; i < 7; ++i) {
    slots.push_back(deadlines.add(recorder));
    deadlines.set(slots.back(), 1);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(2 * Deadlines::kTickMs));
  deadlines.refresh();
  EXPECT_TRUE(deadlines.fire_due(2));
  EXPECT_EQ(recorder.fired.size(), 2U);
  deadlines.clear(slots[4]);
  deadlines.set(slots[5], 10'000);
  deadlines.set(slots[0], 10'000);
  EXPECT_TRUE(deadlines.fire_due(2));
  EXPECT_FALSE(deadlines.fire_due(2));
  std::vector<DeadlineSlot> expected = slots;
  expected.erase(expected.begin() + 4, expected.begin() + 6);
  EXPECT_EQ(recorder.fired, expected);
  EXPECT_FALSE(deadlines.fire_due(2));
}

// A loop that was busy for longer than a deadline: what is set afterwards counts from then.
TEST(Deadlines, AStallDoesNotMakeThemEarly) {
  Deadlines deadlines;
  Recorder recorder;
  const DeadlineSlot slot = deadlines.add(recorder);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  deadlines.refresh();
  deadlines.set(slot, 200);
  deadlines.fire_due(2);
  EXPECT_TRUE(recorder.fired.empty());
}

class Counter final : public Task {
 public:
  explicit Counter(EventLoop& loop) : loop_(loop) {}
  void run_task() override {
    if (++runs < 3) {
      loop_.defer(*this);
    } else {
      loop_.stop();
    }
  }
  int runs = 0;

 private:
  EventLoop& loop_;
};

// A hundred deadlines that are due together; the first makes something readable.
class Hundred final : public DeadlineHandler, public Watcher {
 public:
  explicit Hundred(EventLoop& loop) : loop_(loop) {
    if (pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC) != 0 || !loop_.add(ends_[0], *this))
      std::abort();
    for (int i = 0; i < 100; ++i) {
      slots_.push_back(loop_.deadlines().add(*this));
      loop_.deadlines().set(slots_.back(), 1);
    }
  }
  ~Hundred() {
    loop_.drop(*this);
    for (const DeadlineSlot slot : slots_) loop_.deadlines().remove(slot);
    for (const int end : ends_) ::close(end);
  }
  Hundred(const Hundred&) = delete;
  Hundred& operator=(const Hundred&) = delete;

  void on_deadline(DeadlineSlot) override {
    if (++fired == 1) {
      EXPECT_EQ(write(ends_[1], "x", 1), 1);
    }
    if (fired == 100) loop_.stop();
  }
  void on_ready(std::uint32_t) override { fired_when_told = fired; }

  int fired = 0;
  int fired_when_told = 0;

 private:
  EventLoop& loop_;
  std::array<int, 2> ends_{};
  std::vector<DeadlineSlot> slots_;
};

TEST(EventLoop, DeadlinesOfManyDoNotKeepOthersWaiting) {
  EventLoop loop;
  Hundred hundred(loop);
  loop.run();
  EXPECT_EQ(hundred.fired, 100);
  EXPECT_EQ(hundred.fired_when_told, 2);
}

class Never final : public Writer {
 public:
  void write_now() override { ADD_FAILURE() << "it was forgotten"; }
};

// Wants to write again whenever it has written, a hundred times; the first time it defers a task.
class Hasty final : public Writer, public Task {
 public:
  explicit Hasty(EventLoop& loop) : loop_(loop) { loop_.write_soon(*this); }
  void write_now() override {
    loop_.forget_write(never_);
    if (++writes == 1) loop_.defer(*this);
    if (writes == 100) {
      loop_.stop();
    } else {
      loop_.write_soon(*this);
      loop_.write_soon(never_);
    }
  }
  void run_task() override { writes_when_run = writes; }

  int writes = 0;
  int writes_when_run = 0;

 private:
  EventLoop& loop_;
  Never never_;
};

TEST(EventLoop, WritesThatGoOnAndOnKeepNobodyWaitingAndDoNotWait) {
  EventLoop loop;
  Hasty hasty(loop);
  const auto start = std::chrono::steady_clock::now();
  loop.run();
  EXPECT_EQ(hasty.writes, 100);
  EXPECT_EQ(hasty.writes_when_run, 1);
  // Not a sleep until the next tick for each of them.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

class EventLoopThatLooks : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Microseconds, EventLoopThatLooks, testing::Values(0, 50, 1000));

TEST_P(EventLoopThatLooks, RunsPostsAndTasksOnItsThread) {
  EventLoop loop{std::chrono::microseconds(GetParam())};
  Counter counter(loop);
  Counter forgotten(loop);
  std::thread::id ran_on;
  const auto mailbox = loop.mailbox();
  std::thread worker([&] { loop.run(); });
  const auto worker_id = worker.get_id();
  EXPECT_TRUE(mailbox->post([&] {
    ran_on = std::this_thread::get_id();
    loop.defer(counter);
    loop.defer(counter);
    loop.defer(forgotten);
    loop.forget(forgotten);
  }));
  worker.join();
  EXPECT_EQ(ran_on, worker_id);
  EXPECT_EQ(counter.runs, 3);
  EXPECT_EQ(forgotten.runs, 0);
}

// Stops its loop when it is due for the third time, and says what that took of the processor.
class ThirdTick final : public DeadlineHandler {
 public:
  explicit ThirdTick(EventLoop& loop) : loop_(loop), slot_(loop.deadlines().add(*this)) {
    loop_.deadlines().set(slot_, Deadlines::kTickMs);
  }
  void on_deadline(DeadlineSlot slot) override {
    if (++ticks < 3) {
      loop_.deadlines().set(slot, Deadlines::kTickMs);
      return;
    }
    loop_.deadlines().remove(slot_);
    loop_.stop();
  }
  int ticks = 0;

 private:
  EventLoop& loop_;
  DeadlineSlot slot_;
};

// What this thread has taken of the processor so far.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST_P(EventLoopThatLooks, SleepsWhenNothingComesAndKeepsItsDeadlines) {
  EventLoop loop{std::chrono::microseconds(GetParam())};
  ThirdTick tick(loop);
  const auto before = processor_time();
  loop.run();
  EXPECT_EQ(tick.ticks, 3);
  // Of the 300 ms and more that three deadlines take: it looked for a few at most.
  EXPECT_LT(processor_time() - before, std::chrono::milliseconds(150));
}

// What the thread takes of the processor in the 100 ms until somebody posts.
std::chrono::nanoseconds taken_while_nothing_comes(std::chrono::microseconds busy_poll) {
  EventLoop loop{busy_poll};
  std::thread other([&loop, mailbox = loop.mailbox()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    mailbox->post([&loop] { loop.stop(); });
  });
  const auto before = processor_time();
  loop.run();
  other.join();
  return processor_time() - before;
}

// A busy machine gives less to whoever looks, and nothing makes a sleeper take that much: so the
// most, and the least, of several attempts count.
TEST(EventLoop, LooksAsLongAsItIsTold) {
  constexpr std::chrono::milliseconds kLooking{10};
  std::chrono::nanoseconds most{};
  std::chrono::nanoseconds least = std::chrono::nanoseconds::max();
  for (int i = 0; i < 30 && (most < kLooking || least >= kLooking); ++i) {
    most = std::max(most, taken_while_nothing_comes(std::chrono::seconds(1)));
    least = std::min(least, taken_while_nothing_comes({}));
  }
  EXPECT_GE(most, kLooking);
  EXPECT_LT(least, kLooking);
}

TEST(EventLoop, AMailboxOutlivesItsLoop) {
  std::shared_ptr<Mailbox> mailbox;
  {
    EventLoop loop;
    mailbox = loop.mailbox();
    EXPECT_TRUE(mailbox->post([] { FAIL() << "nobody runs the loop"; }));
  }
  EXPECT_FALSE(mailbox->post([] { FAIL() << "there is no loop"; }));
}

TEST(ReadBlock, LinesBeginBehindItsBytes) {
  ReadBlock block(1001, 3);
  std::ranges::fill(block.bytes(), 'x');
  for (HeaderLine& line : block.lines()) line = {"name", "value", HeaderName::host};
  EXPECT_EQ(std::ranges::count(block.bytes(), 'x'), 1001);
  EXPECT_EQ(block.lines().size(), 3U);
  EXPECT_EQ(block.lines().back().value, "value");
}

TEST(ReadBlockPool, KeepsWhatACrowdTakesAgainAndNothingThatNobodyTakes) {
  ReadBlockPool pool;
  const auto crowd = [&pool](std::size_t size) {
    std::vector<std::unique_ptr<ReadBlock>> taken;
    for (std::size_t i = 0; i < size; ++i) {
      taken.push_back(pool.take(ReadBlockPool::kUsualBytes, ReadBlockPool::kUsualLines));
    }
    for (auto& block : taken) pool.give(std::move(block));
  };
  crowd(1000);
  pool.end_window();
  pool.release_some();
  EXPECT_EQ(pool.unused(), 1000U);  // all of them were taken since
  crowd(600);
  pool.end_window();
  pool.release_some();
  EXPECT_EQ(pool.unused(), 744U);  // not all at once
  pool.release_some();
  EXPECT_EQ(pool.unused(), 600U);
  pool.release_some();
  EXPECT_EQ(pool.unused(), 600U);
  pool.end_window();
  for (int i = 0; i < 3; ++i) pool.release_some();
  EXPECT_EQ(pool.unused(), 64U);
  pool.shrink();
  pool.end_window();
  pool.release_some();
  EXPECT_EQ(pool.unused(), 0U);
}

TEST(ReadBlockPool, KeepsNoLargerBlock) {
  ReadBlockPool pool;
  pool.give(pool.take(ReadBlockPool::kUsualBytes + 1, 1));
  EXPECT_EQ(pool.unused(), 0U);
}

// Feeds `stream` in pieces and tells how the body ended.
BodyStatus feed(BodyReceiver& body, std::span<char> block, const std::string& stream,
                std::size_t at, std::size_t first, std::size_t limit, std::size_t most = 3) {
  std::copy_n(stream.begin(), first, block.begin() + static_cast<std::ptrdiff_t>(at));
  std::size_t fed = first;
  BodyStatus status = body.start(limit);
  while (status == BodyStatus::pending && fed < stream.size()) {
    const auto room = body.room();
    EXPECT_FALSE(room.empty());
    const std::size_t n = std::min({room.size(), stream.size() - fed, most});
    std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>(fed), n, room.begin());
    fed += n;
    status = body.arrived(n);
  }
  return status;
}

TEST(BodyReceiver, ViewsABodyThatFitsWhereItLies) {
  std::vector<char> block(100);
  RequestHead head;
  head.framing = BodyFraming::length;
  head.content_length = 10;
  BodyReceiver body;
  body.begin(head, block, 20, 24);
  EXPECT_EQ(feed(body, block, "0123456789GET", 20, 4, 100, 100), BodyStatus::complete);
  EXPECT_EQ(body.body(), "0123456789");
  EXPECT_EQ(body.body().data(), block.data() + 20);
  EXPECT_TRUE(body.settled());
  EXPECT_EQ(body.next(), 30U);
  EXPECT_EQ(body.filled(), 33U);
}

TEST(BodyReceiver, TakesALargeBodyAsItComes) {
  std::vector<char> block(100);
  std::string content(50'000, 'x');
  content.back() = 'y';
  RequestHead head;
  head.framing = BodyFraming::length;
  head.content_length = content.size();
  BodyReceiver body;
  body.begin(head, block, 20, 60);
  EXPECT_EQ(feed(body, block, content, 20, 40, 100'000, 777), BodyStatus::complete);
  EXPECT_EQ(body.body(), content);
  EXPECT_TRUE(body.settled());
  EXPECT_EQ(body.next(), body.filled());
  EXPECT_EQ(body.taken(), content.size());
}

TEST(BodyReceiver, DecodesChunksOfAnyCut) {
  const std::string stream = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /";
  for (std::size_t most = 1; most < stream.size(); ++most) {
    std::vector<char> block(64);
    RequestHead head;
    head.framing = BodyFraming::chunked;
    BodyReceiver body;
    body.begin(head, block, 20, 21);
    ASSERT_EQ(feed(body, block, stream, 20, 1, 100, most), BodyStatus::complete) << most;
    EXPECT_EQ(body.body(), "hello world");
    EXPECT_TRUE(body.settled());
    const std::string rest(block.data() + body.next(), body.filled() - body.next());
    EXPECT_TRUE(std::string("GET /").starts_with(rest));
  }
}

TEST(BodyReceiver, Limits) {
  std::vector<char> block(64);
  RequestHead head;
  head.framing = BodyFraming::length;
  head.content_length = 11;
  BodyReceiver body;
  body.begin(head, block, 0, 0);
  EXPECT_EQ(body.start(10), BodyStatus::too_large);
  EXPECT_FALSE(body.settled());
  head.framing = BodyFraming::chunked;
  body.begin(head, block, 0, 0);
  EXPECT_EQ(feed(body, block, "6\r\nhello!\r\n5\r\nworld\r\n", 0, 0, 10), BodyStatus::too_large);
  EXPECT_FALSE(body.settled());
  body.begin(head, block, 0, 0);
  EXPECT_EQ(feed(body, block, "6;x\r\n", 0, 0, 10), BodyStatus::framing);
  EXPECT_FALSE(body.settled());
}

// Feeds `stream` as it is asked for, and takes all but `left` bytes of each window.
BodyStatus feed_stream(BodyReceiver& body, std::span<char> block, const std::string& stream,
                       std::size_t first, std::size_t most, std::size_t left, std::string& out) {
  std::copy_n(stream.begin(), first, block.begin());
  std::size_t fed = first;
  if (!body.start_stream(1'000'000)) return BodyStatus::too_large;
  for (BodyStatus status = body.fill_window();;) {
    if (status == BodyStatus::complete || status == BodyStatus::more) {
      const std::string_view window = body.window();
      const bool last = status == BodyStatus::complete;
      const std::size_t take = last || window.size() < left ? window.size() : window.size() - left;
      out.append(window.substr(0, take));
      body.consume(take);
      if (last) return status;
      status = body.fill_window();
    } else if (status == BodyStatus::pending && fed < stream.size()) {
      const auto room = body.room();
      EXPECT_FALSE(room.empty());
      const std::size_t n = std::min({room.size(), stream.size() - fed, most});
      std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>(fed), n, room.begin());
      fed += n;
      status = body.arrived(n);
    } else {
      return status;
    }
  }
}

std::string in_chunks(const std::string& content, std::size_t size) {
  std::string out;
  for (std::size_t at = 0; at < content.size(); at += size) {
    const std::string chunk = content.substr(at, size);
    std::array<char, 16> hex;
    const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), chunk.size(), 16).ptr;
    out.append(hex.data(), end).append("\r\n").append(chunk).append("\r\n");
  }
  return out + "0\r\n\r\n";
}

TEST(BodyReceiver, StreamsThroughAWindow) {
  std::string content(300'000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 23);
  for (const std::size_t most : {std::size_t{1}, std::size_t{999}, std::size_t{100'000}}) {
    for (const std::size_t left : {std::size_t{0}, std::size_t{70}}) {
      for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}, std::size_t{5'000}}) {
        if (most == 1 && chunk == 5'000) continue;
        const std::string sent = content.substr(0, chunk == 1 || most == 1 ? 3'000 : 300'000);
        RequestHead head;
        head.framing = chunk == 0 ? BodyFraming::length : BodyFraming::chunked;
        head.content_length = sent.size();
        const std::string stream = chunk == 0 ? sent : in_chunks(sent, chunk);
        std::vector<char> block(1'100);
        BodyReceiver body;
        body.begin(head, block, 0, 100);
        std::string out;
        EXPECT_EQ(feed_stream(body, block, stream, 100, most, left, out), BodyStatus::complete);
        EXPECT_EQ(out, sent) << most << ' ' << left << ' ' << chunk;
        EXPECT_TRUE(body.settled());
        EXPECT_EQ(body.next(), body.filled());
        body.end();
        EXPECT_FALSE(body.is_streamed());
      }
    }
  }
}

TEST(BodyReceiver, AStreamKeepsToItsFramingAndLimits) {
  std::vector<char> block(1'100);
  RequestHead head;
  head.framing = BodyFraming::length;
  head.content_length = 1'000'001;
  BodyReceiver body;
  std::string out;
  body.begin(head, block, 0, 0);
  EXPECT_EQ(feed_stream(body, block, "x", 0, 1, 0, out), BodyStatus::too_large);
  head.content_length = 10;
  body.begin(head, block, 0, 0);
  EXPECT_EQ(feed_stream(body, block, "123456789", 0, 4, 0, out), BodyStatus::pending);
  EXPECT_FALSE(body.settled());
  head.framing = BodyFraming::chunked;
  body.begin(head, block, 0, 0);
  EXPECT_EQ(feed_stream(body, block, "3\r\nabc\r\n;\r\n", 0, 4, 0, out), BodyStatus::framing);
  body.begin(head, block, 0, 0);
  EXPECT_EQ(feed_stream(body, block, in_chunks(std::string(1'000'001, 'x'), 9'000), 0, 900, 0, out),
            BodyStatus::too_large);
  // What follows the body stays for the next request.
  out.clear();
  body.begin(head, block, 0, 0);
  EXPECT_EQ(feed_stream(body, block, "3\r\nabc\r\n0\r\n\r\nGET /", 0, 100, 0, out),
            BodyStatus::complete);
  EXPECT_EQ(out, "abc");
  EXPECT_EQ(std::string(block.data() + body.next(), body.filled() - body.next()), "GET /");
}

TEST(BodyReceiver, ABodyNobodyAskedForIsSkippedOnlyWhenAllOfItIsThere) {
  std::vector<char> block(64);
  RequestHead head;
  head.framing = BodyFraming::length;
  head.content_length = 5;
  BodyReceiver body;
  body.begin(head, block, 10, 18);
  EXPECT_TRUE(body.settled());
  EXPECT_EQ(body.next(), 15U);
  body.begin(head, block, 10, 14);
  EXPECT_FALSE(body.settled());
  head.framing = BodyFraming::none;
  body.begin(head, block, 10, 14);
  EXPECT_TRUE(body.settled());
  EXPECT_EQ(body.next(), 10U);
}

}  // namespace
}  // namespace paravent::proxy::net
