#include "bench/support/requests.h"

#include <libdeflate.h>

#include <cstdlib>

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

}  // namespace

std::vector<std::string> make_requests(const Requests& wanted) {
  std::vector<std::string> requests;
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
    requests.push_back(head_of(wanted, "POST /contact") +
                       "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                       std::to_string(form.body.size()) + "\r\n\r\n" + form.body);
  }
  return requests;
}

}  // namespace paravent::bench
