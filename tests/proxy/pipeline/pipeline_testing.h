// The path of one request from the text of a policy to the bytes for the upstream, for tests:
// parser, plan, scanner, an in-memory vault and the protector, as the Transaction strings them
// together.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/net/http1/request_parser.h"
#include "proxy/pipeline/client_address.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/protected_request.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy::testing {

// A policy with the route `form` (POST /f; `rules` and `route` are indented YAML lines) and what
// `top` adds. Ends the process when it does not load.
std::string policy_text(const std::string& rules, const std::string& route = "",
                        const std::string& top = "");
std::shared_ptr<const Snapshot> snapshot_of(const std::string& policy, crypto::vault::Vault& vault,
                                            const Limits& limits = {});

// A request's text: `line` such as "POST /f", headers with CRLF each, our Host and Content-Length.
std::string request_text(const std::string& line, const std::string& headers,
                         const std::string& body = "");
std::string form_post(const std::string& body, const std::string& headers = "");
std::string json_post(const std::string& body, const std::string& headers = "");
std::string multipart_post(const std::string& body, const std::string& headers = "");
// One multipart part of the boundary "B"; end with kMultipartEnd.
std::string part(const std::string& name, const std::string& value);
inline constexpr std::string_view kMultipartEnd = "--B--\r\n";

// A request as the strict parser read it. A refusal fails the test.
class ReadRequest {
 public:
  explicit ReadRequest(std::string text);
  ReadRequest(const ReadRequest&) = delete;
  ReadRequest& operator=(const ReadRequest&) = delete;

  const RequestHead& head() const { return parser_.head(); }
  std::string_view body() const { return std::string_view(text_).substr(parser_.size()); }

 private:
  std::string text_;
  std::vector<HeaderLine> lines_;
  http1::RequestParser parser_;
};

struct Outcome {
  std::string refused;  // the label; empty: would be forwarded
  std::string field;
  std::string head;
  std::string body;
  std::size_t jobs = 0;
  std::vector<std::uint32_t> raw;  // action ids of protect-raw

  // Values of the upstream's lines of that name, in order.
  std::vector<std::string> lines(std::string_view name) const;
  std::string request_line() const;
};

// The decoded values of a field as the upstream's application would read them.
std::vector<std::string> upstream_values(const Outcome& outcome, policies::Carrier carrier,
                                         std::string_view name);
// The class of a token's text, "-" when it is none.
std::string token_class(std::string_view text);

class Pipeline final : private RawCounter {
 public:
  explicit Pipeline(const std::string& policy);

  Outcome run(const std::string& request);

  std::string peer = "192.0.2.7";
  bool trusted = false;
  bool tls = false;
  ScanObserver* observer = nullptr;
  const Snapshot& snapshot() const { return *snapshot_; }
  const ExchangeBuffers& buffers() const { return buffers_; }

 private:
  void on_raw(std::uint32_t action_id) override { raw_.push_back(action_id); }
  std::shared_ptr<crypto::vault::ResolveBatch> resolve();
  Outcome finish(const ProtectedRequest& request);

  crypto::SystemClock clock_;
  std::unique_ptr<crypto::vault::Vault> vault_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::unique_ptr<crypto::FieldProtector> protector_;
  std::optional<FieldTransforms> transforms_;
  body::ContentDecoder content_decoder_;
  body::JsonScanners json_scanners_{7};
  ExchangeBuffers buffers_;
  std::vector<std::uint32_t> raw_;
};

}  // namespace paravent::proxy::testing
