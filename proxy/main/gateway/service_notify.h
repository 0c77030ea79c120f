// Tells the service manager that started this process how it stands: the datagram protocol of
// sd_notify(3), which is stable and needs no library. Nothing happens where $NOTIFY_SOCKET is not
// set, and nothing depends on whether anybody listens.

#pragma once

#include <string_view>

namespace paravent::proxy::main {

// One assignment, such as "READY=1". To be called from one thread.
void notify_service(std::string_view assignment) noexcept;

}  // namespace paravent::proxy::main
