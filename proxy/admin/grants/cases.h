// Cases: every case of an installation, one file each, DATA/operators/case-ID (mode 0600), and the
// rules by which they move: open -> approved or refused -> closed.
//
// Whoever asks never approves. A case ends with its time, with its quota or when somebody closes
// it, and never opens again, whatever the clock says later. Each step is on the record before it is
// in the file, and in the file before it counts. Thread safe: one lock over all, held while a
// re-identification under a case is put on record.

#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "proxy/admin/grants/case.h"

namespace paravent::proxy::admin {

class Cases {
 public:
  // `folder`: DATA/operators; empty: in memory, for tests. ErrorKind::data: a file that is altered
  // or unreadable.
  static crypto::Result<std::unique_ptr<Cases>> open(const std::filesystem::path& folder);

  // The right to change cases; nobody else changes or reads one meanwhile.
  class Use {
   public:
    // nullptr: there is none of that id. Valid while this lives and nothing is kept.
    const Case* find(const crypto::vault::Id& id) const;
    std::vector<const Case*> all() const;
    // Durable when it returns. An error: as before. ErrorKind::usage: what a file would not give
    // back; no later start could read it.
    crypto::Status keep(Case changed);

   private:
    friend class Cases;
    explicit Use(Cases& cases) : cases_(cases), lock_(cases.mutex_) {}
    Cases& cases_;
    std::unique_lock<std::mutex> lock_;
  };
  Use use() { return Use(*this); }

 private:
  explicit Cases(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<crypto::vault::Id, Case> cases_;
};

}  // namespace paravent::proxy::admin
