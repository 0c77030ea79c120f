#include "bench/support/batch_pool.h"

#include <utility>

#include "bench/support/form_pool.h"

namespace paravent::bench {
namespace {

void append_event(std::string& out, std::size_t number, const std::array<std::string, 3>& values) {
  const std::string n = std::to_string(number);
  out +=
      R"({"type":"track","event":"Course Viewed","messageId":"m-)" + n +
      R"(","anonymousId":"5f0c4e2a-91d7-4b0e-8a55-7d1f2c3b)" + n +
      R"(","timestamp":"2026-11-28T10:15:30.123Z","context":{"library":{"id":"analytics.js",)"
      R"("version":"4.2.1"},"locale":"fr-FR","screen":{"width":1920,"height":1080,"density":1.5},)"
      R"("page":{"url":"https://www.example.org/courses/welding/advanced?step=3&campaign=autumn",)"
      R"("referrer":"https://www.example.org/courses","title":"Welding, advanced level",)"
      R"("path":"/courses/welding/advanced"},"traits":{"email":")" +
      values[0] + R"(","name":")" + values[1] + R"(","note":")" + values[2] +
      R"(","newsletter":true,"visits":)" + n +
      R"(}},"properties":{"course":"welding-2","price":1490.00,"currency":"EUR","seats":12,)"
      R"("tags":["evening","certificate"],"position":null,"duration":3.75}})";
}

}  // namespace

std::vector<Batch> make_batches(std::uint64_t seed, std::size_t count) {
  // The forms' people, each with an address of its own.
  const std::vector<Form> people = make_forms(seed, count * kBatchEvents);
  std::vector<Batch> batches(count);
  std::size_t at = 0;
  for (Batch& batch : batches) {
    batch.body = R"({"sentAt":"2026-11-28T10:15:31.000Z","batch":[)";
    for (std::size_t i = 0; i < kBatchEvents; ++i, ++at) {
      const Form& one = people[at];
      batch.values[i] = {one.values[1], one.values[0], one.values[4]};
      if (i > 0) batch.body += ',';
      append_event(batch.body, at, batch.values[i]);
    }
    batch.body += "]}";
  }
  return batches;
}

}  // namespace paravent::bench
