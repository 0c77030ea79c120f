#include "proxy/net/tls/client_context.h"

#include <openssl/err.h>

#include <string_view>
#include <utility>

#include "proxy/net/tls/certificate.h"
#include "proxy/net/tls/openssl_handles.h"
#include "proxy/net/tls/socket_bio.h"

namespace paravent::proxy::net::tls {

using crypto::Result;
using crypto::Status;

namespace {

constexpr std::string_view kProtocol = "\x08http/1.1";

Status trust(SSL_CTX& context, const std::string& file) {
  if (!file.empty()) return trust_file(context, file);
  ERR_clear_error();
  if (SSL_CTX_set_default_verify_paths(&context) != 1) {
    return tls_error("The system's certificate authorities cannot be read");
  }
  return {};
}

}  // namespace

struct ClientContext::State {
  Handle<SSL_CTX> context;
  Handle<BIO_METHOD> methods;
  std::string server_name;
};

ClientContext::ClientContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientContext::~ClientContext() = default;

Result<std::shared_ptr<const ClientContext>> ClientContext::make(
    const ClientOptions& options, std::vector<std::string>& warnings) {
  auto state = std::make_unique<State>();
  state->server_name = options.server_name;
  state->context.reset(SSL_CTX_new(TLS_client_method()));
  state->methods = make_socket_methods();
  if (!state->context || !state->methods) return tls_error("OpenSSL cannot be used");
  SSL_CTX& context = *state->context;
  if (auto status = harden(context); !status) return status.error();
  if (auto status = trust(context, options.ca); !status) return status.error();
  if (!options.certificate.empty()) {
    auto status = use_certificate(context, {options.certificate, options.key}, warnings);
    if (!status) return status.error();
  }
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  // 0 is success here, unlike everywhere else.
  const auto* const protocol = reinterpret_cast<const unsigned char*>(kProtocol.data());
  if (SSL_CTX_set_alpn_protos(&context, protocol, static_cast<unsigned>(kProtocol.size())) != 0) {
    return tls_error("OpenSSL cannot be used");
  }
  return std::shared_ptr<const ClientContext>(new ClientContext(std::move(state)));
}

const bio_method_st* ClientContext::socket_methods() const noexcept {
  return state_->methods.get();
}
ssl_ctx_st* ClientContext::native() const noexcept { return state_->context.get(); }
const std::string& ClientContext::server_name() const noexcept { return state_->server_name; }

}  // namespace paravent::proxy::net::tls
