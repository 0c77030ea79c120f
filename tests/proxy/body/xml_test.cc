// XML as data: paths, what is refused, and what is written.

#include "proxy/body/xml.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body {
namespace {

ScanStatus status_of(std::string_view text, const XmlLimits& limits = {}) {
  test::FlatFields fields(text);
  return scan_xml(text, limits, fields);
}

TEST(Xml, FieldsAreTextsAndAttributesByTheirPath) {
  const std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='no'?>\n"
      "<o:order xmlns:o=\"urn:o\" id='7'>\n <customer><o:email x:kind=\"m\">a&amp;&#x40;b</o:email>"
      "<note> </note><n/></customer>\n</o:order>\n";
  test::FlatFields fields(text);
  ASSERT_EQ(scan_xml(text, {}, fields), ScanStatus::ok);
  std::string seen;
  for (const auto& field : fields.fields) {
    std::string value;
    decode_xml_value(field.raw, value);
    seen += field.name + "=" + value + ";";
  }
  EXPECT_EQ(seen, "order/@id=7;order/customer/email/@kind=m;order/customer/email=a&@b;");
}

TEST(Xml, IsReadStrictly) {
  for (const char* text : {"",
                           "x",
                           "<a>",
                           "<a></b>",
                           "<a></a>x",
                           "<a/><b/>",
                           "<a><b></a></b>",
                           "<a b=1/>",
                           "<a b='<'/>",
                           "<a b='1' b='2'/>",
                           "<a x:b='1' y:b='2'/>",
                           "<a b='1'c='2'/>",
                           "<!DOCTYPE a><a/>",
                           "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
                           "<a>&x;</a>",
                           "<a>&amp</a>",
                           "<a>&#0;</a>",
                           "<a>&#1;</a>",
                           "<a>&#xD800;</a>",
                           "<a>&#x110000;</a>",
                           "<a>&#xFFFE;</a>",
                           "<a>&#-1;</a>",
                           "<a><!-- c --></a>",
                           "<!-- c --><a/>",
                           "<a><![CDATA[x]]></a>",
                           "<a><?p x?></a>",
                           "<?p x?><a/>",
                           "<a>]]></a>",
                           "<a>x<b/></a>",
                           "<a><b/>x</a>",
                           "<a>x<b>y</b></a>",
                           "\xEF\xBB\xBF<a/>",
                           "<?xml version='1.1'?><a/>",
                           "<?xml encoding='UTF-8'?><a/>",
                           "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                           " <?xml version='1.0'?><a/>",
                           "<?xml version='1.0' encoding='UTF-8' encoding='UTF-8'?><a/>",
                           "<a>\x01</a>",
                           "<a>\xFF</a>",
                           "<a>\xEF\xBF\xBF</a>",
                           "<1/>",
                           "<a:/>",
                           "<:a/>",
                           "<a:b:c/>",
                           "< a/>",
                           "<a / >",
                           "</a>",
                           "<a/ >"}) {
    EXPECT_EQ(status_of(text), ScanStatus::malformed) << text;
  }
  for (const char* text :
       {"<a/>", "<a />", "<a></a >", " <a>x</a>\n", "<a b = 'c'/>", "<a>x > y</a>",
        "<?xml version='1.0'?><a/>", "<a xmlns='u' xmlns:x='v'/>"}) {
    EXPECT_EQ(status_of(text), ScanStatus::ok) << text;
  }
}

TEST(Xml, IsBounded) {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<a>";
  EXPECT_EQ(status_of(deep), ScanStatus::too_large);
  EXPECT_EQ(status_of("<a><b/><b/></a>", {.fields = 2}), ScanStatus::too_large);
  EXPECT_EQ(status_of("<aaaa/>", {.name_bytes = 3}), ScanStatus::too_large);
  std::string many = "<a";
  for (int i = 0; i < 80; ++i) many += " b" + std::to_string(i) + "='1'";
  EXPECT_EQ(status_of(many + "/>"), ScanStatus::too_large);
}

TEST(Xml, WhatIsWrittenIsReadBack) {
  const std::string text = "<a><b k='1' l=\"2\">x</b><c>y</c></a>";
  test::FlatFields fields(text);
  ASSERT_EQ(scan_xml(text, {}, fields), ScanStatus::ok);
  ASSERT_EQ(fields.fields.size(), 4U);
  std::string arena;
  ASSERT_TRUE(encode_xml_value("<\"'&\n>", arena));
  EXPECT_EQ(arena, "&lt;&quot;&apos;&amp;&#10;&gt;");
  EXPECT_FALSE(encode_xml_value(std::string("\0", 1), arena));
  const Span with{0, static_cast<std::uint32_t>(arena.size())};
  const auto spliced = [&](const std::vector<FieldEdit>& wanted) {
    std::vector<Edit> edits;
    xml_edits(text, wanted, edits);
    return splice(text, edits, arena);
  };
  EXPECT_EQ(spliced({{fields.fields[0].field, {}, true}, {fields.fields[1].field, with, false}}),
            "<a><b l=\"&lt;&quot;&apos;&amp;&#10;&gt;\">x</b><c>y</c></a>");
  // The element goes with what was to be done to its attributes.
  EXPECT_EQ(spliced({{fields.fields[0].field, with, false}, {fields.fields[2].field, {}, true}}),
            "<a><c>y</c></a>");
  std::vector<Edit> edits;
  const std::string root = "<?xml version='1.0'?><a k='1'>x</a>";
  test::FlatFields leaf(root);
  ASSERT_EQ(scan_xml(root, {}, leaf), ScanStatus::ok);
  xml_edits(root, std::vector<FieldEdit>{{leaf.fields[1].field, {}, true}}, edits);
  EXPECT_EQ(splice(root, edits, arena), "<?xml version='1.0'?><a k='1'></a>");
}

}  // namespace
}  // namespace paravent::proxy::body
