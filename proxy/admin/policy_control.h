// PolicyControl: what the admin API can say about the policies that are served, and the way to have
// them read again. Implemented by the gateway (proxy/main); thread safe.

#pragma once

#include <string>
#include <vector>

#include "crypto/vault/engine/base/id.h"

namespace paravent::proxy::admin {

struct Operator;

struct ServedPolicy {
  crypto::vault::Id tenant{};
  std::string tenant_name;
  std::string file;    // or "preset contact-form"
  std::string sha256;  // of its text, in hex, as the audit log records it
  std::string text;
};

struct ReloadOutcome {
  bool done = false;
  bool audit_failed = false;             // nothing was changed for want of a record
  std::string sentence;                  // what was wrong, one sentence; empty when done
  std::vector<std::string> diagnostics;  // lines of `paravent check`: places, keys and words of the
                                         // files, no value of a request
  bool store_failed = false;             // nothing was changed: the data could not be written
};

class PolicyControl {
 public:
  // What new requests are served under, in the order of the gateway file.
  virtual std::vector<ServedPolicy> policies() const = 0;
  // Reads gateway file, policies and certificates again, and serves under them. `author`: who asked
  // for it, and with what, for the record. Blocks on disks and name look-ups.
  virtual ReloadOutcome reload(const Operator& author) = 0;

 protected:
  ~PolicyControl() = default;
};

}  // namespace paravent::proxy::admin
