// Wycheproof's AES-WRAP (RFC 3394) and AES-KWP (RFC 5649).

#include "crypto/primitives/aes_key_wrap.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/wycheproof_case.h"

namespace paravent::crypto {
namespace {

using Wrap = Result<Bytes> (*)(ByteView wrapping_key, ByteView key);
using Unwrap = Result<SecretBytes> (*)(ByteView wrapping_key, ByteView wrapped);

void run_case(Wrap wrap, Unwrap unwrap, WycheproofCase& c, VectorReport& report) {
  const Bytes wrapping_key = c.fields.hex("key");
  const Bytes key = c.fields.hex("msg");
  const Bytes wrapped = c.fields.hex("ct");
  if (!c.fields.complete()) return report.check(c.id, false, kIncompleteCase);
  const auto made = wrap(wrapping_key, key);
  const auto opened = unwrap(wrapping_key, wrapped);
  check_aead(c, report, made && *made == wrapped,
             opened && (!c.valid || equal(opened->bytes(), key)));
}

}  // namespace

void run_aes_kw(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report,
                [&](WycheproofCase& c) { run_case(aes_kw_wrap, aes_kw_unwrap, c, report); });
}

void run_aes_kwp(const boost::json::value& document, VectorReport& report) {
  for_each_case(document, report,
                [&](WycheproofCase& c) { run_case(aes_kwp_wrap, aes_kwp_unwrap, c, report); });
}

}  // namespace paravent::crypto
