// Sealed values opened by whoever holds the private key, on any machine: no store, no gateway, no
// keys but that one.

#include <boost/json.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/reveal/sealed_opener.h"
#include "crypto/tokens/recipient_key.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/body/utf8.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/encrypted_file.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/token_places.h"
#include "proxy/main/installation/context_file.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;

constexpr std::size_t kMaxContextFile = std::size_t{256} << 20U;
constexpr std::size_t kMaxKeyFile = 4096;

// The holder's key, and the contexts of the values.
class Opener {
 public:
  static Result<Opener> load(const OpenOptions& options);

  // One answer for whatever does not open: nothing.
  std::optional<SecretBytes> open(std::string_view text) const;
  const FiledContext* context(std::string_view text) const;

 private:
  Opener(SecretBytes key, ContextFile contexts)
      : key_(std::move(key)), contexts_(std::move(contexts)) {}

  SecretBytes key_;
  ContextFile contexts_;
};

Result<SecretBytes> read_private_key(const std::string& path) {
  auto file = crypto::vault::read_file(path, kMaxKeyFile);
  if (!file) return Error(ErrorKind::usage, "The key file " + path + " cannot be read.");
  if (auto s = crypto::vault::check_private(path); !s) return s.error();
  std::string_view text = crypto::as_text(file->bytes());
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto key = crypto::parse_private_key(text);
  if (key) return key;
  return Error(ErrorKind::data, "The file " + path +
                                    " holds no private key; it is one line that begins with "
                                    "pvpriv1, as paravent keypair wrote it.");
}

Result<Opener> Opener::load(const OpenOptions& options) {
  auto key = read_private_key(options.key);
  if (!key) return key.error();
  const auto text = read_text_file(options.contexts, kMaxContextFile);
  if (!text) return text.error();
  auto contexts = parse_context_file(*text);
  if (!contexts) {
    return Error(ErrorKind::data, "The file " + options.contexts +
                                      " is no context table; make one with: paravent contexts "
                                      "--data DIR OUT");
  }
  return Opener(std::move(*key), std::move(*contexts));
}

const FiledContext* Opener::context(std::string_view text) const {
  const auto facts = crypto::check_token(text);
  if (!facts || facts->token_class != crypto::TokenClass::sealed) return nullptr;
  const auto it = contexts_.find(facts->key_id);
  return it == contexts_.end() || it->second.algorithm != facts->algorithm ? nullptr : &it->second;
}

std::optional<SecretBytes> Opener::open(std::string_view text) const {
  const FiledContext* known = context(text);
  const auto token = crypto::parse_token(text);
  if (known == nullptr || !token) return std::nullopt;
  auto value = crypto::reveal::open_sealed(key_, known->ctx, *token);
  if (!value) return std::nullopt;
  return std::move(*value);
}

int report(std::size_t missing, std::size_t all, std::string_view rest) {
  if (missing == 0) return static_cast<int>(ExitCode::done);
  return fail(ExitCode::verification, std::to_string(missing) + " of " + std::to_string(all) +
                                          " values do not open with this key and these contexts" +
                                          std::string(rest) + ".");
}

// Sealed values are replaced, whatever else is in the text stays, other tokens too.
int filter_text(const Opener& opener) {
  const auto text = read_text_file("/dev/stdin", kMaxTextBytes);
  if (!text) return fail(text.error());
  std::vector<TokenPlace> places = find_token_places(*text);
  const std::size_t damaged = count_damaged_tokens(*text, places, "pvs_");
  std::erase_if(places, [](const TokenPlace& place) {
    return crypto::check_token(place.token)->token_class != crypto::TokenClass::sealed;
  });
  ReplacedText replaced =
      replace_tokens(*text, places, [&](const TokenPlace& place) -> std::optional<std::string> {
        const auto value = opener.open(place.token);
        if (!value) return std::nullopt;
        return std::string(crypto::as_text(value->bytes()));
      });
  std::fwrite(replaced.text.data(), 1, replaced.text.size(), stdout);
  std::fflush(stdout);
  crypto::wipe(replaced.text);
  warn_of_damaged_tokens(damaged);
  return report(replaced.kept, places.size(), " and stand as they were");
}

boost::json::object to_json(const Opener& opener, const std::string& token,
                            const std::optional<SecretBytes>& value) {
  boost::json::object out = {{"token", token}, {"status", value ? "opened" : "not-opened"}};
  if (!value) return out;
  const FiledContext& context = *opener.context(token);
  out["tenant"] = context.tenant;
  out["domain"] = context.domain;
  out["purpose"] = context.purpose;
  out["space"] = context.space;
  out["epoch"] = context.epoch;
  out["kind"] = context.kind;
  const std::string_view text = crypto::as_text(value->bytes());
  if (body::is_valid_utf8(text)) {
    out["value"] = text;
  } else {
    out["value"] = crypto::to_base64(value->bytes());
    out["encoding"] = "base64";
  }
  return out;
}

int list_values(const Opener& opener, const OpenOptions& options) {
  boost::json::array results;
  std::size_t missing = 0;
  for (const std::string& token : options.tokens) {
    const auto value = opener.open(token);
    if (!value) ++missing;
    if (options.json) {
      results.push_back(to_json(opener, token, value));
      continue;
    }
    const std::string_view text = value ? crypto::as_text(value->bytes()) : "";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
  }
  if (options.json) {
    const boost::json::object out = {{"results", results}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  }
  return report(missing, options.tokens.size(), "");
}

int open_sealed_file(const Opener& opener, const OpenOptions& options) {
  const auto token = token_of_file(options.file);
  if (!token) return fail(token.error());
  const auto key = opener.open(*token);
  if (!key) return report(1, 1, "");
  const auto status = open_file(options.file, crypto::as_text(key->bytes()), options.out);
  return status ? static_cast<int>(ExitCode::done) : fail(status.error());
}

}  // namespace

int run_open(const OpenOptions& options) {
  const auto opener = Opener::load(options);
  if (!opener) return fail(opener.error());
  if (!options.file.empty()) {
    if (!options.tokens.empty()) {
      return fail(ExitCode::usage, "Give either tokens or --file, not both.");
    }
    return open_sealed_file(*opener, options);
  }
  const bool filter = options.tokens.empty() || options.tokens == std::vector<std::string>{"-"};
  if (filter && options.json) {
    return fail(ExitCode::usage, "A text is filtered as it is; give tokens with --json.");
  }
  return filter ? filter_text(*opener) : list_values(*opener, options);
}

}  // namespace paravent::proxy::main
