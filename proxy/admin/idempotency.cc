#include "proxy/admin/idempotency.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace paravent::proxy::admin {
namespace {

constexpr std::size_t kMostBody = 64 * 1024;

// What reads, or gives values out: asking twice is answered, and recorded, twice. And who comes in:
// a code is good for one login, whoever repeats it. And what hands shares of a root key out: they
// are kept nowhere.
constexpr std::array<std::string_view, 9> kNoChanges{
    "/v1/reidentify",      "/v1/protect",         "/v1/dossier", "/v1/login", "/v1/enrol",
    "/v1/subjects/export", "/v1/subjects/locate", "/v1/logout",  "/v1/rewrap"};

crypto::Sha256Digest digest_of(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    crypto::append_u32be(text, static_cast<std::uint32_t>(part.size()));
    text.append(part);
  }
  const auto digest = crypto::sha256(crypto::as_bytes(text));
  crypto::wipe(text);
  return digest;
}

bool is_key(std::string_view text) {
  return text.size() <= kMaxIdempotencyKey &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

// What may be answered otherwise the next time is not kept, nor what is answered without asking who
// it is: nobody unknown may push the others' answers out.
bool is_final(const AdminResponse& answer) {
  const bool known =
      answer.status < 300 || answer.status == 400 || answer.status == 403 || answer.status == 422;
  return known && !answer.more && answer.body.size() <= kMostBody;
}

}  // namespace

AdminResponse IdempotentHandler::replay(const Kept& kept,
                                        const crypto::Sha256Digest& request) const {
  if (kept.request != request) {
    return admin_problem(422, "idempotency-key",
                         "This Idempotency-Key was used for another request.");
  }
  if (!kept.done) {
    return admin_problem(409, "idempotency-key",
                         "The request with this Idempotency-Key is under way.");
  }
  AdminResponse answer(kept.status, kept.content_type,
                       std::string(crypto::as_text(kept.body.bytes())));
  answer.headers.emplace_back("Idempotency-Replayed", "true");
  return answer;
}

bool IdempotentHandler::make_room(crypto::WallTime now) {
  for (auto at = order_.begin(); at != order_.end();) {
    const Kept& kept = kept_.at(*at);
    const bool old = now >= kept.at + kAnswerLife || now < kept.at;
    if (!kept.done || (!old && kept_.size() < kMostKeptAnswers)) {
      ++at;
      continue;
    }
    kept_.erase(*at);
    at = order_.erase(at);
  }
  return kept_.size() < kMostKeptAnswers;
}

AdminResponse IdempotentHandler::handle(const AdminRequest& request) {
  const bool change = request.method == "POST" && std::find(kNoChanges.begin(), kNoChanges.end(),
                                                            request.path) == kNoChanges.end();
  if (request.idempotency_key.empty() || !change) return inner_.handle(request);
  if (!is_key(request.idempotency_key)) {
    return admin_problem(400, "idempotency-key",
                         "An Idempotency-Key is 1 to 128 visible ASCII characters.");
  }
  const auto who = caller_of_(request);
  if (!who) return inner_.handle(request);
  const auto caller = digest_of({*who, request.idempotency_key});
  const auto asked = digest_of({request.path, request.query, request.body});
  const crypto::WallTime now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    const bool room = make_room(now);
    if (const auto found = kept_.find(caller); found != kept_.end()) {
      return replay(found->second, asked);
    }
    if (!room) return admin_problem(503, "overloaded", "Too many changes are under way.");
    Kept& kept = kept_[caller];
    kept.request = asked;
    kept.at = now;
    order_.push_back(caller);
  }
  AdminResponse answer = inner_.handle(request);
  const std::lock_guard lock(mutex_);
  if (is_final(answer)) {
    Kept& kept = kept_.at(caller);
    kept.done = true;
    kept.status = answer.status;
    kept.content_type = answer.content_type;
    kept.body = crypto::SecretBytes::copy_of(answer.body);
  } else {
    kept_.erase(caller);
    order_.remove(caller);
  }
  return answer;
}

}  // namespace paravent::proxy::admin
