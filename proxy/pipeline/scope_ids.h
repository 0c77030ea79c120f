// Which relationship or request a surrogate of narrower scope belongs to: the 16 bytes that tell
// equal values apart (docs/decisions/0005). Pure apart from the buffers that are handed in.

#pragma once

#include <string_view>

#include "proxy/pipeline/exchange_buffers.h"

namespace paravent::proxy {

// Takes note of a value that delimits a relationship. REQUIRES: action.delimits, and room for its
// delimiter_index in the buffers.
void note_delimiter(const policies::FieldAction& action, std::string_view normal_form,
                    ExchangeBuffers& buffers);

// Sets the job's scope_id by its rule's scope; one id of request scope serves the whole request.
// False: the field that delimits the relationship was not sent, or with several values.
bool assign_scope(FieldJob& job, ExchangeBuffers& buffers);

}  // namespace paravent::proxy
