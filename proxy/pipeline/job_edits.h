// What the jobs of a request change, as the codecs take it.

#pragma once

#include <cstddef>
#include <cstdint>

#include "policies/plan/field_action.h"
#include "proxy/pipeline/exchange_buffers.h"

namespace paravent::proxy {

// Into `field_edits`: those of one carrier (of headers and cookies: of one line) of the message
// itself, in the order of the bytes. REQUIRES: the jobs have their replacements.
void collect_edits(ExchangeBuffers& buffers, policies::Carrier carrier, std::uint32_t line = 0);

// The same of the opened field of this number, counted from 1. Looks at what was found in it and
// nowhere else.
void collect_edits_inside(ExchangeBuffers& buffers, policies::Carrier carrier, std::size_t number);

}  // namespace paravent::proxy
