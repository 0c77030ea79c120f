#include "tests/proxy/net/tls_testing.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "proxy/net/tls/openssl_handles.h"

namespace paravent::proxy::net::tls {
namespace {

void must(bool ok) {
  if (!ok) std::abort();
}

void write_certificate(const std::string& file, X509* certificate) {
  std::FILE* const out = std::fopen(file.c_str(), "w");
  must(out != nullptr && PEM_write_X509(out, certificate) == 1);
  std::fclose(out);
}

void write_key(const std::string& file, EVP_PKEY* key) {
  std::FILE* const out = std::fopen(file.c_str(), "w");
  must(out != nullptr &&
       PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(out);
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, &context, nid, const_cast<char*>(value.c_str()));
  must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Handle<EVP_PKEY> make_key() {
  // EVP_EC_gen() is a macro with a C cast.
  Handle<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  must(key != nullptr);
  return key;
}

Handle<X509> make_certificate(EVP_PKEY* key, const std::string& name, int days) {
  static long serial = 1;
  Handle<X509> made(X509_new());
  must(made && X509_set_version(made.get(), 2) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -7L * 24 * 3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), static_cast<long>(days) * 24 * 3600);
  X509_set_pubkey(made.get(), key);
  const auto* const text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, text, -1, -1,
                             0);
  return made;
}

}  // namespace

Certificates::Certificates() {
  std::string name = std::filesystem::temp_directory_path() / "paravent-tls-XXXXXX";
  must(::mkdtemp(name.data()) != nullptr);
  folder_ = name;
  authority_ = path("authority.pem");
  const auto key = make_key();
  const auto made = make_certificate(key.get(), "authority", 30);
  X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
  add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
  must(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
  write_certificate(authority_, made.get());
  write_key(path("authority.key"), key.get());
}

Certificates::~Certificates() { std::filesystem::remove_all(folder_); }

CertificateFiles Certificates::issue(const std::string& name, int days) const {
  std::FILE* in = std::fopen(path("authority.key").c_str(), "r");
  const Handle<EVP_PKEY> issuer_key(PEM_read_PrivateKey(in, nullptr, nullptr, nullptr));
  std::fclose(in);
  in = std::fopen(authority_.c_str(), "r");
  const Handle<X509> issuer(PEM_read_X509(in, nullptr, nullptr, nullptr));
  std::fclose(in);
  must(issuer_key && issuer);
  const auto key = make_key();
  const auto made = make_certificate(key.get(), name, days);
  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get()));
  const bool address = name.find_first_not_of("0123456789.") == std::string::npos;
  add_extension(made.get(), NID_subject_alt_name, (address ? "IP:" : "DNS:") + name);
  must(X509_sign(made.get(), issuer_key.get(), EVP_sha256()) > 0);
  const CertificateFiles files{path(name + ".pem"), path(name + ".key")};
  write_certificate(files.certificate, made.get());
  write_key(files.key, key.get());
  return files;
}

std::array<UniqueFd, 2> socket_pair() {
  std::array<int, 2> ends{};
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

HandshakeStatus shake_hands(TlsStream& ours, ssl_st* theirs) {
  auto here = HandshakeStatus::would_block;
  for (int i = 0; i < 20 && here == HandshakeStatus::would_block; ++i) {
    SSL_do_handshake(theirs);
    ours.on_readable(false);
    here = ours.handshake();
  }
  SSL_do_handshake(theirs);
  return here;
}

}  // namespace paravent::proxy::net::tls
