#include "proxy/main/gateway/one_offer.h"

#include <gtest/gtest.h>

#include <memory>

namespace paravent::proxy::main {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// As a prepared change of the root key: what is left of it goes with it, unless it was decided.
class Change {
 public:
  explicit Change(int& undone) : undone_(&undone) {}
  Change(Change&& other) noexcept : undone_(std::exchange(other.undone_, nullptr)) {}
  Change& operator=(Change&&) = delete;
  ~Change() {
    if (undone_ != nullptr) ++*undone_;
  }
  void decide() { undone_ = nullptr; }

 private:
  int* undone_;
};

class AnOffer : public testing::Test {
 protected:
  void offer(std::string ticket) { offer_.make(Change(undone_), std::move(ticket), now_); }
  bool taken(std::string_view ticket) {
    auto change = offer_.take(ticket, now_);
    if (change) change->decide();
    return change.has_value();
  }

  int undone_ = 0;
  OneOffer<Change>::Time now_{minutes(100)};
  OneOffer<Change> offer_{minutes(10)};
};

TEST_F(AnOffer, IsTakenOnceByItsTicket) {
  EXPECT_FALSE(taken("a"));
  offer("a");
  EXPECT_FALSE(taken("b"));
  EXPECT_FALSE(taken(""));
  EXPECT_EQ(undone_, 0) << "a wrong ticket voids nothing";
  EXPECT_TRUE(taken("a"));
  EXPECT_FALSE(taken("a"));
  EXPECT_EQ(undone_, 0);
}

TEST_F(AnOffer, IsVoidWhenTheNextOneIsPrepared) {
  offer("a");
  offer_.forget();
  EXPECT_EQ(undone_, 1) << "undone before the next one is there";
  EXPECT_FALSE(taken("a"));
  offer("b");
  EXPECT_FALSE(taken("a"));
  EXPECT_TRUE(taken("b"));
  EXPECT_EQ(undone_, 1);
}

TEST_F(AnOffer, IsVoidWhenItsTimeIsOver) {
  offer("a");
  now_ += minutes(10) - seconds(1);
  offer_.forget_late(now_);
  EXPECT_EQ(undone_, 0);
  EXPECT_TRUE(taken("a"));
  offer("b");
  now_ += minutes(10);
  EXPECT_FALSE(taken("b"));
  EXPECT_EQ(undone_, 1);
  offer("c");
  now_ += minutes(11);
  offer_.forget_late(now_);
  EXPECT_EQ(undone_, 2) << "also when nobody ever asks for it";
}

TEST_F(AnOffer, IsUndoneWithItsOwner) {
  { OneOffer<Change>(minutes(10)).make(Change(undone_), "a", now_); }
  EXPECT_EQ(undone_, 1);
}

// What is taken and then not decided is undone as well.
TEST_F(AnOffer, ThatFailsIsUndone) {
  offer("a");
  EXPECT_TRUE(offer_.take("a", now_));
  EXPECT_EQ(undone_, 1);
  EXPECT_FALSE(taken("a"));
}

}  // namespace
}  // namespace paravent::proxy::main
