#include "proxy/pipeline/carrier_text.h"

#include <algorithm>

#include "proxy/body/cookie.h"
#include "proxy/body/csv.h"
#include "proxy/body/file_ending.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/multipart.h"
#include "proxy/body/xml.h"

namespace paravent::proxy {

using policies::Carrier;

namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7F;
  });
}

// What no server takes for more or less than one segment, escaped or not.
bool is_plain_segment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && !has_control(text) &&
         text.find_first_of("/\\") == std::string_view::npos;
}

}  // namespace

bool append_for_carrier(Carrier carrier, std::string_view text, std::string_view boundary,
                        std::string& out) {
  switch (carrier) {
    case Carrier::form:
    case Carrier::query:
      body::encode_form_value(text, out);
      return true;
    case Carrier::json:
      body::encode_json_string(text, out);
      return true;
    case Carrier::multipart:
      if (!body::multipart_value_is_safe(text, boundary)) return false;
      break;
    case Carrier::cookie:
      if (!body::cookie_value_is_safe(text)) return false;
      break;
    case Carrier::header:
      if (has_control(text)) return false;
      break;
    case Carrier::csv:
      return body::encode_csv_value(text, out);
    case Carrier::xml:
      return body::encode_xml_value(text, out);
    case Carrier::path:
      if (!is_plain_segment(text)) return false;
      body::encode_form_value(text, out);
      return true;
    case Carrier::value:
    case Carrier::file_content:
      break;
    case Carrier::file_name:
      if (!body::file_name_is_safe(text)) return false;
      break;
  }
  out.append(text);
  return true;
}

}  // namespace paravent::proxy
