#include "proxy/main/keepers/oidc_keeper.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>
#include <utility>

#include "proxy/main/io/http_client.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

// For each of connecting, sending and receiving; the end of the gateway may have to wait for it.
constexpr std::chrono::seconds kPatience{5};

Result<std::string> read_text(const std::string& path) {
  std::error_code missing;
  const auto mode = std::filesystem::status(path, missing).permissions();
  constexpr auto kOthers =
      std::filesystem::perms::group_write | std::filesystem::perms::others_write;
  if (!missing && (mode & kOthers) != std::filesystem::perms::none) {
    return Error(ErrorKind::configuration,
                 "The file " + path + " says who comes in, and others may write it: chmod go-w.");
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(admin::kMostKeySetBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (in.bad() || (text.empty() && in.fail())) {
    return Error(ErrorKind::configuration, "The file " + path + " cannot be read.");
  }
  return text;
}

// Redirects are not followed: where keys come from stands in the gateway file.
Result<std::string> fetch_text(const config::OidcIssuerConfig& issuer) {
  HttpQuestion question;
  std::tie(question.url, question.path) = split_url(issuer.keys_url);
  question.ca = issuer.keys_ca;
  question.headers = {{"Accept", "application/jwk-set+json, application/json"}};
  question.patience = kPatience;
  question.most = admin::kMostKeySetBytes + 1;
  auto answer = http_exchange(question);
  if (answer && answer->status == 200) return std::move(answer->body);
  std::string what = " cannot be reached.";
  if (answer) what = " answers with status " + std::to_string(answer->status) + ".";
  if (!answer && answer.error().kind() == ErrorKind::verification) {
    what = " has a certificate that is not trusted.";
  }
  // A query may be nobody else's business.
  return Error(ErrorKind::unreachable, issuer.keys_url.substr(0, issuer.keys_url.find('?')) + what);
}

}  // namespace

std::vector<admin::OidcIssuer> issuers_of(const std::vector<config::OidcIssuerConfig>& configs) {
  std::vector<admin::OidcIssuer> issuers;
  for (const config::OidcIssuerConfig& from : configs) {
    admin::OidcIssuer& to = issuers.emplace_back();
    to.name = from.name;
    to.terms.issuer = from.issuer;
    to.terms.audience = from.audience;
    to.terms.type = from.type;
    for (const std::string& name : from.algorithms) {
      if (const auto algorithm = admin::jws_algorithm(name)) {
        to.terms.algorithms.push_back(*algorithm);
      }
    }
    to.terms.leeway = std::chrono::seconds(from.leeway_seconds);
    to.terms.lifetime = std::chrono::minutes(from.lifetime_minutes);
    to.most_age = std::chrono::hours(from.most_age_hours);
  }
  return issuers;
}

void warn_of_unknown_issuers(const PolicySet& set,
                             const std::vector<config::OidcIssuerConfig>& configs) {
  std::set<std::string> unknown;
  for (const policies::Policy& policy : set.policies) {
    for (const policies::OidcEntry& entry : policy.oidc) unknown.insert(entry.issuer.value);
  }
  for (const config::OidcIssuerConfig& config : configs) unknown.erase(config.name);
  for (const std::string& name : unknown) {
    std::fprintf(stderr,
                 "paravent: warning: a policy names the issuer %s, which is not in the gateway "
                 "file's operators.oidc; nobody gets in by it.\n",
                 name.c_str());
  }
}

void warn_of_unknown_revocations(const admin::RevokedSubjects& revoked,
                                 const std::vector<config::OidcIssuerConfig>& configs) {
  std::set<std::string> unknown;
  for (const auto& [name, at] : revoked) unknown.insert(name.substr(0, name.find('/')));
  for (const config::OidcIssuerConfig& config : configs) unknown.erase(config.name);
  for (const std::string& name : unknown) {
    std::fprintf(stderr,
                 "paravent: warning: subjects of the issuer %s are shut out, and operators.oidc "
                 "names no such issuer; under another name they come in again.\n",
                 name.c_str());
  }
}

OidcKeeper::OidcKeeper(std::vector<config::OidcIssuerConfig> configs, admin::OidcDesk& desk,
                       std::chrono::milliseconds pause, Record record, TooOld too_old)
    : configs_(std::move(configs)),
      desk_(desk),
      pause_(pause),
      record_(std::move(record)),
      too_old_(std::move(too_old)),
      told_too_old_(configs_.size(), false),
      turns_(configs_.size()) {}

Result<std::unique_ptr<OidcKeeper>> OidcKeeper::make(std::vector<config::OidcIssuerConfig> configs,
                                                     admin::OidcDesk& desk,
                                                     std::chrono::milliseconds pause, Record record,
                                                     TooOld too_old) {
  std::unique_ptr<OidcKeeper> made(
      new OidcKeeper(std::move(configs), desk, pause, std::move(record), std::move(too_old)));
  for (std::size_t i = 0; i < made->configs_.size(); ++i) {
    if (made->configs_[i].keys_file.empty()) continue;
    if (auto status = made->look(i); !status) {
      return Error(ErrorKind::configuration, "operators.oidc, issuer " + made->configs_[i].name +
                                                 ": " + status.error().sentence());
    }
    made->turns_[i].last = std::chrono::steady_clock::now();
    made->turns_[i].next =
        made->turns_[i].last + std::chrono::seconds(made->configs_[i].refresh_seconds);
  }
  return made;
}

Result<std::unique_ptr<OidcKeeper>> OidcKeeper::start(std::vector<config::OidcIssuerConfig> configs,
                                                      admin::OidcDesk& desk,
                                                      std::chrono::milliseconds pause,
                                                      Record record, TooOld too_old) {
  auto made = make(std::move(configs), desk, pause, std::move(record), std::move(too_old));
  if (made) (*made)->begin();
  return made;
}

void OidcKeeper::begin() {
  thread_ = std::thread([this] { run(); });
  desk_.on_unknown_key([this](std::size_t issuer) {
    {
      const std::scoped_lock lock(mutex_);
      turns_[issuer].wished = true;
    }
    wakes_.notify_all();
  });
}

OidcKeeper::~OidcKeeper() {
  if (!thread_.joinable()) return;
  desk_.on_unknown_key({});
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  thread_.join();
}

// What can be read is taken over, whatever is missing from it: keys that were withdrawn, or can be
// used by everybody, must not go on until they are too old.
Status OidcKeeper::look(std::size_t issuer) {
  const config::OidcIssuerConfig& config = configs_[issuer];
  const auto text = config.keys_file.empty() ? fetch_text(config) : read_text(config.keys_file);
  if (!text) return text.error();
  auto keys = admin::KeySet::parse(*text);
  if (!keys) return keys.error();
  Status status;
  if (keys->size() == 0) {
    status = Error(ErrorKind::malformed,
                   "The key set holds no key for RS256, ES256 or EdDSA that could be used; nobody "
                   "comes in by it.");
  }
  if (keys->exposed() > 0) {
    status = Error(ErrorKind::malformed,
                   "The key set holds a private or secret key, which everybody can use now; that "
                   "key is not taken any more.");
  }
  // What was withdrawn goes first, however long the record takes.
  admin::KeySet kept = *keys;
  kept.keep_only(desk_.key_names(issuer));
  if (record_) desk_.use_keys(issuer, std::make_shared<const admin::KeySet>(kept));
  if (record_ && !record_(issuer, keys->names())) {
    // Nobody signs here who is not on record.
    *keys = std::move(kept);
    status = Error(ErrorKind::disk_full,
                   "The change of the key set cannot be put on record; new keys wait.");
  }
  desk_.use_keys(issuer, std::make_shared<const admin::KeySet>(std::move(*keys)));
  return status;
}

void OidcKeeper::look_and_plan(std::size_t issuer) {
  {
    const std::scoped_lock lock(mutex_);
    turns_[issuer].again = false;
  }
  Status status;
  try {
    status = look(issuer);
  } catch (const std::exception&) {
    // Asio throws where no descriptor is left; the gateway goes on.
    status = Error(ErrorKind::internal, "No connection could be made.");
  }
  if (!status) desk_.count_failure(issuer);  // not under the lock: the desk's own comes first
  const Time now = std::chrono::steady_clock::now();
  const std::chrono::milliseconds refresh = std::chrono::seconds(configs_[issuer].refresh_seconds);
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    Turn& turn = turns_[issuer];
    constexpr unsigned kMostDoublings = 5;
    const std::chrono::milliseconds longer =
        std::min(pause_, refresh) * (1LL << std::min(turn.failures, kMostDoublings));
    const std::chrono::milliseconds again = std::min(std::max(pause_, refresh), longer);
    first = !status && turn.failures == 0;
    turn.failures = status ? 0 : turn.failures + 1;
    turn.last = now;
    turn.next = turn.again ? Time() : now + (status ? refresh : again);
    turn.wished = false;
  }
  if (!first) return;
  std::fprintf(stderr, "paravent: warning: the keys of the OIDC issuer %s: %s It is tried again.\n",
               configs_[issuer].name.c_str(), status.error().sentence().c_str());
}

void OidcKeeper::read_again() {
  {
    const std::scoped_lock lock(mutex_);
    for (Turn& turn : turns_) {
      turn.next = Time();
      turn.again = true;
    }
  }
  wakes_.notify_all();
}

// Since when nobody comes in stands on the record, as soon as that can be written.
OidcKeeper::Time OidcKeeper::tell_of_age() {
  Time again = Time::max();
  for (std::size_t i = 0; i < configs_.size() && too_old_; ++i) {
    const auto usable = desk_.usable_for(i);
    const Time now = std::chrono::steady_clock::now();
    if (!usable || *usable >= std::chrono::nanoseconds(0)) {
      told_too_old_[i] = false;
      if (usable) again = std::min(again, now + *usable + std::chrono::milliseconds(1));
      continue;
    }
    if (!told_too_old_[i]) told_too_old_[i] = too_old_(i);
    if (!told_too_old_[i]) again = std::min(again, now + pause_);
  }
  return again;
}

void OidcKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const Time age = tell_of_age();  // the desk's lock and the record's come first
    lock.lock();
    if (stopping_) break;
    Time wake = Time::max();
    std::size_t due = turns_.size();
    const Time now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      const Turn& turn = turns_[i];
      Time at = turn.next;
      // Never looked at: at once. Wished for: when the pause is over.
      if (turn.last != Time() && turn.wished) at = std::min(at, turn.last + pause_);
      // Whoever is due longest.
      if (at <= now && at < wake) due = i;
      wake = std::min(wake, at);
    }
    if (due < turns_.size()) {
      lock.unlock();
      look_and_plan(due);
      lock.lock();
      continue;
    }
    wakes_.wait_until(lock, std::min(wake, age));
  }
}

}  // namespace paravent::proxy::main
