// Anchor: writes the checkpoints of all logs elsewhere, again and again, so that a roll-back or a
// fork of the audit folder can be seen; and asks witnesses for their co-signatures (C2SP
// tlog-witness, add-checkpoint).
//
// What fails is tried again at the next turn; nothing waits for it, and the gateway goes on. One
// thread at a time; failures() and hurry() from any.

#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "crypto/audit/cosignature.h"
#include "crypto/base/result.h"
#include "proxy/admin/audit_logs.h"
#include "proxy/config/record_config.h"
#include "proxy/main/io/http_client.h"

namespace paravent::proxy::main {

class Anchor {
 public:
  // REQUIRES: the keys of its witnesses were checked (record_config.h).
  Anchor(const config::AnchorConfig& config, admin::AuditLogs& logs);

  // One turn: asks the witnesses, then writes. The first thing that failed. A witness that does not
  // answer is not asked again in the same turn.
  crypto::Status run_once() { return turn(true); }
  // The last turn, for which nobody wants to wait: writes what there is.
  crypto::Status finish() { return turn(false); }
  // From any thread: nobody wants to wait for a turn that runs either. It asks no further witness,
  // and leaves writing to the last turn.
  void hurry() noexcept { hurried_ = true; }
  std::uint64_t failures() const noexcept { return failures_.load(); }

 private:
  crypto::Status turn(bool ask_witnesses);

  struct Witness {
    std::string url;
    crypto::audit::WitnessKey key;
    std::map<std::string, std::uint64_t> sizes;  // by origin: what it has co-signed last
  };

  crypto::Result<HttpAnswer> send(const std::string& url, const std::string& below,
                                  std::string_view text) const;
  // The lines that it answers; empty when there is no answer that counts.
  std::string ask(Witness& witness, const crypto::audit::AuditLog& log,
                  const std::string& checkpoint, crypto::Status& status) const;
  crypto::Status write_file(const std::map<std::string, std::string>& by_log) const;
  crypto::Status post(const std::string& list) const;

  config::AnchorConfig config_;
  admin::AuditLogs& logs_;
  std::vector<Witness> witnesses_;
  // By log id: the latest checkpoint with co-signatures, and what was written last.
  std::map<std::string, std::string> cosigned_;
  std::map<std::string, std::string> written_;
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<bool> hurried_{false};
};

// Replaces the file, which appears under its name only when complete. ErrorKind::data; unlike the
// data directory's own files a failed sync is only an error: the medium is somebody else's.
crypto::Status write_elsewhere(const std::string& path, std::string_view text);

}  // namespace paravent::proxy::main
