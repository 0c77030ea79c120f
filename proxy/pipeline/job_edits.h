// What the jobs of a request change, as the codecs take it.

#pragma once

#include <cstddef>
#include <cstdint>

#include "policies/plan/field_action.h"
#include "proxy/pipeline/exchange_buffers.h"

namespace paravent::proxy {

// Into `field_edits`: those of one carrier (of headers and cookies: of one line) and one layer, in
// the order of the bytes. REQUIRES: the jobs have their replacements.
void collect_edits(ExchangeBuffers& buffers, policies::Carrier carrier, std::uint32_t line = 0,
                   std::size_t layer = 0);

}  // namespace paravent::proxy
