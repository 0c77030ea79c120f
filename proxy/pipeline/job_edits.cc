#include "proxy/pipeline/job_edits.h"

namespace paravent::proxy {

void collect_edits(ExchangeBuffers& buffers, policies::Carrier carrier, std::uint32_t line,
                   std::size_t layer) {
  buffers.field_edits.clear();
  for (const FieldJob& job : buffers.jobs) {
    if (job.carrier != carrier || job.line != line || job.layer != layer ||
        job.treatment == Treatment::keep || job.treatment == Treatment::confirm) {
      continue;
    }
    buffers.field_edits.push_back({job.field, job.replacement, job.treatment == Treatment::remove});
  }
}

}  // namespace paravent::proxy
