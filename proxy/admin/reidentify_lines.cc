#include "proxy/admin/reidentify_lines.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "proxy/admin/admin_api.h"

namespace paravent::proxy::admin {
namespace {

constexpr std::string_view kNdjson = "application/x-ndjson";

// Takes the tokens, then the values, part by part.
class Parts {
 public:
  explicit Parts(ReidentifyRequest request) : request_(std::move(request)) {}

  bool done() const { return at_ == size(); }
  std::size_t size() const { return request_.tokens.size() + request_.values.size(); }

  ReidentifyRequest next() {
    ReidentifyRequest part;
    part.purpose = request_.purpose;
    part.reason = request_.reason;
    part.grant = request_.grant;
    for (std::size_t i = 0; i < kTokensPerPart && !done(); ++i, ++at_) {
      if (at_ < request_.tokens.size()) {
        part.tokens.push_back(std::move(request_.tokens[at_]));
      } else {
        part.values.push_back(std::move(request_.values[at_ - request_.tokens.size()]));
      }
    }
    return part;
  }

 private:
  ReidentifyRequest request_;
  std::size_t at_ = 0;
};

std::string last_line(std::size_t results) {
  return R"({"complete":true,"results":)" + std::to_string(results) + "}\n";
}

}  // namespace

bool wants_lines(const AdminRequest& request) { return request.accept == kNdjson; }

AdminResponse AdminApi::reidentify_lines(ReidentifyRequest request, const Operator& who) {
  struct State {
    Parts parts;
    Operator who;
    std::string first;
  };
  auto state = std::make_shared<State>(State{Parts(std::move(request)), who, {}});
  // The first part decides whether this is an answer at all.
  AdminResponse first = reidentify_part(state->parts.next(), who, ResultForm::lines);
  if (first.status != 200) return first;
  state->first = std::move(first.body);
  AdminResponse answer;
  answer.content_type = kNdjson;
  answer.more = [this, state](std::string& piece) {
    if (!state->first.empty()) {
      piece = std::exchange(state->first, {});
      return true;
    }
    if (state->parts.done()) {
      piece = last_line(state->parts.size());
      return false;
    }
    AdminResponse part = reidentify_part(state->parts.next(), state->who, ResultForm::lines);
    piece = std::move(part.body);
    if (part.status == 200) return true;
    // What was given is on the record; the rest is not given. The line is the problem.
    return false;
  };
  return answer;
}

}  // namespace paravent::proxy::admin
