// A key store with a part beside it, as the destroy batch sees them: what its tests share.

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/keys/key_wrap.h"
#include "tests/crypto/vault/engine/catalogue_on_disk.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {

// A store of its own, the smallest that can be: keys under the tenant key, in one file that is
// replaced whole.  u32 number | n x encoded record, each with its id in front.
class TestPart final : public RenewalPart {
 public:
  explicit TestPart(std::filesystem::path folder) : path_(folder / "part") {
    next_ = path_;
    next_ += ".next";
  }

  void settle(std::uint32_t number) {
    if (std::filesystem::exists(next_)) {
      const auto prepared = read(next_);
      if (prepared.first == number) {
        finish(number);
      } else {
        cancel();
      }
    }
    records_ = read(path_).second;
  }

  void start(const KeyTree& tree, const ShredSecret& shred, const Id& tenant, int count) {
    for (int i = 0; i < count; ++i) {
      KeyRecord record{.id = random_id(),
                       .key_class = KeyClass::subject,
                       .parent = tenant,
                       .shred_number = shred.number()};
      SecretBytes key(kTreeKeySize);
      random_bytes_of(key);
      wrap_key(record, key.bytes(), shred.wrapping_key().bytes(),
               tree.wrapping_key_under(tenant)->bytes(), "part");
      records_.push_back(record);
    }
    write(path_, shred.number(), records_);
  }

  std::optional<std::string> open(const KeyTree& tree, const ShredSecret& shred,
                                  const Id& id) const {
    for (const KeyRecord& record : records_) {
      if (record.id != id) continue;
      SecretBytes key(kTreeKeySize);
      const auto outer = tree.wrapping_key_under(record.parent);
      if (outer && unwrap_key(record, shred.wrapping_key().bytes(), outer->bytes(),
                              key.mutable_bytes(), "part")) {
        return to_hex(key.bytes());
      }
    }
    return std::nullopt;
  }

  std::vector<Id> ids() const {
    std::vector<Id> out;
    for (const KeyRecord& record : records_) out.push_back(record.id);
    return out;
  }

  Status prepare(const Renewal& renewal) override {
    if (refuses) return Error(ErrorKind::disk_full, "The part has no space.");
    std::vector<KeyRecord> fresh;
    for (KeyRecord record : records_) {
      if (goes.contains(record.id) || renewal.gone.contains(record.parent)) continue;
      const auto outer = renewal.tree.wrapping_key_under(record.parent);
      SecretBytes key(kTreeKeySize);
      if (!outer || !unwrap_key(record, renewal.from.wrapping_key().bytes(), outer->bytes(),
                                key.mutable_bytes(), "part")) {
        return Error(ErrorKind::data, "A key of the part does not open.");
      }
      record.shred_number = renewal.to.number();
      const auto moved = renewal.moved.find(record.parent);
      if (moved != renewal.moved.end()) record.parent = moved->second;
      const auto under = renewal.tree.wrapping_key_under(record.parent);
      if (!under) return under.error();
      wrap_key(record, key.bytes(), renewal.to.wrapping_key().bytes(), under->bytes(), "part");
      fresh.push_back(record);
    }
    return write(next_, renewal.to.number(), fresh);
  }
  void finish(std::uint32_t /*number*/) override {
    if (!std::filesystem::exists(next_)) return;
    if (!rename_file_durably(next_, path_)) std::abort();
    records_ = read(path_).second;
  }
  // What stays is forgotten by settle(), for its number is not the key store's.
  void cancel() override { std::ignore = remove_file_durably(next_); }

  std::set<Id> goes;
  bool refuses = false;

 private:
  static void random_bytes_of(SecretBytes& key) {
    const Id a = random_id();
    const Id b = random_id();
    std::copy(a.begin(), a.end(), key.mutable_bytes().begin());
    std::copy(b.begin(), b.end(), key.mutable_bytes().begin() + 16);
  }
  // The record's own encoding knows no subject class yet: this part keeps what it needs of it.
  static std::pair<std::uint32_t, std::vector<KeyRecord>> read(const std::filesystem::path& path) {
    const std::string text = test::whole_file(path);
    std::vector<KeyRecord> records;
    const auto* p = as_bytes(text).data();
    const std::uint32_t number = load_u32be(p);
    for (std::size_t at = 4; at < text.size(); at += 32 + 8 + kWrappedSize) {
      KeyRecord record;
      record.key_class = KeyClass::subject;
      record.shred_number = number;
      std::copy_n(p + at, 16, record.id.begin());
      std::copy_n(p + at + 16, 16, record.parent.begin());
      std::copy_n(p + at + 32, 8, record.check.begin());
      std::copy_n(p + at + 40, kWrappedSize, record.wrapped.begin());
      records.push_back(record);
    }
    return {number, records};
  }
  static Status write(const std::filesystem::path& path, std::uint32_t number,
                      const std::vector<KeyRecord>& records) {
    std::string text;
    append_u32be(text, number);
    for (const KeyRecord& record : records) {
      append_bytes(text, record.id);
      append_bytes(text, record.parent);
      append_bytes(text, record.check);
      append_bytes(text, record.wrapped);
    }
    return write_file_durably(path, as_bytes(text));
  }

  std::filesystem::path path_;
  std::filesystem::path next_;
  std::vector<KeyRecord> records_;
};

// tenant - domain - two epochs, and two keys of a part under the tenant.
struct KeysOnDisk {
  explicit KeysOnDisk(std::filesystem::path where) : folder(std::move(where)), part(folder) {}

  // REQUIRES: an empty folder.
  void make() {
    catalogue = make_catalogue(folder);
    const Id t{1};
    const Id d{2};
    const Id p{3};
    tenant =
        catalogue->ensure_key({.key_class = KeyClass::tenant, .tenant = t}, kNoId, now).value();
    domain =
        catalogue
            ->ensure_key({.key_class = KeyClass::domain, .tenant = t, .domain = d}, tenant, now)
            .value();
    for (const int month : {600, 601}) {
      epochs.push_back(catalogue
                           ->ensure_key({.key_class = KeyClass::epoch,
                                         .tenant = t,
                                         .domain = d,
                                         .purpose = p,
                                         .epoch = {EpochLength::month, month}},
                                        domain, now)
                           .value());
    }
    ASSERT_TRUE(catalogue->commit());
    part.start(catalogue->keys(), catalogue->shred(), tenant, 2);
  }

  // As a new process would.
  Status open(const std::filesystem::path& root_key = kTestRootKey) {
    catalogue.reset();
    auto opened = open_catalogue(folder, root_key);
    if (!opened) return opened.error();
    catalogue = std::move(*opened);
    part.settle(catalogue->shred().number());
    return {};
  }

  // Every key that opens, of the tree and of the part, with its bytes in hex.
  std::map<Id, std::string> all() const {
    std::map<Id, std::string> out;
    for (const auto& [id, record] : catalogue->keys().records()) {
      if (const auto key = catalogue->keys().open(id)) out.emplace(id, to_hex(key->bytes()));
    }
    for (const Id& id : part.ids()) {
      if (const auto key = part.open(catalogue->keys(), catalogue->shred(), id)) {
        out.emplace(id, *key);
      }
    }
    return out;
  }

  WallTime now{std::chrono::hours(500000)};
  std::filesystem::path folder;
  std::unique_ptr<Catalogue> catalogue;
  TestPart part;
  Id tenant{};
  Id domain{};
  std::vector<Id> epochs;
};

inline void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

inline bool any_file_holds(const std::filesystem::path& folder, std::string_view bytes) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (test::whole_file(entry.path()).find(bytes) != std::string::npos) return true;
  }
  return false;
}

// The secret's 32 bytes themselves: magic, installation and number stand before them.
inline std::string secret_in(const std::filesystem::path& folder) {
  return test::whole_file(folder / kShredSecretFile).substr(28, 32);
}

}  // namespace paravent::crypto::vault
