// An entry of the record as one line of syslog (RFC 5424), for a SIEM. Facility 13 (log audit);
// severity by what happened: alert for an alarm, warning for a refusal, error for a failure.
// Pure function.

#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace paravent::proxy::main {

// `entry`: as the admin API gives it. The entry's members become the parameters of one structured
// data element, "paravent@32473" (the number for examples of RFC 5612, as there is none of ours);
// the message is the event and its outcome. No newline at the end and none inside.
std::string syslog_line(const boost::json::object& entry);

}  // namespace paravent::proxy::main
