// Wycheproof's MACs and key derivation: HMAC and HKDF with any hash, AES-CMAC, AES-GMAC.

#include <utility>

#include "crypto/primitives/aes_cmac.h"
#include "crypto/primitives/aes_gcm.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/named_hash.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/wycheproof_case.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxDerived = std::size_t{1} << 20U;

// Wycheproof's spelling of the hash, without the "HMAC" or "HKDF-" before it, and OpenSSL's.
constexpr std::pair<std::string_view, const char*> kHashes[] = {
    {"SHA1", "SHA1"},
    {"SHA-1", "SHA1"},
    {"SHA224", "SHA2-224"},
    {"SHA-224", "SHA2-224"},
    {"SHA256", "SHA2-256"},
    {"SHA-256", "SHA2-256"},
    {"SHA384", "SHA2-384"},
    {"SHA-384", "SHA2-384"},
    {"SHA512", "SHA2-512"},
    {"SHA-512", "SHA2-512"},
    {"SHA512/224", "SHA2-512/224"},
    {"SHA-512/224", "SHA2-512/224"},
    {"SHA512/256", "SHA2-512/256"},
    {"SHA-512/256", "SHA2-512/256"},
    {"SHA3-224", "SHA3-224"},
    {"SHA3-256", "SHA3-256"},
    {"SHA3-384", "SHA3-384"},
    {"SHA3-512", "SHA3-512"},
    {"SM3", "SM3"},
};

constexpr std::string_view kHmac = "HMAC";
constexpr std::string_view kHkdf = "HKDF-";

// nullptr: the document is not `prefix` with a known hash.
const char* hash_after(const boost::json::value& document, std::string_view prefix) {
  std::string_view name = string_member(document, "algorithm");
  if (!name.starts_with(prefix)) return nullptr;
  name.remove_prefix(prefix.size());
  for (const auto& [spelling, hash] : kHashes) {
    if (name == spelling) return hash;
  }
  return nullptr;
}

// The message's MAC; empty when the key or the size is refused.
template <typename Mac>
void run_mac_case(WycheproofCase& c, VectorReport& report, Mac mac) {
  const Bytes message = c.fields.hex("msg");
  const Bytes tag = c.fields.hex("tag");
  const std::uint64_t bits = c.group.number("tagSize");
  const Bytes made = mac(c, message);
  if (!c.complete() || bits % 8 != 0 || bits == 0) {
    return report.check(c.id, false, kIncompleteCase);
  }
  const auto size = static_cast<std::size_t>(bits / 8);
  check_output(c, report, size <= made.size() && equal(ByteView(made).first(size), tag));
}

Bytes owned(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

bool is_hmac_by_name(const boost::json::value& document) {
  return is_wycheproof(document) && hash_after(document, kHmac) != nullptr;
}

bool is_hkdf_by_name(const boost::json::value& document) {
  return is_wycheproof(document) && hash_after(document, kHkdf) != nullptr;
}

void run_hmac(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&report](WycheproofCase& c) {
    run_mac_case(c, report, [](WycheproofCase& fields, ByteView message) {
      return owned(hmac_sha256(fields.fields.hex("key"), message));
    });
  });
}

void run_hmac_by_name(const boost::json::value& document, VectorReport& report) {
  const char* hash = hash_after(document, kHmac);
  for_each_case(document, report, [&report, hash](WycheproofCase& c) {
    if (auto probe = hmac_by_name(hash, {}, {}); !probe) {
      return report.skip(c.id, "the installed OpenSSL has no such hash");
    }
    run_mac_case(c, report, [hash](WycheproofCase& fields, ByteView message) {
      auto mac = hmac_by_name(hash, fields.fields.hex("key"), message);
      return mac ? std::move(*mac) : Bytes();
    });
  });
}

void run_aes_cmac(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&report](WycheproofCase& c) {
    run_mac_case(c, report, [](WycheproofCase& fields, ByteView message) {
      auto cmac = AesCmac::create(fields.fields.hex("key"));
      AesBlock tag{};
      if (!cmac || !cmac->mac(message, tag)) return Bytes();
      return owned(tag);
    });
  });
}

// GCM without a plaintext.
void run_aes_gmac(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&report](WycheproofCase& c) {
    run_mac_case(c, report, [](WycheproofCase& fields, ByteView message) {
      Bytes tag(kAesGcmTagSize);
      const Bytes key = fields.fields.hex("key");
      const bool made = aes_gcm_seal(key, fields.fields.hex("iv"), message, {}, tag).has_value();
      return made ? tag : Bytes();
    });
  });
}

namespace {

template <typename Derive>
void run_hkdf_case(WycheproofCase& c, VectorReport& report, Derive derive) {
  const Bytes input_key = c.fields.hex("ikm");
  const Bytes salt = c.fields.hex("salt");
  const Bytes info = c.fields.hex("info");
  const std::uint64_t size = c.fields.number("size");
  const Bytes expected = c.fields.hex("okm");
  if (!c.fields.complete() || size > kMaxDerived) {
    return report.check(c.id, false, kIncompleteCase);
  }
  const Bytes made = derive(input_key, salt, info, static_cast<std::size_t>(size));
  check_output(c, report, !made.empty() && made == expected);
}

}  // namespace

void run_hkdf(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report, [&report](WycheproofCase& c) {
    run_hkdf_case(c, report,
                  [](ByteView input_key, ByteView salt, ByteView info, std::size_t size) {
                    Bytes out(size);
                    const Sha256Digest prk = hkdf_extract_sha256(salt, input_key);
                    return hkdf_expand_sha256(prk, info, out) ? out : Bytes();
                  });
  });
}

void run_hkdf_by_name(const boost::json::value& document, VectorReport& report) {
  const char* hash = hash_after(document, kHkdf);
  for_each_case(document, report, [&report, hash](WycheproofCase& c) {
    run_hkdf_case(c, report,
                  [hash](ByteView input_key, ByteView salt, ByteView info, std::size_t size) {
                    auto out = hkdf_by_name(hash, input_key, salt, info, size);
                    return out ? std::move(*out) : Bytes();
                  });
  });
}

}  // namespace paravent::crypto
