// Certificates and keys from files, with everything that may be wrong said in one sentence.
//
// Functions on contexts under construction; used by server_context.cc and client_context.cc alone.

#pragma once

#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "proxy/net/tls/openssl_handles.h"
#include "proxy/net/tls/server_context.h"

namespace paravent::proxy::net::tls {

// Loads both into the context. configuration: a file is missing or is none of the kind, the key is
// behind a pass-phrase or does not match, the certificate has expired or is not valid yet.
// `warnings` receives sentences about what works and should not stay so: a certificate that expires
// within 30 days, a key that everybody may read.
crypto::Status use_certificate(SSL_CTX& context, const CertificateFiles& files,
                               std::vector<std::string>& warnings);

// Authorities that the other side's certificate is verified with. configuration: the file is
// missing or holds no certificate.
crypto::Status trust_file(SSL_CTX& context, const std::string& file);

// Protocols, ciphers, groups and signatures that both sides of us speak: TLS 1.2 and 1.3, forward
// secrecy and authenticated encryption only (RFC 9325), no compression, no renegotiation, no early
// data (RFC 8446 8). And OpenSSL wipes what it decrypted.
crypto::Status harden(SSL_CTX& context);

// One sentence with OpenSSL's reason for the last failure on this thread, whose queue is emptied.
crypto::Error tls_error(std::string sentence);

}  // namespace paravent::proxy::net::tls
