// A recorded request as people keep it in files: head with LF or CRLF, an empty line, the body.

#pragma once

#include <string>
#include <string_view>

namespace paravent::proxy::main {

struct RecordedRequest {
  std::string head;  // CRLF, with framing headers that fit the body, ready for the strict parser
  std::string body;
};

RecordedRequest read_recorded_request(std::string_view text);

}  // namespace paravent::proxy::main
