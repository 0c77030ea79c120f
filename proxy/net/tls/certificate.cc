#include "proxy/net/tls/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string_view>
#include <utility>

namespace paravent::proxy::net::tls {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;

constexpr int kWarnDays = 30;

// BSI TR-02102-2 and RFC 9325: ephemeral key agreement and AEAD only.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kSignatures =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:"
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";

// Never asks at a terminal: a server's key lies open on its disk or in no file at all.
int no_pass_phrase(char*, int, int, void*) { return -1; }

Status readable(const std::string& file, std::string_view what) {
  const std::ifstream in(file, std::ios::binary);
  if (in) return {};
  return Error(ErrorKind::configuration, "The " + std::string(what) + " " + file +
                                             " cannot be read: " + std::strerror(errno) + ".");
}

Status check_dates(const X509& leaf, const std::string& file, std::vector<std::string>& warnings) {
  const ASN1_TIME* const from = X509_get0_notBefore(&leaf);
  const ASN1_TIME* const until = X509_get0_notAfter(&leaf);
  if (X509_cmp_current_time(from) > 0) {
    warnings.push_back("The certificate " + file + " is not valid yet.");
  }
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, until) != 1) {
    return Error(ErrorKind::configuration, "The certificate " + file + " has no valid dates.");
  }
  if (days < 0 || seconds < 0) {
    // Not refused: a gateway that does not start at all protects nobody, and a client refuses it.
    warnings.push_back("The certificate " + file + " has expired; clients will refuse it.");
  } else if (days < kWarnDays) {
    warnings.push_back("The certificate " + file + " expires in " + std::to_string(days) +
                       " days.");
  }
  return {};
}

void check_mode(const std::string& file, std::vector<std::string>& warnings) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) == 0 && (facts.st_mode & S_IROTH) != 0) {
    warnings.push_back("The private key " + file + " can be read by everybody; chmod 0600 it.");
  }
}

}  // namespace

Error tls_error(std::string sentence) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  if (reason != nullptr) sentence += std::string(" (") + reason + ")";
  return {ErrorKind::configuration, sentence + "."};
}

Status use_certificate(SSL_CTX& context, const CertificateFiles& files,
                       std::vector<std::string>& warnings) {
  if (auto status = readable(files.certificate, "certificate"); !status) return status;
  if (auto status = readable(files.key, "private key"); !status) return status;
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(&context, no_pass_phrase);
  if (SSL_CTX_use_certificate_chain_file(&context, files.certificate.c_str()) != 1) {
    return tls_error("The file " + files.certificate + " holds no usable certificate in PEM");
  }
  if (SSL_CTX_use_PrivateKey_file(&context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
      ERR_clear_error();
      return Error(ErrorKind::configuration, "The private key " + files.key +
                                                 " does not belong to the certificate " +
                                                 files.certificate + ".");
    }
    return tls_error("The file " + files.key +
                     " holds no usable private key in PEM without a pass-phrase");
  }
  if (SSL_CTX_check_private_key(&context) != 1) {
    ERR_clear_error();
    return Error(ErrorKind::configuration, "The private key " + files.key +
                                               " does not belong to the certificate " +
                                               files.certificate + ".");
  }
  check_mode(files.key, warnings);
  return check_dates(*SSL_CTX_get0_certificate(&context), files.certificate, warnings);
}

Status trust_file(SSL_CTX& context, const std::string& file) {
  if (auto status = readable(file, "file of certificate authorities"); !status) return status;
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(&context, file.c_str()) != 1) {
    return tls_error("The file " + file + " holds no certificate authority in PEM");
  }
  return {};
}

Status harden(SSL_CTX& context) {
  ERR_clear_error();
  // What was decrypted is wiped as it is read, and what nobody read before its buffer is freed.
  SSL_CTX_set_options(&context, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  // Idle connections hold no buffers; a write that the socket did not take is continued from a
  // copy.
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One system call for a record's head and body.
  SSL_CTX_set_read_ahead(&context, 1);
  SSL_CTX_set_max_early_data(&context, 0);
  SSL_CTX_set_recv_max_early_data(&context, 0);
  const bool ok = SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1 &&
                  SSL_CTX_set_max_proto_version(&context, TLS1_3_VERSION) == 1 &&
                  SSL_CTX_set_cipher_list(&context, kCiphers) == 1 &&
                  SSL_CTX_set1_groups_list(&context, kGroups) == 1 &&
                  SSL_CTX_set1_sigalgs_list(&context, kSignatures) == 1;
  if (!ok) return tls_error("This OpenSSL does not know the ciphers that Paravent speaks");
  return {};
}

}  // namespace paravent::proxy::net::tls
