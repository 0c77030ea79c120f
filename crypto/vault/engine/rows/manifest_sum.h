// The hash of the manifest that CURRENT names, in a file beside it: a manifest that was cut,
// altered or put back from before is noticed before RocksDB opens the store by it. RocksDB itself
// takes a manifest that ends early for one whose writing was interrupted; then tables that the rest
// names are orphans to it, and it removes them, while the log that had their rows is long gone.
//
// File STORE/manifest-sum, mode 0600: a line "MANIFEST-000012 SHA256-HEX" for the manifest that
// CURRENT names, and while it changes one more for the next, behind it. A manifest is complete when
// CURRENT comes to name it, because each change of files begins a new one (max_manifest_file_size).
// One of a higher number than any line's was written by a version that knows nothing of this file,
// and is taken as it is. Private to this room's RocksDB code.

#pragma once

#include <filesystem>
#include <string>

#include "crypto/base/result.h"

namespace paravent::crypto::vault {

inline constexpr const char* kManifestSumFile = "manifest-sum";

class ManifestSum {
 public:
  explicit ManifestSum(const std::filesystem::path& store) : store_(store) {}

  // Whether CURRENT names a manifest that is what it was. A store of before there was this file is;
  // `required`: then it is not. ErrorKind::data.
  Status check(bool required) const;

  // Around the change of CURRENT to what `next` holds, a manifest that is on the disk. Durable.
  // Fails as read_file() and write_file_durably(), and then CURRENT must stay.
  Status prepare(const std::filesystem::path& next);
  // CURRENT names it, and that is on the disk. What cannot be written is left for the next change:
  // the line of the manifest before then still counts.
  void settle() const;

 private:
  std::filesystem::path store_;
  std::string line_;  // of the manifest that was prepared
};

}  // namespace paravent::crypto::vault
