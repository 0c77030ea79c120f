#include "proxy/pipeline/job_edits.h"

#include <vector>

namespace paravent::proxy {

namespace {

void add_edit(const FieldJob& job, policies::Carrier carrier, std::vector<body::FieldEdit>& out) {
  if (job.carrier != carrier || job.treatment == Treatment::keep ||
      job.treatment == Treatment::confirm) {
    return;
  }
  out.push_back({job.field, job.replacement, job.treatment == Treatment::remove});
}

}  // namespace

void collect_edits(ExchangeBuffers& buffers, policies::Carrier carrier, std::uint32_t line) {
  buffers.field_edits.clear();
  for (const FieldJob& job : buffers.jobs) {
    if (job.line == line && job.layer == 0) add_edit(job, carrier, buffers.field_edits);
  }
}

void collect_edits_inside(ExchangeBuffers& buffers, policies::Carrier carrier, std::size_t number) {
  buffers.field_edits.clear();
  const std::vector<FieldJob>& jobs = buffers.jobs;
  // What was found in a field lies behind its own job: its own layer's, among those of what was
  // opened further inside, up to where an outer layer goes on.
  for (std::size_t i = buffers.opened[number - 1]->job + std::size_t{1};
       i < jobs.size() && jobs[i].layer >= number; ++i) {
    if (jobs[i].layer == number) add_edit(jobs[i], carrier, buffers.field_edits);
  }
}

}  // namespace paravent::proxy
