// The client-address rule: what the upstream may learn of where the client is.
//
// One rule governs the whole header family (HeaderName::address_family) at once: every line of it
// is taken out, then at most one X-Forwarded-For is written. Pure apart from `out`.

#pragma once

#include <string>
#include <string_view>

#include "policies/plan/route_plan.h"
#include "proxy/pipeline/client_chain.h"
#include "proxy/pipeline/http_head.h"

namespace paravent::proxy {

// True when this line goes upstream as it came: only under `keep`, and only from a trusted proxy.
bool address_line_passes(policies::ClientAddress rule, const Peer& peer);

// Appends the normal form of the client's address, as far as it can be believed (client_chain.h).
// Nothing when that is no address.
void append_believed_address(const RequestHead& head, const Peer& peer, std::string& out);

// Appends the one header line (with CRLF) that stands for the client, or nothing under `drop`.
// `pseudonym` is what client-address: pseudonym writes; empty: no line.
void append_client_address(const policies::RoutePlan& route, const RequestHead& head,
                           const Peer& peer, std::string_view pseudonym, std::string& out);

}  // namespace paravent::proxy
