#include "bench/support/requests.h"

namespace paravent::bench {
namespace {

std::string head_of(const Requests& wanted, std::string_view line) {
  return std::string(line) + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(wanted.port) +
         "\r\nUser-Agent: paravent-bench/1\r\nAccept: */*\r\n";
}

}  // namespace

std::vector<std::string> make_requests(const Requests& wanted) {
  std::vector<std::string> requests;
  if (wanted.workload == kGetWorkload) {
    requests.push_back(head_of(wanted, "GET /kib") + "\r\n");
    return requests;
  }
  for (const Form& form : make_forms(wanted.seed, wanted.forms)) {
    requests.push_back(head_of(wanted, "POST /contact") +
                       "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                       std::to_string(form.body.size()) + "\r\n\r\n" + form.body);
  }
  return requests;
}

}  // namespace paravent::bench
