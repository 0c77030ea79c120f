// Honey: planted tokens that look and answer like real ones, because they are: rows of the store
// with decoy values. Nobody has a reason to ask for one, so whoever does raises an alarm.
//
// DATA/operators/honey (mode 0600) holds which they are, encrypted under a key that comes from the
// vault: a reader of the data directory cannot tell them either. At most 10 000, and 100 tries an
// hour for each tenant, counted in memory. Thread safe; a change is durable when the call returns.
// Sources: requirements of the record (deception at the place of access), NIST SP 800-53 SC-26.
//
//   file      = "PVHN1" | nonce 24 | XChaCha20-Poly1305(key, nonce, "paravent/v1/honey", list)
//   list      = u32be count | count times: tenant 16 | LP(token) | LP(text) | LP(route) | LP(field)
//   | LP(note)
//               | LP(operator) | u64be time (ms)

#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/audit/detail.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMostHoneyTokens = 10'000;
// Of each tenant: whether a value can be planted tells whether somebody has it.
inline constexpr std::size_t kMostPlantsPerHour = 100;

// A row of the store.
struct PlantedRow {
  std::string token;    // canonical text
  std::string text;     // as the upstream would see it: in its shape
  bool minted = false;  // made for this; else somebody has the value already, and nothing was made
};

struct HoneyToken {
  crypto::vault::Id tenant{};
  std::string token;  // canonical text
  std::string text;   // in its shape: what is put somewhere
  std::string route;
  std::string field;
  std::string note;  // where it was put
  std::string planted_by;
  crypto::WallTime planted;
  bool operator==(const HoneyToken&) const = default;
};

// The list as it is stored, before encryption. decode: ErrorKind::malformed.
std::string encode_honey(const std::vector<HoneyToken>& tokens);
crypto::Result<std::vector<HoneyToken>> decode_honey(crypto::ByteView bytes);

// Somebody asked for one. No value, no token text.
struct HoneyAlarm {
  HoneyToken token;
  std::string operator_name;
  std::string role;
  crypto::vault::Id asker_tenant{};
  std::string purpose;
};

class Honey {
 public:
  // Makes a row with this value as the gateway would for that field, and answers its token; no row
  // where somebody has the value already.
  // ErrorKind::usage: there is no such route or field of this tenant, or it gives no vault tokens,
  // or the value is none of its kind; unreachable: the store does not answer.
  using Planter = std::function<crypto::Result<PlantedRow>(
      const crypto::vault::Id& tenant, std::string_view route, std::string_view field,
      std::string_view value)>;
  // Called at once, on the asking thread: must not block. Whoever asks may not notice.
  using Ring = std::function<void(const HoneyAlarm&)>;

  // `seed`: the vault's secret that the file's key comes from. ErrorKind::data: the file is altered
  // or was made with another vault.
  static crypto::Result<std::unique_ptr<Honey>> open(const std::filesystem::path& file,
                                                     const crypto::SecretBytes& seed,
                                                     Planter planter, Ring ring);

  // What to put somewhere, in its shape; nullopt: somebody has this value, or it was planted before
  // and is not watched any more. As the planter; ErrorKind::refused: too many, or it is a honey
  // token already; busy: too many tries within the hour (`wish.planted` says what time it is).
  crypto::Result<std::optional<std::string>> plant(HoneyToken wish, std::string_view value);
  // When the oldest try that counts is an hour ago.
  crypto::WallTime may_plant_again(const crypto::vault::Id& tenant) const;
  // False: it is none of this tenant's. The row stays, and answers as before.
  crypto::Result<bool> remove(const crypto::vault::Id& tenant, std::string_view token);
  std::vector<HoneyToken> list(const crypto::vault::Id& tenant) const;
  bool is_empty() const;  // of every tenant

  // `tokens`: what somebody asks for, as it goes onto the record. Rings for each that is planted;
  // takes the same way for every other.
  void asked(std::string_view operator_name, std::string_view role, const crypto::vault::Id& tenant,
             std::string_view purpose, const std::vector<crypto::audit::AuditToken>& tokens) const;
  std::uint64_t alarms() const noexcept { return alarms_.load(); }

 private:
  Honey(std::filesystem::path file, crypto::SecretBytes key, Planter planter, Ring ring);
  crypto::Status store(const std::vector<HoneyToken>& tokens) const;
  void index(std::vector<HoneyToken> tokens);

  std::filesystem::path file_;
  crypto::SecretBytes key_;
  Planter planter_;
  Ring ring_;
  mutable std::mutex changing_;  // one change at a time; guards tries_
  std::map<crypto::vault::Id, std::deque<crypto::WallTime>> tries_;  // of the last hour
  mutable std::mutex mutex_;                                         // guards what follows
  std::vector<HoneyToken> tokens_;
  std::map<crypto::audit::Hash, std::size_t> by_digest_;
  mutable std::atomic<std::uint64_t> alarms_{0};
};

}  // namespace paravent::proxy::admin
