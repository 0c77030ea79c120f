// CSV: what a record is, and what readers could disagree about.

#include "proxy/body/csv.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body {
namespace {

ScanStatus status_of(std::string_view text, const CsvLimits& limits = {}) {
  test::FlatFields fields(text);
  return scan_csv(text, limits, fields);
}

TEST(Csv, CellsHaveTheirColumnsName) {
  const std::string text = "name,\"e mail\"\r\nAnne,a@b.fr\r\n\"M\"\"X\",\"1,\r\n2\"\r\n,\r\n";
  test::FlatFields fields(text);
  ASSERT_EQ(scan_csv(text, {}, fields), ScanStatus::ok);
  std::string seen;
  for (const auto& field : fields.fields) {
    std::string value;
    decode_csv_value(field.raw, value);
    seen += field.name + "=" + value + ";";
  }
  EXPECT_EQ(seen, "name=Anne;e mail=a@b.fr;name=M\"X;e mail=1,\r\n2;name=;e mail=;");
}

TEST(Csv, WhatReadersDifferAboutIsMalformed) {
  for (const char* text : {"",
                           "\n",
                           "a,a\n1,2\n",
                           "a,\n1,2\n",
                           "a b,c \n1,2\n",
                           "a,b\n1\n",
                           "a,b\n1,2,3\n",
                           "a,b\n1,2\n\n",
                           "a\n\"x\n",
                           "a\n\"x\"y\n",
                           "a\nx\"y\n",
                           "a\tb\n1\t2\n",
                           "a",
                           "a\n",
                           "a,b\r\n",
                           "a\n1\r",
                           "a\r\n1\n",
                           "a\n1\r\n",
                           "\xEF\xBB\xBF"
                           "a\n1\n",
                           "a\n\x01\n",
                           "a\n\xFF\n",
                           "\"a\nb\"\n1\n"}) {
    EXPECT_EQ(status_of(text), ScanStatus::malformed) << text;
  }
  EXPECT_EQ(status_of(std::string("a\nx\0y\n", 6)), ScanStatus::malformed);
  for (const char* text : {"a\n1", "a\r\n1", "a,b\n1,2", "a\n1\n2", "a\n\"\"\n"}) {
    EXPECT_EQ(status_of(text), ScanStatus::ok) << text;
  }
}

TEST(Csv, IsBounded) {
  EXPECT_EQ(status_of("a,b,c\n", {.columns = 2}), ScanStatus::too_large);
  EXPECT_EQ(status_of("a,b\n1,2\n3,4\n", {.cells = 3}), ScanStatus::too_large);
  EXPECT_EQ(status_of("abc\n", {.name_bytes = 2}), ScanStatus::too_large);
}

TEST(Csv, RemovedCellsStayEmptyAndReplacedOnesAreQuotedWhereTheyMust) {
  const std::string text = "a,b\n1,\"2\"\n3,4";
  test::FlatFields fields(text);
  ASSERT_EQ(scan_csv(text, {}, fields), ScanStatus::ok);
  std::string arena;
  ASSERT_TRUE(encode_csv_value("x,\"y\"", arena));
  EXPECT_FALSE(encode_csv_value("tab\t", arena));
  const Span with{0, static_cast<std::uint32_t>(arena.size())};
  std::vector<Edit> edits;
  csv_edits(text,
            std::vector<FieldEdit>{{fields.fields[0].field, {}, true},
                                   {fields.fields[1].field, with, false}},
            edits);
  EXPECT_EQ(splice(text, edits, arena), "a,b\n,\"x,\"\"y\"\"\"\n3,4");
}

}  // namespace
}  // namespace paravent::proxy::body
