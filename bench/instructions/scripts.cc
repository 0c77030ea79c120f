// Fixed scripts whose instructions are counted (gate.py, under valgrind's callgrind): the codecs,
// the plan's look-up, the protector, and whole transactions over memory: a form, the forms of the
// load generator in turn, and a batch of events. Each script runs once to warm up and then kTimes;
// only the latter are counted, one dump of callgrind's per script. Without valgrind the program
// does the same and counts nothing.

#include <valgrind/callgrind.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/support/batch_pool.h"
#include "bench/support/form_exchange.h"
#include "bench/support/form_pool.h"
#include "policies/model/preset.h"
#include "proxy/body/cookie.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/multipart.h"
#include "proxy/body/splice.h"

namespace paravent::bench {
namespace {

namespace body = proxy::body;

constexpr int kTimes = 200;  // gate.py divides by it

// Replaces every field by the same text.
class Collector final : public body::FlatVisitor, public body::JsonVisitor {
 public:
  bool on_field(std::string_view, const body::Field& field) override { return add(field); }
  bool on_value(body::JsonPath, const body::Field& field) override { return add(field); }
  bool on_container(body::JsonPath, bool) override { return true; }

  std::vector<body::FieldEdit> fields;

 private:
  bool add(const body::Field& field) {
    fields.push_back({field, {0, static_cast<std::uint32_t>(kReplacement.size())}, false});
    return true;
  }

 public:
  static constexpr std::string_view kReplacement = "\"pvv1qqqsyqcyq5rqwzqfpg9scrgwpug\"";
};

// What every codec's script needs, kept from one run to the next as the data path keeps it.
struct Codecs {
  void begin() {
    collector.fields.clear();
    edits.clear();
    out.clear();
  }
  void splice(std::string_view text) {
    body::SplicedBytes(text, edits, Collector::kReplacement)
        .for_each_segment([this](std::string_view segment) { out.append(segment); });
    if (out.empty()) std::abort();
  }
  static void require(body::ScanStatus status) {
    if (status != body::ScanStatus::ok) std::abort();
  }

  Collector collector;
  std::vector<body::Edit> edits;
  std::string scratch;
  std::string out;
  body::JsonScanner json{7};
};

std::string json_batch() {
  std::string text = R"({"batch":[)";
  for (int i = 0; i < 8; ++i) {
    if (i > 0) text += ',';
    text +=
        R"({"type":"track","userId":"user-10000)" + std::to_string(i) +
        R"(","timestamp":"2024-05-01T12:00:00.000Z","traits":{"email":"zoe.martin@example.org",)"
        R"("phone":"+33612345678","firstName":"Zo\u00eb","age":42,"vip":true},"context":{)"
        R"("ip":"192.0.2.17","page":{"url":"https://example.org/a?c=d","title":"Une page"}}})";
  }
  return text + "]}";
}

constexpr std::string_view kBoundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

std::string multipart_form() {
  std::string text;
  for (const char* name : {"name", "email", "phone", "city", "message"}) {
    text.append("--").append(kBoundary);
    text.append("\r\nContent-Disposition: form-data; name=\"").append(name);
    text.append("\"\r\n\r\nsome value of a field\r\n");
  }
  return text.append("--").append(kBoundary).append("--\r\n");
}

void count(const char* name, const std::function<void()>& script) {
  script();
  script();
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  for (int i = 0; i < kTimes; ++i) script();
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
}

void count_codecs() {
  Codecs codecs;
  count("form_splice", [&] {
    codecs.begin();
    Codecs::require(body::scan_form(kBody, {}, codecs.scratch, codecs.collector));
    body::form_edits(kBody, codecs.collector.fields, codecs.edits);
    codecs.splice(kBody);
  });
  const std::string json = json_batch();
  count("json_splice", [&] {
    codecs.begin();
    Codecs::require(codecs.json.scan(json, {}, codecs.collector));
    body::json_edits(json, codecs.collector.fields, codecs.edits);
    codecs.splice(json);
  });
  const std::string multipart = multipart_form();
  count("multipart_splice", [&] {
    codecs.begin();
    Codecs::require(
        body::scan_multipart(multipart, kBoundary, {}, codecs.scratch, codecs.collector));
    body::multipart_edits(multipart, codecs.collector.fields, codecs.edits);
    codecs.splice(multipart);
  });
  constexpr std::string_view kCookies =
      "PHPSESSID=0c6b7f1e2d3a4958; _pk_id.1.1fff=0a1b2c3d4e5f6071.1700000000.; consent=yes";
  count("cookie_splice", [&] {
    codecs.begin();
    Codecs::require(body::scan_cookies(kCookies, {}, codecs.collector));
    body::cookie_edits(kCookies, codecs.collector.fields, codecs.edits);
    codecs.splice(kCookies);
  });
}

void count_plan() {
  using policies::Carrier;
  const auto loaded = policies::load_preset("contact-form", {});
  if (!loaded) std::abort();
  const auto plan = policies::compile({&loaded->policy, 1});
  if (!plan) std::abort();
  const std::array<policies::PathStep, 1> path = {policies::PathStep{"email", 0, false}};
  count("plan_look_up", [&] {
    const auto match = (*plan)->route_for("POST", "www.example.org", "/contact");
    if (match.route == nullptr) std::abort();
    for (const std::string_view name : {"email", "csrf_token", "date_of_birth", "message"}) {
      if (match.route->find(Carrier::form, name) == nullptr && name == "email") std::abort();
    }
    if (match.route->find_json(path) == nullptr) std::abort();
    match.route->find(Carrier::header, "User-Agent");
  });
}

void count_protector() {
  Setting setting;
  std::string out;
  const auto script = [&](crypto::Algorithm algorithm, crypto::Kind kind, std::string_view value) {
    std::size_t slot = 0;
    const auto& specs = setting.worker->snapshot->plan->context_specs();
    while (slot < specs.size() && specs[slot].algorithm != algorithm) ++slot;
    return [&setting, &out, slot, kind, value] {
      out.clear();
      if (!setting.worker->protector->protect(static_cast<std::uint32_t>(slot), {.kind = kind},
                                              value, out)) {
        std::abort();
      }
    };
  };
  count("protect_derived",
        script(crypto::Algorithm::derived, crypto::Kind::email, "marie.dupont.2026@example.com"));
  count("protect_pseudonym", script(crypto::Algorithm::pseudonym, crypto::Kind::name, "Lyon"));
  count("protect_encrypted",
        script(crypto::Algorithm::encrypted, crypto::Kind::text,
               "Bonjour, je voudrais un devis pour la réparation de ma machine, merci."));
}

// `bodies`: of the requests, in turn; all of them with the sample's head.
void count_transaction(const char* name, const Sample& sample,
                       const std::vector<Form>& bodies = {}) {
  Setting setting(sample);
  Client client(sample.body);
  Application application;
  proxy::Transaction transaction(client, application);
  const Answer answer;
  count(name, [&] {
    if (!bodies.empty()) client.will_send(bodies[client.exchanges % bodies.size()].body);
    setting.parser.begin(setting.lines, 16 * 1024, 8 * 1024);
    if (setting.parser.parse({setting.text.data(), setting.text.size()}) !=
        proxy::http1::ParseStatus::done) {
      std::abort();
    }
    transaction.start(setting.parser.head(), setting.worker);
    if (transaction.phase() != proxy::Phase::forward) std::abort();
    application.handler->on_response(answer.head, "ok", true);
  });
  if (client.exchanges != kTimes + 2) std::abort();
}

}  // namespace
}  // namespace paravent::bench

int main() {
  paravent::bench::count_codecs();
  paravent::bench::count_plan();
  paravent::bench::count_protector();
  paravent::bench::count_transaction("transaction", {});
  paravent::bench::count_transaction(
      "transaction_pool", {},
      paravent::bench::make_forms(paravent::bench::kDefaultSeed, paravent::bench::kTimes));
  const std::string batch = std::move(paravent::bench::make_batches(7, 1).front().body);
  paravent::bench::count_transaction("transaction_batch", {"/batch", "application/json", batch});
  return 0;
}
