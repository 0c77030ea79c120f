// What the vault's tests share: a folder that goes away, a clock that the test moves, the round
// trip of one batch, and the one class that may make opening permits (in the product:
// crypto/reveal).

#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/reverse/reverse.h"
#include "crypto/vault/engine/vault/vault.h"
#include "tests/support/whole_file.h"

namespace paravent::crypto::reveal {

class Reidentifier {
 public:
  static vault::OpeningPermit permit() { return vault::OpeningPermit(); }
};

}  // namespace paravent::crypto::reveal

namespace paravent::crypto::vault {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class TestClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(std::chrono::milliseconds(millis_.load())); }
  void set(WallTime time) { millis_ = time.time_since_epoch().count(); }
  void advance(std::chrono::milliseconds by) { millis_ += by.count(); }

 private:
  // 2026-03-15 10:00 UTC
  std::atomic<std::int64_t> millis_{1773568800000};
};

class FakeMonotonic final : public MonotonicClock {
 public:
  MonotonicTime now() const noexcept override { return time; }
  MonotonicTime time{};
};

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

// Errors of this room are one sentence that a person can act on.
inline void expect_sentence(const Error& error, ErrorKind kind, std::string_view part) {
  EXPECT_EQ(error.kind(), kind) << error.sentence();
  EXPECT_NE(error.sentence().find(part), std::string::npos) << error.sentence();
  EXPECT_TRUE(error.sentence().ends_with('.') || error.sentence().find(": ") != std::string::npos)
      << error.sentence();
  EXPECT_EQ(error.sentence().find('\n'), std::string::npos) << error.sentence();
}

inline std::shared_ptr<ResolveBatch> batch_of(const std::vector<std::string>& values,
                                              const Binding& binding, Kind kind) {
  auto batch = std::make_shared<ResolveBatch>();
  for (const std::string& value : values) {
    MintJob job;
    job.key_id = binding.key.key_id;
    job.seal_key_id = binding.seal_key_id;
    job.kind = kind;
    job.begin = static_cast<std::uint32_t>(batch->values.size());
    batch->values += value;
    job.end = static_cast<std::uint32_t>(batch->values.size());
    batch->jobs.push_back(job);
  }
  return batch;
}

inline ResolveStatus run(TokenVault& vault, const std::shared_ptr<ResolveBatch>& batch) {
  auto answered = std::make_shared<std::promise<void>>();
  auto future = answered->get_future();
  batch->done = [answered] { answered->set_value(); };
  vault.resolve(batch);
  future.wait();
  return batch->status;
}

// The token text of one value; empty when the vault did not answer ok.
inline std::string mint(TokenVault& vault, const Binding& binding, std::string_view value,
                        Kind kind = Kind::email) {
  const auto batch = batch_of({std::string(value)}, binding, kind);
  if (run(vault, batch) != ResolveStatus::ok) return {};
  std::string text;
  write_vault_token(binding.key.key_id, batch->jobs[0].id, text);
  return text;
}

// What differs from a plain job.
struct Wish {
  Shape shape = Shape::none;
  std::uint8_t length = 0;
  Scope scope = Scope::person;
  ScopeId scope_id{};
};

inline std::shared_ptr<ResolveBatch> batch_of(const std::vector<std::string>& values,
                                              const Binding& binding, Kind kind, const Wish& wish) {
  auto batch = batch_of(values, binding, kind);
  for (MintJob& job : batch->jobs) {
    job.shape = wish.shape;
    job.length = wish.length;
    job.scope = wish.scope;
    job.scope_id = wish.scope_id;
  }
  return batch;
}

// What an application would get for one value: the shaped text, or the token's own. Empty when the
// vault did not answer ok.
inline std::string mint(TokenVault& vault, const Binding& binding, std::string_view value,
                        const Wish& wish) {
  const auto batch = batch_of({std::string(value)}, binding, Kind::email, wish);
  if (run(vault, batch) != ResolveStatus::ok) return {};
  const MintJob& job = batch->jobs[0];
  if (job.shaped_size != 0) return std::string(job.shaped_text());
  std::string text;
  write_vault_token(binding.key.key_id, job.id, text);
  return text;
}

// Asks again until the answer is yes: RocksDB needs some seconds to notice that the disk has space
// again.
template <typename Ask>
bool eventually(Ask ask) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    if (ask()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

inline std::string open_text(Vault& vault, std::string_view text,
                             std::string_view purpose = "contact") {
  const auto token = parse_token(text);
  if (!token) return "(malformed)";
  const auto value =
      ReverseVault(vault).open_value(*token, purpose, reveal::Reidentifier::permit());
  return value ? std::string(as_text(value->bytes())) : "(unavailable)";
}

inline PolicyNames atelier() { return {"atelier", {"crm", "mailing"}, {"contact", "billing"}}; }

inline ContextSpec email_tokens(std::string purpose = "contact", std::string domain = "crm") {
  return {std::move(domain), std::move(purpose),     "email",
          Kind::email,       Algorithm::vault_token, EpochLength::month};
}

// One vault on disk, and everything that it stands on.
struct DiskVault {
  TempDir folder;
  TestClock clock;
  std::filesystem::path data_path = folder.path() / "data";
  std::filesystem::path root_path = folder.path() / "root.key";
  std::unique_ptr<DataDirectory> data;
  std::unique_ptr<Vault> vault;

  DiskVault() {
    data = std::make_unique<DataDirectory>(DataDirectory::create(data_path).value());
    vault = Vault::initialise(*data, RootKey::obtain(root_path, false).value(), clock).value();
  }
  void close() {
    vault.reset();
    data.reset();
  }
  // As a new process would.
  Status open() {
    close();
    auto directory = DataDirectory::open(data_path);
    if (!directory) return directory.error();
    data = std::make_unique<DataDirectory>(std::move(*directory));
    auto root = RootKey::obtain(root_path, data->is_initialised());
    if (!root) return root.error();
    auto opened = Vault::open(*data, std::move(*root), clock);
    if (!opened) return opened.error();
    vault = std::move(*opened);
    return {};
  }
};

struct InMemoryVault {
  TestClock clock;
  std::unique_ptr<Vault> vault = Vault::in_memory(clock).value();
};

using VaultPlaces = testing::Types<DiskVault, InMemoryVault>;

// A vault that knows the tenant atelier, on disk or in memory.
template <typename Place>
class VaultFixture : public testing::Test {
 protected:
  VaultFixture() {
    const std::vector<PolicyNames> policies{atelier()};
    EXPECT_TRUE(vault().admit_names(policies));
  }
  Vault& vault() { return *place_.vault; }
  TestClock& clock() { return place_.clock; }
  Binding bind(const ContextSpec& spec) {
    auto bound = vault().bind("atelier", std::span(&spec, 1));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().sentence());
    return std::move(bound->front());
  }

  Place place_;
};

}  // namespace paravent::crypto::vault
