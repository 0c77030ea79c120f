#include "proxy/admin/reidentify_lines.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "proxy/admin/admin_api.h"
#include "proxy/admin/asked.h"

namespace paravent::proxy::admin {
namespace {

constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr std::string_view kBrokenOff = "broken-off";

// Takes the tokens, then the values, part by part.
class Parts {
 public:
  explicit Parts(ReidentifyRequest request) : request_(std::move(request)) {}

  bool done() const { return at_ == size(); }
  std::size_t taken() const { return at_; }
  const std::string& purpose() const { return request_.purpose; }
  std::size_t size() const { return request_.tokens.size() + request_.values.size(); }

  ReidentifyRequest next() { return take(kTokensPerPart); }
  ReidentifyRequest rest() { return take(size() - at_); }

 private:
  ReidentifyRequest take(std::size_t most) {
    ReidentifyRequest part;
    part.purpose = request_.purpose;
    part.reason = request_.reason;
    part.grant = request_.grant;
    for (std::size_t i = 0; i < most && !done(); ++i, ++at_) {
      if (at_ < request_.tokens.size()) {
        part.tokens.push_back(std::move(request_.tokens[at_]));
      } else {
        part.values.push_back(std::move(request_.values[at_ - request_.tokens.size()]));
      }
    }
    return part;
  }

  ReidentifyRequest request_;
  std::size_t at_ = 0;
};

// What tells again who asks, without what was asked.
AdminRequest question_of(const AdminRequest& http) {
  AdminRequest question;
  question.method = http.method;
  question.path = http.path;
  question.authorization = http.authorization;
  question.from_loopback = http.from_loopback;
  question.certificate_name = http.certificate_name;
  question.certificate_expires = http.certificate_expires;
  return question;
}

std::string last_line(std::size_t results) {
  return R"({"complete":true,"results":)" + std::to_string(results) + "}\n";
}

// How much left before the reader was gone: what was opened has its entries, and is no less.
std::string broken_off_remark(std::size_t given, std::size_t in_piece, const Parts& parts) {
  std::string remark(kBrokenOff);
  remark += ": handed over " + std::to_string(given);
  if (in_piece > 0) remark += " to " + std::to_string(given + in_piece);
  return remark + " of " + std::to_string(parts.size());
}

}  // namespace

bool wants_lines(const AdminRequest& request) { return request.accept == kNdjson; }

bool AdminApi::is_still(const AdminRequest& http, const Operator& who) {
  Refusal unused;
  const auto now = identify(current_parts(), http, unused);
  return now && now->name == who.name && now->tenant == who.tenant && now->role == who.role &&
         now->scope == who.scope;
}

void AdminApi::record_rest(const ReidentifyRequest& rest, const Operator& who,
                           std::string_view remark) {
  const AdminParts parts = current_parts();
  crypto::audit::AuditLog* const log = parts.logs.tenant(who.tenant);
  if (log == nullptr) return;
  // Nothing hangs on it: the rest stays closed, and a log that cannot be written says so itself.
  std::ignore = log->append_batch(refusals_of(parts, who, rest, remark));
}

AdminResponse AdminApi::reidentify_lines(const AdminRequest& http, ReidentifyRequest request,
                                         const Operator& who) {
  struct State {
    State(ReidentifyRequest asked, Operator asker, const AdminRequest& with)
        : parts(std::move(asked)), who(std::move(asker)), question(question_of(with)) {}
    ~State() { crypto::wipe(first); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Parts parts;
    Operator who;
    AdminRequest question;
    std::string first;  // values, where nobody came to read them
    // Of how many tokens the results are with the connection for certain, and how many more of them
    // are in the piece that it is being given.
    std::size_t given = 0;
    std::size_t in_piece = 0;
  };
  auto state = std::make_shared<State>(std::move(request), who, http);
  // The first part decides whether this is an answer at all.
  AdminResponse first = reidentify_part(state->parts.next(), who, ResultForm::lines);
  if (first.status != 200) {
    if (!state->parts.done()) record_rest(state->parts.rest(), who, first.reason);
    return first;
  }
  state->first = std::move(first.body);
  AdminResponse answer;
  answer.content_type = kNdjson;
  answer.abandoned = [this, state] {
    counters_.add(state->who.role, state->parts.purpose(), kBrokenOff);
    const std::string remark = broken_off_remark(state->given, state->in_piece, state->parts);
    record_rest(state->parts.rest(), state->who, remark);
  };
  answer.more = [this, state](std::string& piece) {
    // The piece before was taken.
    state->given += std::exchange(state->in_piece, 0);
    if (!state->first.empty()) {
      piece = std::exchange(state->first, {});
      state->in_piece = state->parts.taken();
      return true;
    }
    if (state->parts.done()) {
      piece = last_line(state->parts.size());
      return false;
    }
    if (!is_still(state->question, state->who)) {
      auto rest = state->parts.rest();
      counters_.add(state->who.role, rest.purpose, "credential");
      record_rest(rest, state->who, "credential");
      piece =
          std::move(admin_problem(401, "credential",
                                  "The credential is not valid any more, or gives other rights; "
                                  "the rest was not opened.")
                        .body);
      return false;
    }
    AdminResponse part = reidentify_part(state->parts.next(), state->who, ResultForm::lines);
    const bool goes_on = part.status == 200;
    // What was given is on the record; the rest is not given. The line is the problem.
    if (!goes_on && !state->parts.done()) {
      record_rest(state->parts.rest(), state->who, part.reason);
    }
    piece = std::move(part.body);
    if (goes_on) state->in_piece = state->parts.taken() - state->given;
    return goes_on;
  };
  return answer;
}

}  // namespace paravent::proxy::admin
