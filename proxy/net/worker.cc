#include "proxy/net/worker.h"

#include <chrono>
#include <future>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net {

namespace {

// About the time that a slow head is waited for.
constexpr std::uint32_t kTicksOfWindow = 10'000 / Deadlines::kTickMs;

}  // namespace

Worker::Worker(WorkerContext& context)
    : context_(context),
      loop_(context.busy_poll),
      pool_(loop_, blocks_, warm_),
      every_tick_(loop_.deadlines().add(*this)) {
  loop_.deadlines().set(every_tick_, Deadlines::kTickMs);
}

Worker::~Worker() {
  stop();
  loop_.deadlines().remove(every_tick_);
}

void Worker::on_deadline(DeadlineSlot slot) {
  crypto::with_memory([this] { take_tick(); });
  loop_.deadlines().set(slot, Deadlines::kTickMs);
}

void Worker::take_tick() {
  if (generation_) {
    generation_->state->protector->erase_old_keys();
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    const std::uint64_t limit = generation_->state->snapshot->limits.memory_bytes;
    const auto level = context_.door.memory().sample(limit, static_cast<std::uint64_t>(now_ms));
    if (level != MemoryLevel::normal) shed();
  }
  if (++ticks_ % kTicksOfWindow == 0) blocks_.end_window();
  blocks_.release_some();
  warm_.end_tick();
}

crypto::Status Worker::prepare(const Publication& publication) { return take(publication); }

void Worker::add_listener(UniqueFd listening, const ListenerTraits& traits) {
  listeners_.push_back(std::make_unique<Listener>(loop_, static_cast<ListenerHost&>(*this),
                                                  std::move(listening), traits));
}

void Worker::start() {
  for (const auto& listener : listeners_) listener->start();
  thread_ = std::thread([this] { loop_.run(); });
}

crypto::Status Worker::take(const Publication& publication) {
  auto state = make_worker_state(publication.snapshot, context_.vault, context_.access_log,
                                 generation_ ? generation_->state.get() : nullptr);
  if (!state) return state.error();
  auto generation = std::make_shared<Generation>();
  generation->state = std::move(*state);
  for (const auto& targets : publication.upstreams) {
    auto group = std::make_unique<UpstreamGroup>();
    for (const auto& address : targets) group->hosts.push_back(&pool_.host(address));
    generation->upstreams.push_back(std::move(group));
  }
  std::erase_if(earlier_, [](const auto& earlier) { return earlier.expired(); });
  crypto::reserve_one_more(earlier_);
  ListenerTls tls = publication.tls;
  // From here on nothing throws: taken as a whole, or not at all.
  {
    const std::lock_guard lock(state_mutex_);
    published_state_ = generation->state;
  }
  if (generation_) earlier_.push_back(generation_->state);
  if (!publication.snapshot->keys_available) forget_earlier_keys();
  generation_ = std::move(generation);
  tls_ = std::move(tls);
  generation_->state->counters->connections_open.add(
      open_ - generation_->state->counters->connections_open.read());
  return {};
}

// What runs under an earlier state may go on for as long as a slow client likes; its keys may not.
void Worker::forget_earlier_keys() {
  for (const auto& one : earlier_) {
    if (const auto state = one.lock()) state->forget_keys();
  }
}

crypto::Status Worker::publish(const Publication& publication) {
  auto result = std::make_shared<std::promise<crypto::Status>>();
  auto answer = result->get_future();
  const bool posted = loop_.mailbox()->post([this, publication, result] {
    crypto::Status taken = crypto::Error(crypto::ErrorKind::internal);
    crypto::with_memory([&] { taken = take(publication); });
    result->set_value(std::move(taken));
  });
  if (!posted || !thread_.joinable()) return crypto::Error(crypto::ErrorKind::internal);
  return answer.get();
}

void Worker::move_upstreams(UpstreamAddresses upstreams) {
  loop_.mailbox()->post([this, upstreams = std::move(upstreams)] {
    for (const auto& targets : upstreams) {
      for (const auto& address : targets) pool_.host(address);
    }
  });
}

void Worker::begin_drain() {
  loop_.mailbox()->post([this] {
    draining_ = true;
    listeners_.clear();
    for (const auto& session : sessions_) session->drain();
  });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  // On the loop's own thread, where sessions and connections belong.
  loop_.mailbox()->post([this] {
    draining_ = true;
    listeners_.clear();
    for (const auto& session : sessions_) session->abort();
    loop_.stop();
  });
  thread_.join();
}

std::shared_ptr<const WorkerState> Worker::state() const {
  const std::lock_guard lock(state_mutex_);
  return published_state_;
}

bool Worker::has_room() const noexcept {
  return context_.open_connections.load(std::memory_order_relaxed) <
             generation_->state->snapshot->limits.connections &&
         context_.door.memory().level() != MemoryLevel::full;
}

// Close to the limit of memory: connections that wait for nothing end, and nothing is kept that can
// be made again.
void Worker::shed() {
  for (const auto& session : sessions_) session->shed();
  blocks_.shrink();
  transactions_.shrink();
  pool_.shrink();
}

void Worker::count_refused(Reason reason) noexcept {
  auto& counters = *generation_->state->counters;
  counters.refusals(counters.no_route(), static_cast<std::size_t>(reason)).add();
}

void Worker::on_accepted(UniqueFd fd, const IpAddress& peer, const ListenerTraits& traits) {
  const auto tls = traits.number < tls_.size() ? tls_[traits.number] : nullptr;
  if (!has_room()) {
    if (!tls) refuse_blindly(fd.get(), Reason::overloaded);  // else it would cost a handshake
    count_refused(Reason::overloaded);
    return;
  }
  if (unused_.empty()) add_session();
  Session* const session = unused_.back();
  if (!session->open(std::move(fd), peer, traits, tls)) return;
  unused_.pop_back();
  generation_->state->counters->connections_accepted.add();
  count_open(true);
}

void Worker::add_session() {
  // Room for all of them, so that on_closed() never asks for memory.
  crypto::reserve_one_more(sessions_);
  unused_.reserve(sessions_.capacity());
  sessions_.push_back(std::make_unique<Session>(static_cast<SessionHost&>(*this)));
  unused_.push_back(sessions_.back().get());
}

void Worker::on_closed(Session& session) {
  unused_.push_back(&session);
  count_open(false);
}

void Worker::count_open(bool opened) noexcept {
  if (opened) {
    ++open_;
    context_.open_connections.fetch_add(1, std::memory_order_relaxed);
  } else {
    --open_;
    context_.open_connections.fetch_sub(1, std::memory_order_relaxed);
  }
  auto& cell = generation_->state->counters->connections_open;
  cell.add(open_ - cell.read());  // modulo 2^64: sets it
}

}  // namespace paravent::proxy::net
