// The laws for the flat carriers: form, cookie and multipart.

#include <algorithm>
#include <vector>

#include "proxy/body/cookie.h"
#include "proxy/body/csv.h"
#include "proxy/body/form.h"
#include "proxy/body/multipart.h"
#include "proxy/body/splice.h"
#include "proxy/body/utf8.h"
#include "proxy/body/xml.h"
#include "tests/proxy/body/laws.h"
#include "tests/proxy/body/random.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

struct FormCodec {
  ScanStatus scan(std::string_view text, FlatVisitor& visitor) const {
    std::string scratch;
    return scan_form(text, FormLimits{}, scratch, visitor);
  }
  static std::string decode(std::string_view raw) {
    std::string out;
    decode_form_value(raw, out);
    return out;
  }
  static bool encode(std::string_view value, std::string& arena) {
    encode_form_value(value, arena);
    return true;
  }
  static void edits(std::string_view text, std::span<const FieldEdit> fields,
                    std::vector<Edit>& out) {
    form_edits(text, fields, out);
  }
};

struct FormLinesCodec {
  mutable std::vector<Line> lines{};

  ScanStatus scan(std::string_view text, FlatVisitor& visitor) const {
    std::string scratch;
    return scan_form_lines(text, FormLimits{}, scratch, visitor, lines);
  }
  static std::string decode(std::string_view raw) { return FormCodec::decode(raw); }
  static bool encode(std::string_view value, std::string& arena) {
    return FormCodec::encode(value, arena);
  }
  void edits(std::string_view text, std::span<const FieldEdit> fields,
             std::vector<Edit>& out) const {
    form_line_edits(text, lines, fields, out);
  }
};

struct CookieCodec {
  ScanStatus scan(std::string_view text, FlatVisitor& visitor) const {
    return scan_cookies(text, CookieLimits{}, visitor);
  }
  static std::string decode(std::string_view raw) { return std::string(raw); }
  static bool encode(std::string_view value, std::string& arena) {
    if (!cookie_value_is_safe(value)) return false;
    arena.append(value);
    return true;
  }
  static void edits(std::string_view text, std::span<const FieldEdit> fields,
                    std::vector<Edit>& out) {
    cookie_edits(text, fields, out);
  }
};

struct CsvCodec {
  static constexpr bool kRemovedStays = true;

  ScanStatus scan(std::string_view text, FlatVisitor& visitor) const {
    return scan_csv(text, CsvLimits{}, visitor);
  }
  static std::string decode(std::string_view raw) {
    std::string out;
    decode_csv_value(raw, out);
    return out;
  }
  static bool encode(std::string_view value, std::string& arena) {
    return is_valid_utf8(value) && encode_csv_value(value, arena);
  }
  static void edits(std::string_view text, std::span<const FieldEdit> fields,
                    std::vector<Edit>& out) {
    csv_edits(text, fields, out);
  }
};

struct XmlCodec {
  ScanStatus scan(std::string_view text, FlatVisitor& visitor) const {
    return scan_xml(text, XmlLimits{}, visitor);
  }
  static std::string decode(std::string_view raw) {
    std::string out;
    decode_xml_value(raw, out);
    return out;
  }
  // What is blank alone would be no field.
  static bool encode(std::string_view value, std::string& arena) {
    return is_valid_utf8(value) && value.find_first_not_of(" \t\r\n") != std::string_view::npos &&
           encode_xml_value(value, arena);
  }
  static void edits(std::string_view text, std::span<const FieldEdit> fields,
                    std::vector<Edit>& out) {
    xml_edits(text, fields, out);
  }
};

struct MultipartCodec {
  std::string_view boundary;

  ScanStatus scan(std::string_view text, FlatVisitor& visitor) const {
    std::string scratch;
    return scan_multipart(text, boundary, MultipartLimits{}, scratch, visitor);
  }
  static std::string decode(std::string_view raw) { return std::string(raw); }
  bool encode(std::string_view value, std::string& arena) const {
    if (!multipart_value_is_safe(value, boundary)) return false;
    arena.append(value);
    return true;
  }
  static void edits(std::string_view text, std::span<const FieldEdit> fields,
                    std::vector<Edit>& out) {
    multipart_edits(text, fields, out);
  }
};

// What a replacement is made of: hostile pieces, the text's own bytes, or anything.
std::string make_value(std::string_view text, Random& random) {
  switch (random.below(4)) {
    case 0:
      return random.text(6);
    case 1:
      return random.bytes(24);
    case 2: {
      const std::size_t begin = random.below(text.size() + 1);
      return std::string(text.substr(begin, random.below(40)));
    }
    default:
      return "pvv1token";
  }
}

template <typename Codec>
Verdict check(const Codec& codec, std::string_view text, std::uint64_t seed) {
  FlatFields seen(text);
  if (codec.scan(text, seen) != ScanStatus::ok) return {};
  if (splice(text, {}, {}) != text) return {"splicing nothing changed the text", true};

  Random random(seed);
  std::vector<FieldEdit> field_edits;
  std::string arena;
  std::vector<FlatField> expected;
  for (const FlatField& field : seen.fields) {
    const std::string value = make_value(text, random);
    const std::size_t choice = random.below(3);
    if (choice == 0) {
      field_edits.push_back({field.field, {}, true});
      if constexpr (requires { Codec::kRemovedStays; }) {
        expected.push_back(field);
        expected.back().value.clear();
      }
      // What lies in a field that goes, goes with it: the attributes of an element.
      // But not those of the root, which stays.
      const bool is_root = field.name.find('/') == std::string::npos;
      while (!is_root && !expected.empty() &&
             expected.back().field.whole.begin > field.field.whole.begin) {
        expected.pop_back();
      }
      continue;
    }
    expected.push_back(field);
    expected.back().value = Codec::decode(field.raw);
    const std::size_t begin = arena.size();
    if (choice == 1 || !codec.encode(value, arena)) continue;
    const Span replacement{static_cast<std::uint32_t>(begin),
                           static_cast<std::uint32_t>(arena.size())};
    field_edits.push_back({field.field, replacement, false});
    expected.back().value = value;
  }

  std::vector<Edit> edits;
  codec.edits(text, field_edits, edits);
  if (!edits_are_sound(edits, text.size(), arena.size())) {
    return {"edits overlap, are out of order or out of range", true};
  }
  const std::string spliced = splice(text, edits, arena);
  if (spliced.size() != SplicedBytes(text, edits, arena).size()) return {"size() is wrong", true};
  FlatFields after(spliced);
  if (codec.scan(spliced, after) != ScanStatus::ok)
    return {"spliced text is refused: " + spliced, true};
  const auto same = [](const FlatField& want, const FlatField& got) {
    return want.name == got.name && want.value == Codec::decode(got.raw);
  };
  if (!std::equal(expected.begin(), expected.end(), after.fields.begin(), after.fields.end(),
                  same)) {
    return {"scanning the spliced text sees other fields: " + spliced, true};
  }
  return {{}, true};
}

}  // namespace

Verdict check_form_laws(std::string_view text, std::uint64_t seed) {
  return check(FormCodec{}, text, seed);
}

Verdict check_form_line_laws(std::string_view text, std::uint64_t seed) {
  return check(FormLinesCodec{}, text, seed);
}

Verdict check_csv_laws(std::string_view text, std::uint64_t seed) {
  return check(CsvCodec{}, text, seed);
}

Verdict check_xml_laws(std::string_view text, std::uint64_t seed) {
  return check(XmlCodec{}, text, seed);
}

Verdict check_cookie_laws(std::string_view text, std::uint64_t seed) {
  return check(CookieCodec{}, text, seed);
}

Verdict check_multipart_laws(std::string_view text, std::string_view boundary, std::uint64_t seed) {
  return check(MultipartCodec{boundary}, text, seed);
}

}  // namespace paravent::proxy::body::test
