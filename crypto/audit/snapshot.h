// Snapshot: a log's folder as it stands between two commits, so that a running log can be verified.
//
// Taken under a shared lock on the folder: the list of files, and the contents of every file that a
// later commit may replace. Full tiles and bundles never change and are read when they are needed.
// Immutable once taken; any thread.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/audit/log_folder.h"

namespace paravent::crypto::audit {

class Snapshot {
 public:
  // ErrorKind::data: the folder cannot be opened, listed or read.
  static Result<Snapshot> take(const std::string& path);

  const FolderListing& listing() const noexcept { return listing_; }
  bool has(const std::string& name) const;
  // The contents of a file of the listing.
  Result<Bytes> read(const std::string& name) const;

 private:
  std::string path_;
  FolderListing listing_;
  std::map<std::string, Bytes> kept_;
};

}  // namespace paravent::crypto::audit
