// What reading and rewriting one body costs (performance.md 2.4). Registrations only; the main
// comes from the benchmark library.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "proxy/body/cookie.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/media_type.h"
#include "proxy/body/multipart.h"
#include "proxy/body/splice.h"

namespace {

namespace body = paravent::proxy::body;

// Keeps every field, as the pipeline does before it decides.
class Collector final : public body::FlatVisitor, public body::JsonVisitor {
 public:
  bool on_field(std::string_view, const body::Field& field) override { return add(field); }
  bool on_value(body::JsonPath, const body::Field& field) override { return add(field); }
  bool on_container(body::JsonPath, bool) override { return true; }

  std::vector<body::FieldEdit> fields;

 private:
  bool add(const body::Field& field) {
    fields.push_back({field, {0, 30}, false});
    return true;
  }
};

// 5 fields, 260 bytes.
std::string contact_form() {
  std::string text =
      "name=Zo%C3%AB+Martin&email=zoe.martin%40example.org&phone=%2B33+6+12+34+56+78"
      "&city=Clermont-Ferrand&message=Bonjour%2C+je+voudrais+un+devis";
  while (text.size() < 260) text += "+svp";
  text.resize(260);
  return text;
}

std::string analytics_batch(std::size_t bytes) {
  std::string text = R"({"batch":[)";
  for (int i = 0; text.size() < bytes; ++i) {
    if (i > 0) text += ',';
    text += R"({"type":"track","userId":"user-)" + std::to_string(100000 + i) +
            R"(","messageId":"node-7f3a9c1e-4b1d-4f53-9a57-0c8f3c2a1b","timestamp":)"
            R"("2024-05-01T12:00:00.000Z","traits":{"email":"zoe.martin@example.org","phone":)"
            R"("+33612345678","firstName":"Zo\u00eb","age":42,"vip":true},"context":{"ip":)"
            R"("192.0.2.17","locale":"fr-FR","page":{"url":"https://example.org/a/b?c=d",)"
            R"("title":"Une page"}}})";
  }
  return text + "]}";
}

void BM_FormScan(benchmark::State& state) {
  const std::string text = contact_form();
  std::string scratch;
  Collector collector;
  for (auto _ : state) {
    collector.fields.clear();
    benchmark::DoNotOptimize(body::scan_form(text, {}, scratch, collector));
  }
  state.SetBytesProcessed(state.iterations() * std::ssize(text));
}
BENCHMARK(BM_FormScan);

void BM_FormSplice(benchmark::State& state) {
  const std::string text = contact_form();
  std::string scratch;
  std::string arena;
  std::string out;
  std::vector<body::Edit> edits;
  Collector collector;
  for (auto _ : state) {
    collector.fields.clear();
    edits.clear();
    arena.clear();
    out.clear();
    benchmark::DoNotOptimize(body::scan_form(text, {}, scratch, collector));
    body::encode_form_value("pvv1qqqsyqcyq5rqwzqfpg9scrgwpug", arena);
    body::form_edits(text, collector.fields, edits);
    body::SplicedBytes(text, edits, arena).for_each_segment([&out](std::string_view segment) {
      out.append(segment);
    });
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_FormSplice);

void BM_JsonScan(benchmark::State& state) {
  const std::string text = analytics_batch(static_cast<std::size_t>(state.range(0)));
  body::JsonScanner scanner(7);
  Collector collector;
  for (auto _ : state) {
    collector.fields.clear();
    benchmark::DoNotOptimize(scanner.scan(text, {}, collector));
  }
  state.SetBytesProcessed(state.iterations() * std::ssize(text));
  state.counters["values"] = static_cast<double>(collector.fields.size());
}
BENCHMARK(BM_JsonScan)->Arg(1 << 10)->Arg(16 << 10)->Arg(256 << 10);

// One object with as many keys as the limit allows: the table of KeySet, not its short list.
void BM_JsonManyKeys(benchmark::State& state) {
  std::string text = "{\"first\":0";
  for (int i = 1; i < 20000; ++i) text += ",\"member" + std::to_string(i) + "\":0";
  text += '}';
  body::JsonScanner scanner(7);
  Collector collector;
  for (auto _ : state) {
    collector.fields.clear();
    benchmark::DoNotOptimize(scanner.scan(text, {}, collector));
  }
  state.SetBytesProcessed(state.iterations() * std::ssize(text));
}
BENCHMARK(BM_JsonManyKeys);

void BM_MultipartScan(benchmark::State& state) {
  const std::string boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
  std::string text;
  for (const char* name : {"name", "email", "phone", "city", "message"}) {
    text += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name +
            "\"\r\n\r\nsome value of a field\r\n";
  }
  text += "--" + boundary + "--\r\n";
  std::string scratch;
  Collector collector;
  for (auto _ : state) {
    collector.fields.clear();
    benchmark::DoNotOptimize(body::scan_multipart(text, boundary, {}, scratch, collector));
  }
  state.SetBytesProcessed(state.iterations() * std::ssize(text));
}
BENCHMARK(BM_MultipartScan);

void BM_CookieScan(benchmark::State& state) {
  const std::string text =
      "PHPSESSID=0c6b7f1e2d3a4958; _pk_id.1.1fff=0a1b2c3d4e5f6071.1700000000.; consent=yes; "
      "theme=d";
  Collector collector;
  for (auto _ : state) {
    collector.fields.clear();
    benchmark::DoNotOptimize(body::scan_cookies(text, {}, collector));
  }
}
BENCHMARK(BM_CookieScan);

void BM_ContentType(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(body::parse_content_type("application/json; charset=utf-8"));
  }
}
BENCHMARK(BM_ContentType);

}  // namespace
