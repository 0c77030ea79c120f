// OneOffer: a change that is prepared and waits for its confirmation, one at a time. It is void,
// and its preparation undone by its destructor, as soon as the next one is made, when its time is
// over, and whenever its owner says so. A wrong confirmation voids nothing: else whoever may ask
// could keep others from ever confirming. Not thread safe.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace paravent::proxy::main {

template <typename Pending>
class OneOffer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit OneOffer(std::chrono::seconds life) : life_(life) {}

  // REQUIRES: forget() was called before what is offered was prepared: two preparations at once
  // would be in each other's way.
  void make(Pending pending, std::string ticket, Time now) {
    made_.emplace(std::move(pending), std::move(ticket), now + life_);
  }
  // What waits for this confirmation, once. nullopt: nothing does.
  std::optional<Pending> take(std::string_view ticket, Time now) {
    forget_late(now);
    if (!made_ || made_->ticket != ticket) return std::nullopt;
    std::optional<Pending> taken(std::move(made_->pending));
    made_.reset();
    return taken;
  }
  void forget() { made_.reset(); }
  // To be called now and then, so that what is over does not lie about.
  void forget_late(Time now) {
    if (made_ && now >= made_->until) made_.reset();
  }

 private:
  struct Made {
    Made(Pending what, std::string which, Time end)
        : pending(std::move(what)), ticket(std::move(which)), until(end) {}
    Pending pending;
    std::string ticket;
    Time until;
  };
  std::chrono::seconds life_;
  std::optional<Made> made_;
};

}  // namespace paravent::proxy::main
