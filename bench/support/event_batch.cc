#include "bench/support/event_batch.h"

namespace paravent::bench {
namespace {

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + what.size())) {
    ++found;
  }
  return found;
}

void append_event(const Form& person, std::size_t number, std::string& out) {
  const std::string id = std::to_string(100'000 + number);
  out.append(R"({"type":"track","messageId":"ajs-next-2f9d1c55-)").append(id);
  out.append(R"(","timestamp":"2026-11-21T09:14:03.412Z","event":"Course Viewed",)");
  out.append(R"("context":{"library":{"name":"analytics.js","version":"next-1.70.0"},)");
  out.append(R"("page":{"path":"/courses/data-protection","referrer":"https://shop.example/",)");
  out.append(R"("title":"Data protection for small companies","search":"?utm_source=letter"},)");
  out.append(R"("screen":{"width":1920,"height":1080,"density":1.5},"locale":"fr-FR",)");
  out.append(R"("traits":{"name":")").append(person.values[0]);
  out.append(R"(","email":")").append(person.values[1]);
  out.append(R"(","city":")").append(person.values[3]);
  out.append(R"(","plan":"basic","seats":3}},"properties":{"course":"dp-101","price":129.90,)");
  out.append(R"("currency":"EUR","position":)").append(std::to_string(number));
  out.append(R"(,"tags":["law","it","short"],"seen":true,"score":null,"description":")");
  out.append(
      R"(What a company has to know about personal data: whose they are, what they may be )");
  out.append(R"(used for, how long they are kept and who gets to see them. With exercises.")");
  out.append(R"(},"integrations":{"All":true}})");
}

}  // namespace

std::string make_batch(std::span<const Form> forms, std::size_t first) {
  std::string out = R"({"batch":[)";
  for (std::size_t i = 0; i < kBatchEvents; ++i) {
    if (i > 0) out.push_back(',');
    append_event(forms[(first + i) % forms.size()], i, out);
  }
  return out + R"(],"sentAt":"2026-11-21T09:14:04.001Z"})";
}

bool batch_is_right(Expectation expectation, std::string_view body) {
  const std::size_t addresses = count(body, "@");
  const std::size_t derived = count(body, "\"pvd1");
  const std::size_t pseudonyms = count(body, "\"pvh1");
  if (expectation == Expectation::clear) {
    return addresses == kBatchEvents && derived == 0 && pseudonyms == 0;
  }
  return addresses == 0 && derived == 2 * kBatchEvents && pseudonyms == kBatchEvents;
}

}  // namespace paravent::bench
