#include "proxy/net/tls/server_context.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "crypto/base/out_of_memory.h"
#include "proxy/net/tls/certificate.h"
#include "proxy/net/tls/openssl_handles.h"
#include "proxy/net/tls/socket_bio.h"

namespace paravent::proxy::net::tls {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

namespace {

constexpr std::string_view kProtocol = "\x08http/1.1";  // RFC 7301 3.1
constexpr std::string_view kSessionContext = "paravent";
// Of a client's whole chain; OpenSSL's default is 100 KiB.
constexpr long kMaxChainBytes = 32 * 1024;

}  // namespace

struct ServerContext::State {
  ClientCertificate client_certificate = ClientCertificate::none;
  std::shared_ptr<TicketKeys> tickets;
  // By certificate; the first one is the default and the one that connections are made from.
  std::vector<Handle<SSL_CTX>> contexts;
  Handle<BIO_METHOD> methods;
};

namespace {

// ---- what OpenSSL calls back ----

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned size, void*) {
  unsigned char* chosen = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kProtocol.data());
  const int found = SSL_select_next_proto(&chosen, out_size, ours,
                                          static_cast<unsigned>(kProtocol.size()), offered, size);
  *out = chosen;
  // A client that speaks none of ours hears so (no_application_protocol), instead of garbage later.
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

template <typename State>
int choose_certificate(SSL* connection, int*, void* argument) {
  const char* const name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto& contexts = static_cast<const State*>(argument)->contexts;
  for (const auto& context : contexts) {
    X509* const leaf = SSL_CTX_get0_certificate(context.get());
    if (X509_check_host(leaf, name, std::strlen(name), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                        nullptr) != 1) {
      continue;
    }
    if (context.get() != SSL_get_SSL_CTX(connection)) SSL_set_SSL_CTX(connection, context.get());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

bool set_ticket_keys(const TicketKeys::Key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                     EVP_MAC_CTX* mac, bool encrypt) {
  char digest[] = "SHA256";
  // OpenSSL's interface takes a mutable pointer and only reads it.
  auto* const mac_key = const_cast<std::uint8_t*>(key.mac.bytes().data());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  const auto* const cipher_key = key.cipher.bytes().data();
  return EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
         EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, cipher_key, iv, encrypt ? 1 : 0) ==
             1;
}

// 1: done; 2: done, and a new ticket is due; 0: no such key, so a full handshake; -1: failed.
int use_ticket_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                   EVP_MAC_CTX* mac, int encrypt) {
  auto* const keys = static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  if (keys == nullptr) return -1;
  const auto now = TicketKeys::Clock::now();
  std::shared_ptr<const TicketKeys::Key> current;
  // OpenSSL's frames are no place for an exception: without the memory the handshake fails.
  if (!crypto::with_memory([&] { current = keys->current(now); })) return -1;
  if (encrypt == 1) {
    std::copy(current->name.begin(), current->name.end(), name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    return set_ticket_keys(*current, iv, cipher, mac, true) ? 1 : -1;
  }
  const auto key = keys->find({name, current->name.size()}, now);
  if (key == nullptr) return 0;
  if (!set_ticket_keys(*key, iv, cipher, mac, false)) return -1;
  // Under TLS 1.3 a ticket is for one connection: shown twice, it would tell who comes again, and a
  // client that heeds that (RFC 8446 C.4) needs a new one from each.
  return key == current && SSL_version(connection) < TLS1_3_VERSION ? 1 : 2;
}

Status ask_for_certificate(SSL_CTX& context, const ServerOptions& options) {
  if (options.client_certificate == ClientCertificate::none) return {};
  if (options.client_ca.empty()) {
    return Error(ErrorKind::configuration,
                 "Client certificates need client-ca, the file of the authority that issues them.");
  }
  if (auto status = trust_file(context, options.client_ca); !status) return status;
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(options.client_ca.c_str());
  if (names == nullptr) {
    return tls_error("The file " + options.client_ca + " holds no certificate authority in PEM");
  }
  SSL_CTX_set_client_CA_list(&context, names);  // takes the list over
  int mode = SSL_VERIFY_PEER;
  if (options.client_certificate == ClientCertificate::required) {
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  SSL_CTX_set_verify(&context, mode, nullptr);
  SSL_CTX_set_verify_depth(&context, 4);
  SSL_CTX_set_max_cert_list(&context, kMaxChainBytes);
  return {};
}

void set_tickets(SSL_CTX& context, const ServerOptions& options) {
  const auto* const id = reinterpret_cast<const unsigned char*>(kSessionContext.data());
  SSL_CTX_set_session_id_context(&context, id, static_cast<unsigned>(kSessionContext.size()));
  if (!options.tickets || options.client_certificate != ClientCertificate::none) {
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(&context, 0);
    return;
  }
  SSL_CTX_set_app_data(&context, options.tickets.get());
  SSL_CTX_set_timeout(
      &context, std::chrono::duration_cast<std::chrono::seconds>(TicketKeys::kTicketLife).count());
  SSL_CTX_set_num_tickets(&context, 2);  // a browser opens more than one connection
  SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, use_ticket_key);
}

Result<Handle<SSL_CTX>> make_context(const ServerOptions& options, const CertificateFiles& files,
                                     std::vector<std::string>& warnings) {
  Handle<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  if (!context) return tls_error("OpenSSL cannot be used");
  if (auto status = harden(*context); !status) return status.error();
  if (auto status = use_certificate(*context, files, warnings); !status) return status.error();
  if (auto status = ask_for_certificate(*context, options); !status) return status.error();
  set_tickets(*context, options);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  return context;
}

}  // namespace

ServerContext::ServerContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerContext::~ServerContext() = default;

Result<std::shared_ptr<const ServerContext>> ServerContext::make(
    const ServerOptions& options, std::vector<std::string>& warnings) {
  if (options.certificates.empty()) {
    return Error(ErrorKind::configuration, "A TLS listener needs a certificate and its key.");
  }
  auto state = std::make_unique<State>();
  state->client_certificate = options.client_certificate;
  state->tickets = options.tickets;
  for (const CertificateFiles& files : options.certificates) {
    auto context = make_context(options, files, warnings);
    if (!context) return context.error();
    state->contexts.push_back(std::move(*context));
  }
  state->methods = make_socket_methods();
  if (!state->methods) return tls_error("OpenSSL cannot be used");
  SSL_CTX* const first = state->contexts.front().get();
  if (state->contexts.size() > 1) {
    // What SSL_CTX_set_tlsext_servername_callback() does, which is a macro with a C cast.
    SSL_CTX_callback_ctrl(first, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                          reinterpret_cast<void (*)()>(choose_certificate<State>));
    SSL_CTX_set_tlsext_servername_arg(first, state.get());
  }
  return std::shared_ptr<const ServerContext>(new ServerContext(std::move(state)));
}

bool ServerContext::asks_for_certificate() const noexcept {
  return state_->client_certificate != ClientCertificate::none;
}

ssl_st* ServerContext::new_connection() const noexcept {
  return SSL_new(state_->contexts.front().get());
}

const bio_method_st* ServerContext::socket_methods() const noexcept {
  return state_->methods.get();
}

std::string verified_common_name(ssl_st& connection) {
  const X509* const leaf = SSL_get0_peer_certificate(&connection);
  if (leaf == nullptr || SSL_get_verify_result(&connection) != X509_V_OK) return {};
  const X509_NAME* const subject = X509_get_subject_name(leaf);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return {};
  const ASN1_STRING* const name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, name);
  if (size < 0) return {};
  std::string result(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  // What is cut at a NUL by one reader and not by another names nobody.
  return result.find('\0') == std::string::npos ? result : std::string();
}

std::optional<crypto::WallTime> verified_until(ssl_st& connection) {
  const X509* const leaf = SSL_get0_peer_certificate(&connection);
  if (leaf == nullptr || SSL_get_verify_result(&connection) != X509_V_OK) return std::nullopt;
  std::tm parts{};
  // Verified certificates have readable dates; of another one nobody knows that it is still good.
  if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &parts) != 1) return crypto::WallTime();
  return crypto::WallTime(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace paravent::proxy::net::tls
