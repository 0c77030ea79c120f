// The entry points of this room's suites, for the table in run_vectors.cc.

#pragma once

#include <boost/json/value.hpp>

#include "crypto/vectors/vector_report.h"

namespace paravent::crypto {

// Wycheproof's common shape: an object with `algorithm` and `testGroups`.
bool is_wycheproof(const boost::json::value& document, std::string_view algorithm);

void run_aes_siv(const boost::json::value& document, VectorReport& report);
void run_hkdf(const boost::json::value& document, VectorReport& report);
void run_hmac(const boost::json::value& document, VectorReport& report);
void run_ed25519(const boost::json::value& document, VectorReport& report);
void run_xchacha(const boost::json::value& document, VectorReport& report);

bool is_xaes(const boost::json::value& document);
void run_xaes(const boost::json::value& document, VectorReport& report);

bool is_merkle(const boost::json::value& document);
void run_merkle(const boost::json::value& document, VectorReport& report);

bool is_bech32m(const boost::json::value& document);
void run_bech32m(const boost::json::value& document, VectorReport& report);

// Known kinds of files whose algorithm is not in this program (yet): every case is skipped by name.
bool is_unsupported(const boost::json::value& document);
void skip_unsupported(const boost::json::value& document, VectorReport& report);

}  // namespace paravent::crypto
