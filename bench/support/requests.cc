#include "bench/support/requests.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "bench/support/batch_pool.h"

namespace paravent::bench {
namespace {

std::string head_of(const Requests& wanted, std::string_view line) {
  return std::string(line) + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(wanted.port) +
         "\r\nUser-Agent: paravent-bench/1\r\nAccept: */*\r\n";
}

std::string gzip(const std::string& bytes) {
  constexpr int kLevel = 6;
  libdeflate_compressor* const compressor = libdeflate_alloc_compressor(kLevel);
  if (compressor == nullptr) std::abort();
  std::string out(libdeflate_gzip_compress_bound(compressor, bytes.size()), '\0');
  out.resize(
      libdeflate_gzip_compress(compressor, bytes.data(), bytes.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

std::vector<std::string> make_batch_requests(const Requests& wanted) {
  const bool packed = wanted.workload == kGzipWorkload;
  std::vector<std::string> requests;
  for (const Batch& batch : make_batches(wanted.seed, kDefaultBatches)) {
    const std::string body = packed ? gzip(batch.body) : batch.body;
    requests.push_back(head_of(wanted, "POST /batch") + "Content-Type: application/json\r\n" +
                       (packed ? "Content-Encoding: gzip\r\n" : "") +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  return requests;
}

// Four fields and a file of 10 MiB.
std::string upload_request(const Requests& wanted) {
  constexpr std::size_t kFile = std::size_t{10} << 20U;
  const std::string delimiter =
      "--paravent-bench-boundary\r\nContent-Disposition: form-data; name=\"";
  std::string body;
  for (const char* field : {"name\"\r\n\r\nMarie Dupont", "email\"\r\n\r\nmarie.dupont@example.fr",
                            "city\"\r\n\r\nLyon", "note\"\r\n\r\nsent by the benchmark"}) {
    body.append(delimiter).append(field).append("\r\n");
  }
  body.append(delimiter).append(
      "data\"; filename=\"data.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n");
  // Bytes of every value, as a real file has them; the same in each run.
  std::uint64_t state = wanted.seed;
  for (std::size_t i = 0; i < kFile; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    body.push_back(static_cast<char>(state >> 56U));
  }
  body.append("\r\n--paravent-bench-boundary--\r\n");
  return head_of(wanted, "POST /upload") +
         "Content-Type: multipart/form-data; boundary=paravent-bench-boundary\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr std::string_view kNewAddress = "email=u0000000000000000%40example.fr";
constexpr std::size_t kNewDigits = 16;

std::vector<std::string> token_requests(const Requests& wanted) {
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < wanted.forms; ++i) {
    std::string& request = requests.emplace_back(
        head_of(wanted, "POST /vault") +
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
        std::to_string(kNewAddress.size()) + "\r\n\r\n");
    request.append(kNewAddress);
    renew_request(kNewTokenWorkload, i, i, request);
  }
  return requests;
}

// As vault_growth_bench.cc names them.
std::string stored_address(std::uint64_t number) {
  constexpr std::size_t kDigits = 8;
  const std::string digits = std::to_string(number);
  return "visitor" + std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits +
         "%40example.org";
}

std::vector<std::string> stored_requests(const Requests& wanted) {
  constexpr std::array kNames = {"first=", "&second=", "&third=", "&fourth=", "&fifth="};
  // As many forms whatever is stored, so that the generator works through as much memory.
  const std::uint64_t asked = std::min<std::uint64_t>(wanted.forms * kNames.size(), wanted.stored);
  const std::uint64_t apart = wanted.stored / asked;
  std::vector<std::string> requests;
  for (std::uint64_t i = 0; i < wanted.forms; ++i) {
    std::string body;
    for (std::size_t field = 0; field < kNames.size(); ++field) {
      body += kNames[field] + stored_address((i * kNames.size() + field) % asked * apart);
    }
    requests.push_back(head_of(wanted, "POST /vault") +
                       "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  std::mt19937_64 random(wanted.seed);
  std::shuffle(requests.begin(), requests.end(), random);
  return requests;
}

// Four hundred, of which four hold a file.
std::vector<std::string> mixed_requests(Requests wanted) {
  std::vector<std::string> requests;
  for (const auto& [workload, count] :
       {std::pair(kGetWorkload, 280), std::pair(kFormWorkload, 80), std::pair(kBatchWorkload, 36),
        std::pair(kUploadWorkload, 4)}) {
    wanted.workload = workload;
    const std::vector<std::string> some = make_requests(wanted);
    for (int i = 0; i < count; ++i)
      requests.push_back(some[static_cast<std::size_t>(i) % some.size()]);
  }
  std::mt19937_64 random(wanted.seed);
  std::shuffle(requests.begin(), requests.end(), random);
  return requests;
}

}  // namespace

void renew_request(std::string_view workload, std::size_t number, std::uint64_t value,
                   std::string& request) {
  const bool one_of_ten = workload == kOneNewWorkload && number % 10 == 0;
  if (workload != kNewTokenWorkload && !one_of_ten) return;
  const std::size_t end = request.rfind('%');
  for (std::size_t i = 1; i <= kNewDigits; ++i, value /= 10) {
    request[end - i] = static_cast<char>('0' + value % 10);
  }
}

std::vector<std::string> make_requests(const Requests& wanted) {
  std::vector<std::string> requests;
  if (wanted.workload == kMixedWorkload) return mixed_requests(wanted);
  if (wanted.workload == kNewTokenWorkload || wanted.workload == kOneNewWorkload) {
    return token_requests(wanted);
  }
  if (wanted.workload == kStoredWorkload) return stored_requests(wanted);
  if (wanted.workload == kGetWorkload) {
    requests.push_back(head_of(wanted, "GET /kib") + "\r\n");
    return requests;
  }
  if (wanted.workload == kUploadWorkload) {
    requests.push_back(upload_request(wanted));
    return requests;
  }
  if (wanted.workload == kBatchWorkload || wanted.workload == kGzipWorkload) {
    return make_batch_requests(wanted);
  }
  for (const Form& form : make_forms(wanted.seed, wanted.forms)) {
    const std::string body = form.body + std::string(wanted.message_bytes, 'x');
    requests.push_back(head_of(wanted, "POST /contact") +
                       "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  return requests;
}

}  // namespace paravent::bench
