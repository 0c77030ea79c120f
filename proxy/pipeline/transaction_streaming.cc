// Transactions whose body is streamed: phases 3 to 7 piece by piece.

#include "proxy/pipeline/transaction_state.h"
#include "proxy/pipeline/vault_question.h"

namespace paravent::proxy {

// Phases 3 to 7 of a streamed body, as far as they go now. The phase is `receive` until the
// upstream has been asked, with `resolve` in between, and `forward` from there on.
std::optional<Phase> Transaction::State::stream() {
  for (;;) {
    switch (upload->run(exchange)) {
      case Upload::Step::wait:
        return std::nullopt;
      case Upload::Step::ask:
        if (phase == Phase::receive) phase = Phase::resolve;
        switch (ask_vault(upload->is_first() || needs_subject_key(route(), buffers))) {
          case Asked::pending:
            return std::nullopt;
          case Asked::sealed:
            return refuse({Reason::sealed, {}});
          case Asked::nothing:
          case Asked::answered:
            tell_upload();
        }
        break;
      case Upload::Step::list:
        if (!note_sealed()) return refuse({Reason::sealed, {}});
        if (note) return std::nullopt;
        upload->listed();
        break;
      case Upload::Step::exchange:
        forwarded = std::chrono::steady_clock::now();
        phase = Phase::forward;
        exchange = upstream->exchange(upload->take_request(), *handler);
        return std::nullopt;
      case Upload::Step::refused:
        return refuse(upload->refusal());
      case Upload::Step::gone:
        abort_exchange();
        return std::nullopt;
      case Upload::Step::done:
        body_unread = false;
        return std::nullopt;
    }
  }
}

std::optional<Refusal> Transaction::State::choose_route(
    std::string_view text, std::span<const body::MultipartStream::Part> parts,
    std::deque<StreamedConditions>& watched) {
  if (auto refusal = group().choose(text, parts, buffers, match, body_plan, watched)) {
    return refusal;
  }
  // `elsewhere` takes no body.
  if (route().mode == policies::RouteMode::pass) return Refusal{Reason::method, {}};
  return refuse_taking();
}

// The vault has answered a question of a stretch of fields.
void Transaction::State::answer_upload() {
  if (auto refusal = refuse_unconfirmed(buffers, *batch)) {
    run(refuse(*refusal));
  } else if (upload->is_first() && is_stopped()) {
    run(stop_objected());
  } else {
    tell_upload();
    if (const auto next = stream()) run(*next);
  }
}

}  // namespace paravent::proxy
