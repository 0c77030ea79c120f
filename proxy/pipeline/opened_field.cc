#include "proxy/pipeline/opened_field.h"

#include <algorithm>
#include <cstddef>

#include "crypto/base/secret_bytes.h"
#include "proxy/body/wrapping.h"

namespace paravent::proxy {
namespace {

using body::Base64Alphabet;
using body::ScanStatus;
using policies::Content;
using policies::Wrapping;

constexpr std::string_view kMailto = "mailto:";

void wipe_used(std::string& text) {
  crypto::wipe(crypto::MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  text.clear();
}

ScanStatus take_off(Wrapping wrapping, std::string_view text, bool& padded, std::string& out) {
  const auto status = [](bool known) { return known ? ScanStatus::ok : ScanStatus::malformed; };
  switch (wrapping) {
    case Wrapping::base64:
      return status(body::unwrap_base64(text, Base64Alphabet::standard, padded, out));
    case Wrapping::base64url:
      return status(body::unwrap_base64(text, Base64Alphabet::url, padded, out));
    case Wrapping::percent:
      return status(body::unwrap_percent(text, out));
    case Wrapping::gzip:
      return body::unwrap_gzip(text, out);
  }
  return ScanStatus::malformed;
}

void put_on(Wrapping wrapping, std::string_view text, bool padded, std::string& out) {
  switch (wrapping) {
    case Wrapping::base64:
      return body::wrap_base64(text, Base64Alphabet::standard, padded, out);
    case Wrapping::base64url:
      return body::wrap_base64(text, Base64Alphabet::url, padded, out);
    case Wrapping::percent:
      return body::wrap_percent(text, out);
    case Wrapping::gzip:
      return body::wrap_gzip(text, out);
  }
}

bool is_mailto(std::string_view text) {
  return text.size() >= kMailto.size() &&
         std::equal(kMailto.begin(), kMailto.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
         });
}

// The part of the text that the content's codec reads.
bool find_inside(Content content, std::string_view text, body::Span& inside) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  switch (content) {
    case Content::value:
    case Content::json:
      break;
    case Content::query:
      begin = text.starts_with('?') ? 1 : 0;
      break;
    case Content::url: {
      end = std::min(text.find('#'), text.size());
      begin = text.substr(0, end).find('?');
      begin = begin == std::string_view::npos ? end : begin + 1;
      break;
    }
    case Content::mailto:
      // Headers behind a '?' would go on unread.
      if (!is_mailto(text) || text.find('?') != std::string_view::npos) return false;
      begin = kMailto.size();
      break;
  }
  inside = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  return true;
}

}  // namespace

ScanStatus unwrap(std::string_view value, OpenedField& field, std::string& scratch) {
  const policies::InsideForm& form = field.plan->form;
  field.text.assign(value);
  for (std::size_t i = 0; i < form.wrappings.size(); ++i) {
    wipe_used(scratch);
    const ScanStatus status = take_off(form.wrappings[i], field.text, field.padded[i], scratch);
    if (status != ScanStatus::ok) return status;
    field.text.swap(scratch);
  }
  return find_inside(form.content, field.text, field.inside) ? ScanStatus::ok
                                                             : ScanStatus::malformed;
}

void wrap(const OpenedField& field, std::string& text, std::string& scratch) {
  const policies::InsideForm& form = field.plan->form;
  for (std::size_t i = form.wrappings.size(); i > 0; --i) {
    wipe_used(scratch);
    put_on(form.wrappings[i - 1], text, field.padded[i - 1], scratch);
    text.swap(scratch);
  }
}

}  // namespace paravent::proxy
