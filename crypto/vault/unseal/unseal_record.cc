#include "crypto/vault/unseal/unseal_record.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kMagic = "PVTUNSL1";
constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kDigestSize = 8;
constexpr std::size_t kMaxFile = 4096;
constexpr std::size_t kMinWrapped = 16;
constexpr std::size_t kMaxWrapped = 1024;
constexpr std::uint32_t kLeastPasses = 3;
constexpr std::uint32_t kMostPasses = 16;
constexpr std::uint32_t kLeastMemoryKib = 64 * 1024;
constexpr std::uint32_t kMostMemoryKib = 4 * 1024 * 1024;

template <typename Array>
void take_into(ByteReader& in, Array& out) {
  const ByteView bytes = in.take(out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

void append_body(std::string& out, const PassphraseRecord& body) {
  append_u32be(out, body.passes);
  append_u32be(out, body.memory_kib);
  append_bytes(out, body.salt);
  append_bytes(out, body.check);
  append_bytes(out, body.nonce);
  append_bytes(out, body.wrapped);
}

void append_body(std::string& out, const Pkcs11Record& body) {
  append_u8(out, static_cast<std::uint8_t>(body.mechanism));
  append_bytes(out, body.check);
  append_lp(out, as_text(body.wrapped));
}

void append_body(std::string& out, const ShareRecord& body) {
  append_u8(out, body.threshold);
  append_u8(out, body.shares);
  append_bytes(out, body.check);
}

Result<PassphraseRecord> read_passphrase(ByteReader& in) {
  PassphraseRecord body;
  body.passes = in.u32();
  body.memory_kib = in.u32();
  take_into(in, body.salt);
  take_into(in, body.check);
  take_into(in, body.nonce);
  take_into(in, body.wrapped);
  // The upper bounds keep a damaged or planted record from taking the machine.
  if (body.passes < kLeastPasses || body.passes > kMostPasses ||
      body.memory_kib < kLeastMemoryKib || body.memory_kib > kMostMemoryKib) {
    return Error(ErrorKind::malformed);
  }
  return body;
}

Result<Pkcs11Record> read_pkcs11(ByteReader& in) {
  Pkcs11Record body;
  const std::uint8_t mechanism = in.u8();
  take_into(in, body.check);
  const ByteView wrapped = in.lp();
  if ((mechanism != 1 && mechanism != 2) || wrapped.size() < kMinWrapped ||
      wrapped.size() > kMaxWrapped) {
    return Error(ErrorKind::malformed);
  }
  body.mechanism = static_cast<WrapMechanism>(mechanism);
  body.wrapped.assign(wrapped.begin(), wrapped.end());
  return body;
}

Result<ShareRecord> read_shares(ByteReader& in) {
  ShareRecord body;
  body.threshold = in.u8();
  body.shares = in.u8();
  take_into(in, body.check);
  if (body.threshold < 2 || body.shares < body.threshold) return Error(ErrorKind::malformed);
  return body;
}

template <typename Body>
Result<UnsealRecord> with_head(UnsealRecord head, Result<Body> body) {
  if (!body) return body.error();
  head.body = std::move(*body);
  return head;
}

Result<UnsealRecord> read_body(std::uint8_t method, UnsealRecord head, ByteReader& in) {
  switch (method) {
    case 1:
      return with_head(std::move(head), read_passphrase(in));
    case 2:
      return with_head(std::move(head), read_pkcs11(in));
    case 3:
      return with_head(std::move(head), read_shares(in));
    default:
      return Error(ErrorKind::malformed);
  }
}

std::filesystem::path path_of(const std::filesystem::path& folder, RecordPlace place) {
  return folder / (place == RecordPlace::current ? "unseal" : "unseal.next");
}

}  // namespace

std::string_view unseal_method_name(UnsealMethod method) noexcept {
  switch (method) {
    case UnsealMethod::key_file:
      return "key-file";
    case UnsealMethod::systemd_credential:
      return "systemd-credential";
    case UnsealMethod::passphrase:
      return "passphrase";
    case UnsealMethod::pkcs11:
      return "pkcs11";
    case UnsealMethod::shares:
      return "shares";
  }
  return {};
}

UnsealMethod UnsealRecord::method() const noexcept {
  if (std::holds_alternative<PassphraseRecord>(body)) return UnsealMethod::passphrase;
  return std::holds_alternative<Pkcs11Record>(body) ? UnsealMethod::pkcs11 : UnsealMethod::shares;
}

Bytes encode_unseal_record(const UnsealRecord& record) {
  std::string out(kMagic);
  append_u8(out, kVersion);
  append_u8(out, static_cast<std::uint8_t>(record.body.index() + 1));
  append_bytes(out, record.set);
  append_bytes(out, record.root_check);
  std::visit([&out](const auto& body) { append_body(out, body); }, record.body);
  const Sha256Digest digest = sha256(as_bytes(out));
  append_bytes(out, ByteView(digest).first(kDigestSize));
  const ByteView view = as_bytes(out);
  return {view.begin(), view.end()};
}

Result<UnsealRecord> parse_unseal_record(ByteView file) {
  ByteReader in(file);
  const bool magic = as_text(in.take(kMagic.size())) == kMagic;
  const std::uint8_t version = in.u8();
  if (!magic || in.failed() || version == 0) return Error(ErrorKind::malformed);
  if (version > kVersion) return Error(ErrorKind::usage);
  if (version < kVersion) return Error(ErrorKind::refused);
  const std::uint8_t method = in.u8();
  UnsealRecord head;
  head.set = in.id();
  take_into(in, head.root_check);
  if (in.failed() || head.set == kNoId) return Error(ErrorKind::malformed);
  auto record = read_body(method, std::move(head), in);
  if (!record) return record.error();
  const std::size_t signed_size = file.size() - in.remaining();
  const Sha256Digest digest = sha256(file.first(signed_size));
  const ByteView kept = in.take(kDigestSize);
  if (!in.done() || !std::equal(kept.begin(), kept.end(), digest.begin())) {
    return Error(ErrorKind::malformed);
  }
  return record;
}

Result<std::optional<UnsealRecord>> read_unseal_record(const std::filesystem::path& keys_folder,
                                                       RecordPlace place) {
  const std::filesystem::path path = path_of(keys_folder, place);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::optional<UnsealRecord>();
  if (auto s = check_private(path); !s) return s.error();
  const auto file = read_file(path, kMaxFile);
  if (!file) return file.error();
  auto record = parse_unseal_record(file->bytes());
  if (!record && record.error().kind() == ErrorKind::usage) {
    return Error(ErrorKind::data, "The unseal record " + path.string() +
                                      " was written by a newer version of paravent; install that "
                                      "version.");
  }
  if (!record && record.error().kind() == ErrorKind::refused) {
    return Error(ErrorKind::data, "The unseal record " + path.string() +
                                      " was written by a version of paravent before the first "
                                      "release; make a new vault with: paravent init.");
  }
  if (!record) {
    return Error(ErrorKind::data, "The unseal record " + path.string() +
                                      " is truncated or altered; restore it from a key backup.");
  }
  return std::optional<UnsealRecord>(std::move(*record));
}

Status write_unseal_record(const std::filesystem::path& keys_folder, RecordPlace place,
                           const UnsealRecord& record) {
  return write_file_durably(path_of(keys_folder, place), encode_unseal_record(record));
}

Result<std::optional<UnsealRecord>> record_in_force(const std::filesystem::path& keys_folder,
                                                    const RootCheck& check) {
  auto next = read_unseal_record(keys_folder, RecordPlace::next);
  if (next && *next && (*next)->root_check == check.value) return next;
  auto current = read_unseal_record(keys_folder, RecordPlace::current);
  if (!current) return current.error();
  if (*current && (*current)->root_check == check.value) return current;
  // Perhaps it is the damaged one that would fit.
  if (!next) return next.error();
  if (!*current) return std::optional<UnsealRecord>();
  return Error(ErrorKind::data,
               "The unseal record in " + keys_folder.string() +
                   " belongs to another root key than this key store: to another installation or "
                   "time, or to the way in which this vault was unsealed before; correct "
                   "vault.unseal or restore the folder from one key backup.");
}

Status settle_unseal_records(const std::filesystem::path& keys_folder, const RootCheck& check) {
  const auto next = read_unseal_record(keys_folder, RecordPlace::next);
  if (next && *next && (*next)->root_check == check.value) return adopt_next_record(keys_folder);
  const auto current = read_unseal_record(keys_folder, RecordPlace::current);
  const bool fits = current && *current && (*current)->root_check == check.value;
  // What cannot be read may be whole all the same, and needed: it goes only where it is certain
  // that another one is in force.
  if (next ? next->has_value() : fits) {
    if (auto s = remove_next_record(keys_folder); !s) return s;
  }
  if (!current || !*current || fits) return {};
  return remove_file_durably(path_of(keys_folder, RecordPlace::current));
}

Status adopt_next_record(const std::filesystem::path& keys_folder) {
  return rename_file_durably(path_of(keys_folder, RecordPlace::next),
                             path_of(keys_folder, RecordPlace::current));
}

Status remove_next_record(const std::filesystem::path& keys_folder) {
  const auto path = path_of(keys_folder, RecordPlace::next);
  std::error_code error;
  return std::filesystem::exists(path, error) ? remove_file_durably(path) : Status();
}

Status remove_unseal_records(const std::filesystem::path& keys_folder) {
  if (auto s = remove_next_record(keys_folder); !s) return s;
  const auto path = path_of(keys_folder, RecordPlace::current);
  std::error_code error;
  return std::filesystem::exists(path, error) ? remove_file_durably(path) : Status();
}

}  // namespace paravent::crypto::vault
