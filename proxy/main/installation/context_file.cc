#include "proxy/main/installation/context_file.h"

#include <array>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/encoding.h"
#include "crypto/keys/context_row.h"
#include "crypto/keys/epoch.h"
#include "crypto/tokens/kind.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::string_view kVersionKey = "paravent-contexts";
constexpr int kVersion = 1;
constexpr std::size_t kKeyIdDigits = 8;

std::string key_id_text(std::uint32_t key_id) {
  std::array<std::uint8_t, 4> bytes{};
  crypto::store_u32be(bytes.data(), key_id);
  return crypto::to_hex(bytes);
}

std::string_view scope_word(std::string_view scope_id) {
  if (scope_id == "l") return "relationship";
  return scope_id == "q" ? "request" : "person";
}

std::string_view kind_word(std::uint16_t normaliser_id) {
  const auto kind = crypto::kind_from_number(static_cast<std::uint8_t>(normaliser_id >> 8U));
  return kind ? crypto::kind_name(*kind) : std::string_view();
}

boost::json::object to_json(const crypto::vault::NamedContext& context) {
  const crypto::ContextRow& row = context.row;
  boost::json::object out = {{"key_id", key_id_text(row.key_id)},
                             {"tenant", context.tenant},
                             {"domain", context.domain},
                             {"purpose", context.purpose},
                             {"space", context.space},
                             {"scope", scope_word(row.scope_id)},
                             {"epoch", crypto::epoch_text(row.epoch)},
                             {"algorithm", crypto::algorithm_name(row.algorithm)},
                             {"kind", kind_word(row.normaliser_id)}};
  if (context.recipient != crypto::vault::kNoId) {
    out["recipient"] = crypto::vault::id_hex(context.recipient);
  }
  out["ctx"] = crypto::to_hex(crypto::as_bytes(crypto::context_string(row)));
  return out;
}

// The text of a member; false when it is missing or no string.
bool take(const boost::json::object& object, std::string_view key, std::string& out) {
  const boost::json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return false;
  out = value->get_string();
  return true;
}

std::optional<crypto::Algorithm> algorithm_from_word(std::string_view word) {
  for (unsigned number = 0; number < 256; ++number) {
    const auto algorithm = crypto::algorithm_from(static_cast<std::uint8_t>(number));
    if (algorithm && crypto::algorithm_name(*algorithm) == word) return *algorithm;
  }
  return std::nullopt;
}

bool read_one(const boost::json::value& value, ContextFile& file) {
  const auto* object = value.if_object();
  if (object == nullptr) return false;
  FiledContext context;
  std::string key_id;
  std::string algorithm;
  std::string ctx;
  const bool all = take(*object, "key_id", key_id) && take(*object, "algorithm", algorithm) &&
                   take(*object, "ctx", ctx) && take(*object, "tenant", context.tenant) &&
                   take(*object, "domain", context.domain) &&
                   take(*object, "purpose", context.purpose) &&
                   take(*object, "space", context.space) && take(*object, "epoch", context.epoch) &&
                   take(*object, "kind", context.kind);
  if (!all || key_id.size() != kKeyIdDigits) return false;
  const auto id = crypto::from_hex(key_id);
  const auto raw = crypto::from_hex(ctx);
  const auto known = algorithm_from_word(algorithm);
  if (!id || !raw || raw->empty() || !known) return false;
  context.algorithm = *known;
  context.ctx = crypto::as_text(*raw);
  return file.emplace(crypto::load_u32be(id->data()), std::move(context)).second;
}

}  // namespace

std::string context_file_text(const crypto::vault::ContextTable& table) {
  // One context a line: such files are compared and searched.
  std::string out = "{\"" + std::string(kVersionKey) + "\":" + std::to_string(kVersion) +
                    ",\"installation\":\"" + crypto::vault::id_hex(table.installation) +
                    "\",\"contexts\":[";
  bool first = true;
  for (const auto& context : table.contexts) {
    out += std::exchange(first, false) ? "\n" : ",\n";
    out += boost::json::serialize(to_json(context));
  }
  return out + "\n]}\n";
}

Result<ContextFile> parse_context_file(std::string_view text) {
  boost::system::error_code wrong;
  const boost::json::value document =
      boost::json::parse(boost::json::string_view(text.data(), text.size()), wrong);
  const auto* object = wrong ? nullptr : document.if_object();
  if (object == nullptr) return Error(ErrorKind::malformed);
  const auto* version = object->if_contains(kVersionKey);
  const auto* contexts = object->if_contains("contexts");
  if (version == nullptr || !version->is_int64() || version->get_int64() != kVersion ||
      contexts == nullptr || !contexts->is_array()) {
    return Error(ErrorKind::malformed);
  }
  ContextFile file;
  for (const auto& context : contexts->get_array()) {
    if (!read_one(context, file)) return Error(ErrorKind::malformed);
  }
  return file;
}

}  // namespace paravent::proxy::main
