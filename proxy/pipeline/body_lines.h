// The body's codec with the route's idea of lines: one document or several.

#pragma once

#include <string_view>

#include "policies/model/vocabulary.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"
#include "proxy/body/lines.h"
#include "proxy/pipeline/exchange_buffers.h"

namespace paravent::proxy {

inline body::LineForm line_form(policies::Lines lines) noexcept {
  return lines == policies::Lines::envelope ? body::LineForm::envelope : body::LineForm::each;
}

inline body::ScanStatus scan_json_body(std::string_view text, policies::Lines lines,
                                       body::JsonScanner& scanner, body::JsonVisitor& visitor,
                                       ExchangeBuffers& buffers) {
  if (lines == policies::Lines::none) return scanner.scan(text, {}, visitor);
  return body::scan_json_lines(text, line_form(lines), {}, scanner, visitor, buffers.lines);
}

// Only the lines of text/plain are forms of their own.
inline body::ScanStatus scan_form_body(std::string_view text, policies::Lines lines,
                                       body::FlatVisitor& visitor, ExchangeBuffers& buffers) {
  if (lines == policies::Lines::none) return body::scan_form(text, {}, buffers.scratch, visitor);
  return body::scan_form_lines(text, {}, buffers.scratch, visitor, buffers.lines);
}

}  // namespace paravent::proxy
