#include "tests/proxy/pipeline/pipeline_testing.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>
#include <variant>

#include "crypto/tokens/token_text.h"
#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"
#include "proxy/body/cookie.h"
#include "proxy/body/form.h"
#include "proxy/body/media_type.h"
#include "proxy/body/multipart.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/request_protector.h"
#include "proxy/pipeline/route_group.h"
#include "proxy/pipeline/settle_body.h"
#include "proxy/pipeline/vault_question.h"
#include "tests/policies/policy_text.h"

namespace paravent::proxy::testing {

using policies::Carrier;

std::string policy_text(const std::string& rules, const std::string& route,
                        const std::string& top) {
  using policies::testing::policy_of;
  using policies::testing::route_of;
  return policy_of(route_of("form", "{ method: POST, path: /f }", route + "    fields:\n" + rules) +
                   top);
}

std::shared_ptr<const Snapshot> snapshot_of(const std::string& policy, crypto::vault::Vault& vault,
                                            const Limits& limits) {
  const auto loaded = policies::load_policy_text("test.yaml", policy);
  const auto plan = policies::compile({&loaded.policy, 1});
  const std::vector<crypto::vault::PolicyNames> names{{"atelier", {"crm"}, {"contact"}}};
  if (!loaded.ok() || !plan || !vault.admit_names(names)) {
    std::fprintf(stderr, "%s%s\n", policy.c_str(),
                 policies::diagnostics_text(loaded.diagnostics).c_str());
    std::abort();
  }
  auto bindings = vault.bind("atelier", (*plan)->context_specs());
  if (!bindings) std::abort();
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->plan = *plan;
  snapshot->limits = limits;
  for (auto& binding : *bindings) {
    snapshot->seal_key_ids.push_back(binding.seal_key_id);
    snapshot->protection_keys.push_back(std::move(binding.key));
    snapshot->previous_keys.push_back(std::move(binding.previous));
  }
  return snapshot;
}

std::string request_text(const std::string& line, const std::string& headers,
                         const std::string& body) {
  std::string text = line + " HTTP/1.1\r\nHost: shop.example:8080\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

std::string form_post(const std::string& body, const std::string& headers) {
  return request_text("POST /f", "Content-Type: application/x-www-form-urlencoded\r\n" + headers,
                      body);
}

std::string json_post(const std::string& body, const std::string& headers) {
  return request_text("POST /f", "Content-Type: application/json\r\n" + headers, body);
}

std::string multipart_post(const std::string& body, const std::string& headers) {
  return request_text("POST /f", "Content-Type: multipart/form-data; boundary=B\r\n" + headers,
                      body);
}

std::string part(const std::string& name, const std::string& value) {
  return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

ReadRequest::ReadRequest(std::string text) : text_(std::move(text)), lines_(100) {
  const Limits limits;
  parser_.begin(lines_, limits.header_bytes, limits.header_line_bytes);
  EXPECT_EQ(parser_.parse({text_.data(), text_.size()}), http1::ParseStatus::done) << text_;
}

std::vector<std::string> Outcome::lines(std::string_view name) const {
  std::vector<std::string> found;
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string line = head.substr(begin, at - begin);
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos && same_header_name(line.substr(0, colon), name)) {
      found.push_back(line.substr(colon + 2));
    }
  }
  return found;
}

std::string Outcome::request_line() const { return head.substr(0, head.find("\r\n")); }

namespace {

class Finder final : public body::FlatVisitor, public body::JsonVisitor {
 public:
  Finder(std::string_view text, std::string_view name, Carrier carrier)
      : text_(text), name_(name), carrier_(carrier) {}

  bool on_field(std::string_view name, const body::Field& field) override {
    if (name == name_) take(field);
    return true;
  }
  bool on_value(body::JsonPath path, const body::Field& field) override {
    if (path.size() == 1 && path[0].key == name_) take(field);
    return true;
  }
  bool on_container(body::JsonPath, bool) override { return true; }

  std::vector<std::string> values;

 private:
  void take(const body::Field& field) {
    const std::string_view raw = field.value.in(text_);
    std::string value(raw);
    if (carrier_ == Carrier::form || carrier_ == Carrier::query) {
      value.clear();
      body::decode_form_value(raw, value);
    } else if (carrier_ == Carrier::json) {
      value.clear();
      body::decode_json_value(raw, field.kind, value);
    }
    values.push_back(std::move(value));
  }

  std::string_view text_;
  std::string_view name_;
  Carrier carrier_;
};

}  // namespace

std::vector<std::string> upstream_values(const Outcome& outcome, Carrier carrier,
                                         std::string_view name) {
  if (carrier == Carrier::header) return outcome.lines(name);
  std::string text = outcome.body;
  if (carrier == Carrier::query) {
    const std::string line = outcome.request_line();
    const std::size_t mark = line.find('?');
    text = mark == std::string::npos ? "" : line.substr(mark + 1, line.rfind(' ') - mark - 1);
  } else if (carrier == Carrier::cookie) {
    const auto lines = outcome.lines("Cookie");
    text = lines.empty() ? "" : lines.front();
  }
  Finder finder(text, name, carrier);
  std::string scratch;
  auto status = body::ScanStatus::ok;
  if (carrier == Carrier::json) {
    body::JsonScanner scanner(1);
    status = scanner.scan(text, {}, finder);
  } else if (carrier == Carrier::multipart) {
    status = body::scan_multipart(text, "B", {}, scratch, finder);
  } else if (carrier == Carrier::cookie) {
    status = body::scan_cookies(text, {}, finder);
  } else {
    status = body::scan_form(text, {}, scratch, finder);
  }
  EXPECT_EQ(status, body::ScanStatus::ok) << text;
  return finder.values;
}

std::string token_class(std::string_view text) {
  const auto facts = crypto::check_token(crypto::strip_email_shape(text));
  return facts ? std::string(crypto::token_class_name(facts->token_class)) : "-";
}

Pipeline::Pipeline(const std::string& policy)
    : vault_(crypto::vault::Vault::in_memory(clock_).value()),
      snapshot_(snapshot_of(policy, *vault_)),
      protector_(crypto::FieldProtector::create(snapshot_->keys()).value()),
      transforms_(FieldTransforms::create(*snapshot_->plan).value()) {}

std::shared_ptr<crypto::vault::ResolveBatch> Pipeline::resolve() {
  auto batch = std::make_shared<crypto::vault::ResolveBatch>();
  append_questions(*snapshot_, buffers_, *batch);
  if (batch->jobs.empty() && batch->confirms.empty()) return nullptr;
  std::promise<void> answered;
  batch->done = [&answered] { answered.set_value(); };
  vault_->resolve(batch);
  answered.get_future().wait();
  EXPECT_EQ(batch->status, crypto::vault::ResolveStatus::ok);
  return batch;
}

Outcome Pipeline::finish(const ProtectedRequest& request) {
  Outcome outcome;
  outcome.head = request.head();
  request.body().for_each_segment([&](std::string_view piece) { outcome.body.append(piece); });
  EXPECT_EQ(outcome.body.size(), request.body().size());
  outcome.jobs = buffers_.jobs.size();
  outcome.raw = raw_;
  return outcome;
}

Outcome Pipeline::run(const std::string& request) {
  const ReadRequest read(request);
  const RequestHead& head = read.head();
  const auto refused = [](const Refusal& refusal) {
    Outcome outcome;
    outcome.refused = reason_label(refusal.reason);
    outcome.field = refusal.field;
    return outcome;
  };
  std::string host;
  auto match = snapshot_->plan->route_for(head.method_text, match_host(head.host, host), head.path);
  if (match.route == nullptr) {
    return refused({match.path_is_protected ? Reason::method : Reason::no_route, {}});
  }
  buffers_.clear_for_next();
  raw_.clear();
  BodyPlan plan;
  if (RouteGroup::is_group(match)) {
    const RouteGroup group(*snapshot_->plan, head, host, snapshot_->limits);
    if (const auto refusal =
            group.choose(read.body(), content_decoder_, json_scanners_, buffers_, match, plan)) {
      return refused(*refusal);
    }
  } else {
    const auto admitted = admit(*snapshot_->plan, match, head, snapshot_->limits);
    if (const auto* refusal = std::get_if<Refusal>(&admitted)) return refused(*refusal);
    plan = std::get<BodyPlan>(admitted);
  }
  RequestProtector protector(*match.route, head, {peer, trusted}, tls, buffers_);
  if (match.route->mode == policies::RouteMode::pass) return finish(protector.pass(read.body()));
  std::string_view body = read.body();
  if (const auto refusal = settle_body(*match.route, snapshot_->limits, content_decoder_,
                                       buffers_.decoded, plan, body)) {
    return refused(*refusal);
  }
  RequestScanner scanner(*match.route, head, buffers_, *this, observer);
  if (const auto refusal = scanner.scan(plan, body, json_scanners_)) return refused(*refusal);
  const auto batch = resolve();
  if (batch) {
    if (const auto refusal = refuse_unconfirmed(buffers_, *batch)) return refused(*refusal);
  }
  const auto made = protector.protect(plan, body, {*protector_, *transforms_, clock_}, batch.get());
  if (const auto* refusal = std::get_if<Refusal>(&made)) return refused(*refusal);
  return finish(std::get<ProtectedRequest>(made));
}

}  // namespace paravent::proxy::testing
