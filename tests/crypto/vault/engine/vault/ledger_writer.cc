// Child of vault_kill_test: mints tokens for ever and writes "VALUE TOKEN" for each one
// acknowledged. The clock stands still, so that parent and child agree on the epoch. usage:
// ledger_writer DATA ROOT_KEY PREFIX

#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

constexpr int kInFlight = 16;

class Window {
 public:
  void enter() {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return used_ < kInFlight; });
    ++used_;
  }
  void leave() {
    {
      const std::scoped_lock lock(mutex_);
      --used_;
    }
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  int used_ = 0;
};

int write_ledger(const char* data_path, const char* root_path, const std::string& prefix) {
  static TestClock clock;
  auto data = DataDirectory::open(data_path);
  if (!data) return 1;
  auto root = RootKey::read(root_path);
  if (!root) return 2;
  auto vault = Vault::open(*data, std::move(*root), clock);
  if (!vault) return 3;
  const auto bound = (*vault)->bind("atelier", std::vector{email_tokens()});
  if (!bound) return 4;
  Window window;
  for (int i = 0;; ++i) {
    window.enter();
    const std::string value = prefix + std::to_string(i) + "@example.org";
    auto batch = batch_of({value}, bound->front(), Kind::email);
    batch->done = [&window, value, raw = batch.get()] {
      std::string line = value + " ";
      write_vault_token(raw->jobs[0].key_id, raw->jobs[0].id, line);
      line += "\n";
      const bool good = raw->status == ResolveStatus::ok;
      if (!good || ::write(1, line.data(), line.size()) < 0) ::_exit(5);
      window.leave();
    };
    (*vault)->resolve(std::move(batch));
  }
}

}  // namespace
}  // namespace paravent::crypto::vault

int main(int argc, char** argv) {
  if (argc != 4) return 9;
  return paravent::crypto::vault::write_ledger(argv[1], argv[2], argv[3]);
}
