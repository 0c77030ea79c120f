#include "crypto/vault/engine/rows/store_openings.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/rows/manifest_sum.h"
#include "crypto/vault/engine/rows/rocksdb_file_system.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kNumberSize = 8;
constexpr std::size_t kFileSize = 2 * kNumberSize + 1;

// 0: never. Nothing else than eight bytes is ever written.
std::uint64_t number_of(const std::string& value) {
  ByteReader in(as_bytes(value));
  const std::uint64_t number = in.u64();
  return in.done() ? number : 0;
}

std::string text_of(const std::string& value) { return to_hex(as_bytes(value)) + "\n"; }

// nullopt: it cannot be looked at now. RocksDB will say itself what is wrong when it opens it;
// where that goes well after all, the number is compared then.
std::optional<std::string> value_in(const std::filesystem::path& store, rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.info_log = make_silent_logger();
  const std::vector<rocksdb::ColumnFamilyDescriptor> families{
      {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions(options)}};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  const auto opened =
      rocksdb::DB::OpenForReadOnly(options, store.string(), families, &handles, &raw);
  if (!opened.ok()) return std::nullopt;
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string value;
  const auto got = db->Get(rocksdb::ReadOptions(), handles[0], kOpeningsKey, &value);
  db->DestroyColumnFamilyHandle(handles[0]);
  if (got.ok()) return value;
  return got.IsNotFound() ? std::optional<std::string>(std::string()) : std::nullopt;
}

}  // namespace

Error incomplete_store(const std::filesystem::path& store) {
  return Error(ErrorKind::data, "The token store " + store.string() +
                                    " lacks what was in it when it was opened last, as with a file "
                                    "that is gone or older than the others; put the whole folder "
                                    "back, or restore it from a data backup.");
}

Status StoreOpenings::check(const std::filesystem::path& store, rocksdb::Env* env) const {
  std::error_code error;
  const bool counted = std::filesystem::exists(file_, error);
  if (auto s = ManifestSum(store).check(counted); !s) return s;
  const auto value = value_in(store, env);
  return value ? compare(*value) : Status();
}

Status StoreOpenings::compare(const std::string& value) const {
  const std::filesystem::path store = file_.parent_path();
  const std::uint64_t in_store = number_of(value);
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) {
    // A store of before there was this file, or one whose making was interrupted.
    return in_store <= 1 ? Status() : incomplete_store(store);
  }
  const auto text = read_file(file_, kFileSize);
  if (!text) return text.error();
  const auto bytes = text->size() == kFileSize && text->bytes().back() == '\n'
                         ? from_hex(as_text(text->bytes()).substr(0, 2 * kNumberSize))
                         : Result<Bytes>(Error(ErrorKind::malformed));
  if (!bytes) {
    return Error(ErrorKind::data, "The file " + file_.string() +
                                      " is damaged; put the whole folder back, or restore it from "
                                      "a data backup.");
  }
  const std::uint64_t in_file = number_of(std::string(as_text(*bytes)));
  return in_store == in_file || in_store == in_file + 1 ? Status() : incomplete_store(store);
}

std::string StoreOpenings::next_value(const std::string& value) {
  std::string next;
  append_u64be(next, number_of(value) + 1);
  return next;
}

Status StoreOpenings::catch_up(const std::string& value) const {
  if (value.empty()) return {};
  std::error_code error;
  if (std::filesystem::exists(file_, error)) {
    const auto text = read_file(file_, kFileSize);
    if (text && as_text(text->bytes()) == text_of(value)) return {};
  }
  return write_number(value);
}

Status StoreOpenings::write_number(const std::string& value) const {
  return write_file_durably(file_, as_bytes(text_of(value)));
}

Status RocksdbTokenStore::Database::check_openings(
    const std::filesystem::path& folder,
    const std::shared_ptr<rocksdb::FileSystem>& file_system) const {
  const auto base = file_system == nullptr ? rocksdb::FileSystem::Default() : file_system;
  const auto looking = rocksdb::NewCompositeEnv(make_strict_file_system(base, fsyncs));
  return StoreOpenings(folder).check(folder, looking.get());
}

Status RocksdbTokenStore::Database::note_opening(const std::filesystem::path& folder,
                                                 rocksdb::WriteBatch& batch) {
  std::string value;
  const auto got = db->Get(rocksdb::ReadOptions(), owner, kOpeningsKey, &value);
  if (!got.ok() && !got.IsNotFound()) return rocksdb_error(got);
  const std::scoped_lock lock(write_mutex);
  return StoreOpenings(folder).note(value, [&](const std::string& next) {
    batch.Put(owner, kOpeningsKey, next);
    return write(batch);
  });
}

}  // namespace paravent::crypto::vault
