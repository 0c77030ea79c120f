// The entry points of this room's suites, for the table in run_vectors.cc.

#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "crypto/vectors/vector_report.h"

namespace paravent::crypto {

// Wycheproof's common shape: an object with `algorithm` and `testGroups`.
bool is_wycheproof(const boost::json::value& document);
bool is_wycheproof(const boost::json::value& document, std::string_view algorithm);

using RunSuite = void(const boost::json::value& document, VectorReport& report);

// Of Wycheproof, recognised by the algorithm's name.
RunSuite run_aes_siv, run_aead_aes_siv, run_aes_gcm, run_chacha, run_xchacha, run_hkdf, run_hmac,
    run_aes_cmac, run_aes_gmac, run_aes_kw, run_aes_kwp, run_x25519, run_ed25519, run_ff1;

// HMAC and HKDF with the other hashes of OpenSSL.
bool is_hmac_by_name(const boost::json::value& document);
RunSuite run_hmac_by_name;
bool is_hkdf_by_name(const boost::json::value& document);
RunSuite run_hkdf_by_name;

bool is_acvp_ff1(const boost::json::value& document);
RunSuite run_acvp_ff1;

bool is_ipcrypt(const boost::json::value& document);
RunSuite run_ipcrypt;

bool is_hpke(const boost::json::value& document);
RunSuite run_hpke;

bool is_xaes(const boost::json::value& document);
RunSuite run_xaes;

bool is_merkle(const boost::json::value& document);
RunSuite run_merkle;

bool is_bech32m(const boost::json::value& document);
RunSuite run_bech32m;

// Known kinds of files whose algorithm is not in this program: every case is skipped by name.
bool is_unsupported(const boost::json::value& document);
RunSuite skip_unsupported;

}  // namespace paravent::crypto
