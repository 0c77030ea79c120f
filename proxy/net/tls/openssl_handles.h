// Owners for OpenSSL's objects. Only the files of this room include it.

#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace paravent::proxy::net::tls {

struct OpenSslFree {
  void operator()(SSL_CTX* object) const noexcept { SSL_CTX_free(object); }
  void operator()(SSL* object) const noexcept { SSL_free(object); }
  void operator()(BIO* object) const noexcept { BIO_free_all(object); }
  void operator()(BIO_METHOD* object) const noexcept { BIO_meth_free(object); }
  void operator()(X509* object) const noexcept { X509_free(object); }
  void operator()(EVP_PKEY* object) const noexcept { EVP_PKEY_free(object); }
};

template <typename Object>
using Handle = std::unique_ptr<Object, OpenSslFree>;

}  // namespace paravent::proxy::net::tls
