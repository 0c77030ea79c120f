// The vectors of draft-denis-ipcrypt: a list of cases, addresses as text.

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <optional>
#include <string>

#include "crypto/primitives/ipcrypt.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/vector_case.h"

namespace paravent::crypto {
namespace {

using Address = std::array<std::uint8_t, kAesBlockSize>;

// IPv4 becomes ::ffff:a.b.c.d.
std::optional<Address> read_address(const std::string& text) {
  Address address{};
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  address = {};
  address[10] = 0xff;
  address[11] = 0xff;
  if (::inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

template <typename Ipcrypt>
bool agrees(const Bytes& key, const Address& clear, const Address& expected) {
  auto ipcrypt = Ipcrypt::create(key);
  Address made{};
  Address opened{};
  return ipcrypt && ipcrypt->encrypt(clear, made) && made == expected &&
         ipcrypt->decrypt(made, opened) && opened == clear;
}

void run_on_addresses(const std::string& id, VectorCase& fields, bool prefix_preserving,
                      VectorReport& report) {
  const Bytes key = fields.hex("key");
  const auto clear = read_address(fields.text("ip"));
  const auto expected = read_address(fields.text("encrypted_ip"));
  if (!fields.complete() || !clear || !expected) return report.check(id, false, kIncompleteCase);
  report.check(id,
               prefix_preserving ? agrees<IpcryptPfx>(key, *clear, *expected)
                                 : agrees<IpcryptDeterministic>(key, *clear, *expected),
               "the encrypted address differs, or does not decrypt");
}

// output = tweak | encrypted address.
void run_ndx(const std::string& id, VectorCase& fields, VectorReport& report) {
  const Bytes key = fields.hex("key");
  const Bytes tweak = fields.hex("tweak");
  const Bytes output = fields.hex("output");
  const auto clear = read_address(fields.text("ip"));
  if (!fields.complete() || !clear) return report.check(id, false, kIncompleteCase);
  auto ipcrypt = IpcryptNdx::create(key);
  Address made{};
  Address opened{};
  Bytes whole = tweak;
  const bool right = ipcrypt && ipcrypt->encrypt(tweak, *clear, made) &&
                     (whole.insert(whole.end(), made.begin(), made.end()), whole == output) &&
                     ipcrypt->decrypt(tweak, made, opened) && opened == *clear;
  report.check(id, right, "the encrypted address differs, or does not decrypt");
}

}  // namespace

bool is_ipcrypt(const boost::json::value& document) {
  const auto* list = document.if_array();
  return list != nullptr && !list->empty() &&
         string_member(list->front(), "variant").starts_with("ipcrypt-");
}

void run_ipcrypt(const boost::json::value& document, VectorReport& report) {
  std::size_t number = 0;
  for (const auto& entry : document.get_array()) {
    const std::string id = "case " + std::to_string(++number);
    VectorCase fields(entry);
    const std::string variant = fields.text("variant");
    if (variant == "ipcrypt-deterministic" || variant == "ipcrypt-pfx") {
      run_on_addresses(id, fields, variant == "ipcrypt-pfx", report);
    } else if (variant == "ipcrypt-ndx") {
      run_ndx(id, fields, report);
    } else if (variant == "ipcrypt-nd") {
      report.skip(id, "ipcrypt-nd is not offered: it needs a tweaked AES that no library here has");
    } else {
      report.check(id, false, kIncompleteCase);
    }
  }
}

}  // namespace paravent::crypto
