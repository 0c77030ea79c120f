#include "crypto/vault/engine/rows/rocksdb_file_system.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "crypto/base/result.h"
#include "crypto/vault/engine/rows/manifest_sum.h"

namespace paravent::crypto::vault {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

IOStatus or_abort(IOStatus status, const FsyncCount& fsyncs) {
  if (!status.ok()) std::abort();
  fsyncs->fetch_add(1, std::memory_order_relaxed);
  return status;
}

// The file-size limit of a process and a full disk are one thing to us, and RocksDB can recover
// from the second only.
IOStatus as_no_space(IOStatus status) {
  if (status.IsIOError() && status.ToString().find("File too large") != std::string::npos) {
    return IOStatus::NoSpace();
  }
  return status;
}

class StrictFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  StrictFile(std::unique_ptr<FSWritableFile> file, FsyncCount fsyncs)
      : FSWritableFileOwnerWrapper(std::move(file)), fsyncs_(std::move(fsyncs)) {}

  using FSWritableFileOwnerWrapper::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    return as_no_space(FSWritableFileOwnerWrapper::Append(data, options, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return or_abort(FSWritableFileOwnerWrapper::Sync(options, debug), fsyncs_);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return or_abort(FSWritableFileOwnerWrapper::Fsync(options, debug), fsyncs_);
  }

 private:
  FsyncCount fsyncs_;
};

class StrictDirectory final : public FSDirectory {
 public:
  StrictDirectory(std::unique_ptr<FSDirectory> directory, FsyncCount fsyncs)
      : directory_(std::move(directory)), fsyncs_(std::move(fsyncs)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return or_abort(directory_->Fsync(options, debug), fsyncs_);
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    return or_abort(directory_->FsyncWithDirOptions(options, debug, how), fsyncs_);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return directory_->Close(options, debug);
  }
  std::size_t GetUniqueId(char* id, std::size_t size) const override {
    return directory_->GetUniqueId(id, size);
  }

 private:
  std::unique_ptr<FSDirectory> directory_;
  FsyncCount fsyncs_;
};

class StrictFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  StrictFileSystem(const std::shared_ptr<rocksdb::FileSystem>& base, FsyncCount fsyncs)
      : FileSystemWrapper(base), fsyncs_(std::move(fsyncs)) {}

  const char* Name() const override { return "ParaventStrict"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    return wrapped(FileSystemWrapper::NewWritableFile(name, options, file, debug), file);
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* debug) override {
    return wrapped(FileSystemWrapper::ReopenWritableFile(name, options, file, debug), file);
  }
  IOStatus ReuseWritableFile(const std::string& name, const std::string& old,
                             const FileOptions& options, std::unique_ptr<FSWritableFile>* file,
                             IODebugContext* debug) override {
    return wrapped(FileSystemWrapper::ReuseWritableFile(name, old, options, file, debug), file);
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<FSDirectory>* directory, IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewDirectory(name, options, directory, debug);
    if (status.ok()) {
      *directory = std::make_unique<StrictDirectory>(std::move(*directory), fsyncs_);
    }
    return status;
  }
  // RocksDB writes a manifest, makes it durable, and then lets CURRENT name it.
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    const std::filesystem::path target(to);
    if (target.filename() != "CURRENT") {
      return FileSystemWrapper::RenameFile(from, to, options, debug);
    }
    ManifestSum sum(target.parent_path());
    if (const Status noted = sum.prepare(from); !noted) {
      return noted.error().kind() == ErrorKind::disk_full
                 ? IOStatus::NoSpace()
                 : IOStatus::IOError("the manifest's hash cannot be written");
    }
    IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok()) sum.settle();
    return status;
  }

 private:
  IOStatus wrapped(IOStatus status, std::unique_ptr<FSWritableFile>* file) const {
    if (status.ok()) *file = std::make_unique<StrictFile>(std::move(*file), fsyncs_);
    return status;
  }

  FsyncCount fsyncs_;
};

class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_strict_file_system(
    std::shared_ptr<rocksdb::FileSystem> base, FsyncCount fsyncs) {
  return std::make_shared<StrictFileSystem>(base, std::move(fsyncs));
}

std::shared_ptr<rocksdb::Logger> make_silent_logger() { return std::make_shared<SilentLogger>(); }

}  // namespace paravent::crypto::vault
