// Gateway: everything that `serve` runs, put together in one place: vault, audit, policies, data
// path, admin API. The composition root: the only file that knows both the data path and the way
// back.
//
// start() reports what is wrong before anything listens; wait() runs until a signal asks for the
// end, reloads when one asks for that, and publishes new keys when an epoch ends.

#pragma once

#include <memory>
#include <string>

#include "crypto/base/result.h"
#include "proxy/main/gateway/reload.h"
#include "proxy/main/installation/installation.h"

namespace paravent::proxy::main {

class Gateway {
 public:
  // Takes over the installation and the files. ErrorKind as of the part that fails.
  // `read` gives the files anew at a reload.
  static crypto::Result<std::unique_ptr<Gateway>> start(GatewayFiles files, ReadFiles read,
                                                        std::unique_ptr<Installation> installation,
                                                        const crypto::Clock& clock);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Whether it waits for somebody to unseal it (POST /v1/unseal).
  bool is_sealed() const;

  // "listening on 127.0.0.1:8080, admin on 127.0.0.1:8081"
  std::string addresses() const;

  // Until SIGTERM or SIGINT; then drains. SIGHUP reloads. REQUIRES: all are blocked in every
  // thread.
  crypto::Status wait();

 private:
  struct State;
  explicit Gateway(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Blocks the signals that wait() takes, and ignores SIGPIPE. To be called before any thread starts.
void block_signals();

}  // namespace paravent::proxy::main
