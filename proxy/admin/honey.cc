#include "proxy/admin/honey.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xchacha20_poly1305.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::proxy::admin {
namespace {

using crypto::ByteView;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;

constexpr std::string_view kMagic = "PVHN1";
constexpr std::string_view kLabel = "paravent/v1/honey";
constexpr std::size_t kMaxFile = 64U << 20U;
constexpr std::size_t kMaxText = 4096;
constexpr std::chrono::hours kHour{1};
constexpr std::size_t kOverhead =
    kMagic.size() + crypto::kXchachaNonceSize + crypto::kXchachaTagSize;

// As the record names a token: reveal::token_digest of its canonical text.
crypto::audit::Hash digest_of(const HoneyToken& token) {
  return crypto::sha256(crypto::as_bytes(token.token));
}

// The purpose as a policy could spell it; any other text is the asker's own, and goes nowhere.
std::string purpose_word(std::string_view purpose) {
  constexpr std::size_t kMostName = 64;
  const bool word =
      purpose.size() <= kMostName && std::all_of(purpose.begin(), purpose.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  return word ? std::string(purpose) : "other";
}

Error altered(const std::filesystem::path& file) {
  return {ErrorKind::data, "The list of honey tokens in " + file.string() +
                               " is altered, or belongs to another vault; restore it from a "
                               "backup."};
}

}  // namespace

std::string encode_honey(const std::vector<HoneyToken>& tokens) {
  std::string out;
  crypto::append_u32be(out, static_cast<std::uint32_t>(tokens.size()));
  for (const HoneyToken& token : tokens) {
    crypto::append_bytes(out, token.tenant);
    for (const std::string* text :
         {&token.token, &token.text, &token.route, &token.field, &token.note, &token.planted_by}) {
      crypto::append_lp(out, *text);
    }
    crypto::append_u64be(out, static_cast<std::uint64_t>(token.planted.time_since_epoch().count()));
  }
  return out;
}

Result<std::vector<HoneyToken>> decode_honey(ByteView bytes) {
  crypto::vault::ByteReader in(bytes);
  const std::uint32_t count = in.u32();
  std::vector<HoneyToken> tokens;
  for (std::uint32_t i = 0; i < count && !in.failed() && count <= kMostHoneyTokens; ++i) {
    HoneyToken token;
    token.tenant = in.id();
    for (std::string* text :
         {&token.token, &token.text, &token.route, &token.field, &token.note, &token.planted_by}) {
      *text = crypto::as_text(in.lp());
      if (text->size() > kMaxText) return Error(ErrorKind::malformed);
    }
    const std::uint64_t time = in.u64();
    if (time > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return Error(ErrorKind::malformed);
    }
    token.planted = crypto::WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(time)));
    tokens.push_back(std::move(token));
  }
  if (!in.done() || tokens.size() != count) return Error(ErrorKind::malformed);
  return tokens;
}

Honey::Honey(std::filesystem::path file, SecretBytes key, Planter planter, Ring ring)
    : file_(std::move(file)),
      key_(std::move(key)),
      planter_(std::move(planter)),
      ring_(std::move(ring)) {}

Result<std::unique_ptr<Honey>> Honey::open(const std::filesystem::path& file,
                                           const SecretBytes& seed, Planter planter, Ring ring) {
  SecretBytes key(crypto::kXchachaKeySize);
  auto prk = crypto::hkdf_extract_sha256({}, seed.bytes());
  const Status derived =
      crypto::hkdf_expand_sha256(prk, crypto::as_bytes(kLabel), key.mutable_bytes());
  crypto::wipe(crypto::MutableBytes(prk));
  if (!derived) return derived.error();
  auto honey =
      std::unique_ptr<Honey>(new Honey(file, std::move(key), std::move(planter), std::move(ring)));
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return honey;
  const auto stored = crypto::vault::read_file(file, kMaxFile);
  if (!stored) return stored.error();
  const ByteView bytes = stored->bytes();
  if (bytes.size() < kOverhead || crypto::as_text(bytes.first(kMagic.size())) != kMagic) {
    return altered(file);
  }
  const ByteView nonce = bytes.subspan(kMagic.size(), crypto::kXchachaNonceSize);
  const ByteView sealed = bytes.subspan(kMagic.size() + nonce.size());
  SecretBytes list(sealed.size() - crypto::kXchachaTagSize);
  if (!crypto::xchacha20_poly1305_open(honey->key_.bytes(), nonce, crypto::as_bytes(kLabel), sealed,
                                       list.mutable_bytes())) {
    return altered(file);
  }
  auto tokens = decode_honey(list.bytes());
  if (!tokens) return altered(file);
  honey->index(std::move(*tokens));
  return honey;
}

Status Honey::store(const std::vector<HoneyToken>& tokens) const {
  std::string list = encode_honey(tokens);
  std::string file(kMagic);
  file.resize(kOverhead + list.size());
  const crypto::MutableBytes all(reinterpret_cast<std::uint8_t*>(file.data()), file.size());
  const auto nonce = all.subspan(kMagic.size(), crypto::kXchachaNonceSize);
  crypto::random_bytes(nonce);
  const Status sealed = crypto::xchacha20_poly1305_seal(
      key_.bytes(), nonce, crypto::as_bytes(kLabel), crypto::as_bytes(list),
      all.subspan(kMagic.size() + nonce.size()));
  crypto::wipe(list);
  if (!sealed) return sealed;
  return crypto::vault::write_file_durably(file_, crypto::as_bytes(file));
}

void Honey::index(std::vector<HoneyToken> tokens) {
  std::map<crypto::audit::Hash, std::size_t> by_digest;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    by_digest.emplace(digest_of(tokens[i]), i);
    // As it was planted, too: an erased one is in no store any more, and still heard.
    by_digest.emplace(crypto::sha256(crypto::as_bytes(tokens[i].text)), i);
  }
  const std::lock_guard lock(mutex_);
  tokens_ = std::move(tokens);
  by_digest_ = std::move(by_digest);
}

Result<std::optional<std::string>> Honey::plant(HoneyToken wish, std::string_view value) {
  const std::lock_guard one(changing_);
  if (tokens_.size() == kMostHoneyTokens) {
    return Error(ErrorKind::refused, "There are 10 000 honey tokens already.");
  }
  std::deque<crypto::WallTime>& tries = tries_[wish.tenant];
  // A clock that is put back makes the hour no shorter.
  const crypto::WallTime now = tries.empty() ? wish.planted : std::max(wish.planted, tries.back());
  while (!tries.empty() && tries.front() + kHour <= now) tries.pop_front();
  if (tries.size() >= kMostPlantsPerHour) return Error(ErrorKind::busy);
  auto made = planter_(wish.tenant, wish.route, wish.field, value);
  if (!made) return made.error();
  tries.push_back(now);
  wish.token = std::move(made->token);
  wish.text = std::move(made->text);
  if (by_digest_.contains(digest_of(wish))) {
    return Error(ErrorKind::refused, "This value is a honey token already.");
  }
  if (!made->minted) return std::optional<std::string>();
  std::vector<HoneyToken> next = tokens_;
  next.push_back(wish);
  if (auto s = store(next); !s) return s.error();
  index(std::move(next));
  return std::optional(std::move(wish.text));
}

crypto::WallTime Honey::may_plant_again(const crypto::vault::Id& tenant) const {
  const std::lock_guard one(changing_);
  const auto tries = tries_.find(tenant);
  if (tries == tries_.end() || tries->second.empty()) return {};
  return tries->second.front() + kHour;
}

Result<bool> Honey::remove(const crypto::vault::Id& tenant, std::string_view token) {
  const std::lock_guard one(changing_);
  std::vector<HoneyToken> next = tokens_;
  if (std::erase_if(next, [&](const HoneyToken& known) {
        return known.tenant == tenant && (known.token == token || known.text == token);
      }) == 0) {
    return false;
  }
  if (auto s = store(next); !s) return s.error();
  index(std::move(next));
  return true;
}

std::vector<HoneyToken> Honey::list(const crypto::vault::Id& tenant) const {
  const std::lock_guard lock(mutex_);
  std::vector<HoneyToken> out;
  for (const HoneyToken& token : tokens_) {
    if (token.tenant == tenant) out.push_back(token);
  }
  return out;
}

bool Honey::is_empty() const {
  const std::lock_guard lock(mutex_);
  return tokens_.empty();
}

void Honey::asked(std::string_view operator_name, std::string_view role,
                  const crypto::vault::Id& tenant, std::string_view purpose,
                  const std::vector<crypto::audit::AuditToken>& tokens) const {
  std::vector<HoneyAlarm> alarms;
  {
    const std::lock_guard lock(mutex_);
    // Each once, however often it is asked for: nobody drowns the alarms of others.
    std::set<std::size_t> heard;
    for (const crypto::audit::AuditToken& token : tokens) {
      const auto found = by_digest_.find(token.digest);
      if (found == by_digest_.end() || !heard.insert(found->second).second) continue;
      alarms.push_back({tokens_[found->second], std::string(operator_name), std::string(role),
                        tenant, purpose_word(purpose)});
    }
  }
  for (const HoneyAlarm& alarm : alarms) {
    ++alarms_;
    ring_(alarm);
  }
}

}  // namespace paravent::proxy::admin
