#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/x25519.h"
#include "crypto/tokens/recipient_key.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {
namespace {

// One line, the private key's text.
crypto::Status write_private_key(const std::string& path, crypto::ByteView key) {
  std::string text;
  text.reserve(128);  // growing would leave a copy behind
  crypto::append_private_key(key, text);
  text.push_back('\n');
  const auto status = crypto::vault::write_file_durably(path, crypto::as_bytes(text),
                                                        crypto::vault::Existing::refuse);
  crypto::wipe(text);
  return status;
}

}  // namespace

int run_keypair(const KeypairOptions& options) {
  const crypto::X25519KeyPair pair = crypto::generate_x25519_key_pair();
  if (auto s = write_private_key(options.out, pair.private_key.bytes()); !s) return fail(s.error());
  std::string text;
  crypto::append_public_key(pair.public_key, text);
  const std::string id = crypto::to_hex(crypto::recipient_key_id(pair.public_key));
  if (options.json) {
    const boost::json::object out = {
        {"public_key", text}, {"id", id}, {"private_key_file", options.out}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    std::printf("public key: %s\n", text.c_str());
    std::printf("id: %s\n", id.c_str());
    std::printf(
        "Name the public key under public-keys in the policy. %s opens what is sealed to it,\n"
        "and nothing else does: keep it away from the gateway, and keep a copy.\n",
        options.out.c_str());
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
