// A backup's header has one spelling per field, and an archive that is read to its end is written
// again byte for byte.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/vault/engine/backup/backup_archive.h"

namespace crypto = paravent::crypto;
namespace vault = paravent::crypto::vault;

namespace {

class Memory final : public vault::ByteSource {
 public:
  explicit Memory(crypto::ByteView bytes) : rest_(bytes) {}
  crypto::Result<std::size_t> read(crypto::MutableBytes out) override {
    const std::size_t size = std::min(out.size(), rest_.size());
    std::copy_n(rest_.begin(), size, out.begin());
    rest_ = rest_.subspan(size);
    return size;
  }

 private:
  crypto::ByteView rest_;
};

class Text final : public vault::ByteSink {
 public:
  crypto::Status write(crypto::ByteView bytes) override {
    text.append(crypto::as_text(bytes));
    return {};
  }
  std::string text;
};

class Copying final : public vault::ArchiveVisitor {
 public:
  explicit Copying(vault::ArchiveWriter& writer) : writer_(writer) {}
  crypto::Status begin_file(const std::string& path, std::uint64_t) override {
    const std::string closed = "/" + path + "/";
    if (path.front() == '/' || closed.find("/../") != std::string::npos) std::abort();
    path_ = path;
    file_.clear();
    return {};
  }
  crypto::Status file_bytes(crypto::ByteView bytes) override {
    file_.append(crypto::as_text(bytes));
    return {};
  }
  crypto::Status end_file() override { return writer_.add_file(path_, crypto::as_bytes(file_)); }
  crypto::Status record(const vault::StoreRecord& record) override {
    return writer_.add_record(record);
  }

 private:
  vault::ArchiveWriter& writer_;
  std::string path_;
  std::string file_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::ByteView bytes(data, size);
  (void)vault::parse_backup_header(bytes);
  Memory source(bytes);
  Text copy;
  vault::ArchiveWriter writer(copy);
  Copying copying(writer);
  const auto summary = vault::read_archive(source, copying);
  if (!summary) return 0;
  if (!writer.finish(summary->facts) || copy.text != crypto::as_text(bytes)) std::abort();
  return 0;
}
