#include "proxy/body/multipart.h"

#include <gtest/gtest.h>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

constexpr std::string_view kBoundary = "B";

ScanStatus scan(std::string_view text, FlatFields& out, MultipartLimits limits = {}) {
  std::string scratch;
  return scan_multipart(text, kBoundary, limits, scratch, out);
}

ScanStatus status_of(std::string_view text, MultipartLimits limits = {}) {
  FlatFields ignored(text);
  return scan(text, ignored, limits);
}

// One part with these header lines (each with its CRLF) and this content, as a whole body.
std::string body_with(std::string_view head, std::string_view content = "v") {
  std::string out = "--B\r\n";
  return out.append(head).append("\r\n").append(content).append("\r\n--B--\r\n");
}

std::string disposition(std::string_view parameters) {
  return std::string("Content-Disposition: form-data").append(parameters).append("\r\n");
}

TEST(Multipart, ReadsFieldsAndFiles) {
  const std::string text = "--B\r\n" + disposition("; name=\"a\"") + "\r\none\r\n--B\r\n" +
                           disposition("; name=\"f\"; filename=\"x.png\"") +
                           "Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--B\r\n" +
                           disposition("; name=\"none\"; filename=\"\"") + "\r\n\r\n--B\r\n" +
                           disposition("; filename=\"\"; name=\"odd\"") + "\r\nx\r\n--B--";
  FlatFields seen(text);
  ASSERT_EQ(scan(text, seen), ScanStatus::ok);
  ASSERT_EQ(seen.fields.size(), 4U);
  EXPECT_EQ(seen.fields[0].name, "a");
  EXPECT_EQ(seen.fields[0].raw, "one");
  EXPECT_EQ(seen.fields[0].whole, "--B\r\n" + disposition("; name=\"a\"") + "\r\none");
  EXPECT_FALSE(seen.fields[0].field.is_file);
  EXPECT_EQ(seen.fields[1].raw, "\x89PNG\r\n");
  EXPECT_TRUE(seen.fields[1].field.is_file);
  EXPECT_FALSE(seen.fields[2].field.is_file) << "a file input left empty is an ordinary field";
  EXPECT_TRUE(seen.fields[3].field.is_file) << "contents without a file name are still an upload";
}

TEST(Multipart, AcceptsTheSpellingsThatClientsUse) {
  for (const std::string& head :
       {disposition(";name=a"), disposition(" ; name=\"a b\""),
        disposition("; name=\"\xC3\xA9[]\""),
        disposition("; name=\"a\"; filename=\"C:\\x\\y.txt\""), disposition("; name=\"a\"; size=3"),
        "X-A:\r\nx-b: \t z \t\r\n" + disposition("; name=a"),
        disposition("; name=a") + "Content-Type: text/plain;charset=us-ascii\r\n",
        disposition("; name=a") + "Content-Transfer-Encoding: BINARY\r\n",
        disposition("; name=\"a%20b\""), disposition("; name=\"100%\""),
        disposition("; name=\"a'b\""),
        disposition("; name=a; filename=\"l'\xC3\xA9t\xC3\xA9; a=b.jpg\""),
        disposition("; name=\"a; b\"; filename=\"name=x; names.txt\""),
        disposition("; name=a") + "Content-Length: 1\r\n"}) {
    EXPECT_EQ(status_of(body_with(head)), ScanStatus::ok) << head;
  }
  EXPECT_EQ(status_of("--B--"), ScanStatus::ok);
  EXPECT_EQ(status_of("--B--\r\n"), ScanStatus::ok);
  EXPECT_EQ(status_of(body_with(disposition("; name=a"), "x--B\r\n--\r\n--C\r\n -")),
            ScanStatus::ok);
}

TEST(Multipart, RefusesBadPartHeads) {
  for (const std::string& head :
       {std::string(), std::string("\r\n"), std::string("Content-Type: text/plain\r\n"),
        disposition(""), disposition("; name=\"\""), disposition("; name="), disposition("; name"),
        disposition("; name=\"a"), disposition(" name=a"), disposition("; name=a b"),
        disposition("; name=a;"), disposition("; ; name=a"), disposition("; name =a"),
        disposition("; name=\"a\"b"), disposition("; name='a b'"), disposition("; name='a'"),
        disposition("; name=\"'a'\""), disposition("; name=\"a%22b\""),
        disposition("; name=\"a%0ab\""),
        // What PHP's single quotes, a search for the last `; name=` and readers of mail make of it.
        disposition("; name=a'b"), disposition("; name=a; filename=it's"),
        disposition("; name=a; x='; z=\"'; name=email; w=\""), disposition("; name=a; x'=1"),
        disposition("; name=a; x=\"; name=email\""), disposition("; name=a; x=\"b;c\""),
        disposition("; name=a; x=\"b'c\""), disposition("; name=a; filename=\"b;  NAME = email\""),
        disposition("; name=a; filename=\"b; c; name=email.txt\""),
        disposition("; name=\"a;name=email\""), disposition("; name=\"=?utf-8?B?ZW1haWw=?=\""),
        disposition("; name=\"%0D\""), disposition("; name=\"a\"; name=\"b\""),
        disposition("; name=a; NAME=a"), disposition("; name=a; filename=x; filename=y"),
        disposition("; name*=utf-8''a"), disposition("; name=a; name*=utf-8''b"),
        disposition("; name=a; filename*=utf-8''b"),
        disposition("; name=a; filename=x; filename*0=y"), disposition("; name=\"a\\\"b\""),
        disposition("; name=\"a\\b\""), disposition("; name=a; filename=\"a\\\"; x=\"b\""),
        disposition("; name=\"\xFF\""), disposition("; name=\"a\tb\""),
        disposition("; name=a") + disposition("; name=a"),
        disposition("; name=a") + "content-disposition: form-data; name=b\r\n",
        disposition("; name=a") + "X-A: 1\r\nx-a: 1\r\n",
        std::string("Content-Disposition: attachment; name=a\r\n"),
        std::string("Content-Disposition : form-data; name=a\r\n"),
        std::string("Content-Disposition: form-data;\r\n name=a\r\n"),
        " " + disposition("; name=a"), ": x\r\n" + disposition("; name=a"),
        "X A: 1\r\n" + disposition("; name=a"), "X-A\r\n" + disposition("; name=a"),
        std::string("Content-Disposition: form-data; name=a\n"),
        std::string("Content-Disposition: form-data; name=a\r\nX: a\rb\r\n"),
        std::string("Content-Disposition: form-data; name=a\r\nX: \x7f\r\n"),
        disposition("; name=a") + "Content-Type: text\r\n",
        disposition("; name=a") + "Content-Length: 2\r\n",
        disposition("; name=a") + "Content-Length: +1\r\n",
        disposition("; name=a") + "Content-Length: 18446744073709551617\r\n"}) {
    EXPECT_EQ(status_of(body_with(head)), ScanStatus::malformed) << head;
  }
}

TEST(Multipart, DoesNotTakeOnEncodingsAndNesting) {
  for (const std::string_view line :
       {"Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n",
        "Content-Transfer-Encoding:\r\n", "Content-Type: text/plain; charset=iso-8859-1\r\n",
        "Content-Type: multipart/mixed; boundary=C\r\n", "Content-Type: Multipart/Form-Data\r\n"}) {
    EXPECT_EQ(status_of(body_with(disposition("; name=a").append(line))), ScanStatus::unsupported)
        << line;
  }
}

TEST(Multipart, RefusesBadFraming) {
  const std::string part = disposition("; name=a") + "\r\nv";
  for (const std::string& text :
       {std::string(),
        std::string("-"),
        std::string("--"),
        std::string("--B"),
        std::string("--B\r\n"),
        std::string("--C\r\n"),
        "--B\r\n" + part,
        "--B\r\n" + part + "\r\n",
        "--B\r\n" + part + "\r\n--B",
        "--B\r\n" + part + "\r\n--B-",
        "--B\r\n" + part + "\r\n--B\r\n",
        "\r\n--B\r\n" + part + "\r\n--B--",
        "x\r\n--B\r\n" + part + "\r\n--B--",
        "--B\r\n" + part + "\r\n--B--x",
        "--B\r\n" + part + "\r\n--B--\r\n\r\n",
        "--B\r\n" + part + "\r\n--B--\n",
        "--B \r\n" + part + "\r\n--B--",
        "--B\n" + part + "\r\n--B--",
        "--B\r\n" + part + "\n--B--",
        "--B\r\n" + part + "\r--B--",
        "--B\r\n" + part + "\r\n--Bx\r\n--B--",
        "--B\r\n" + part + "\r\n--B \r\n--B--",
        "--B\r\n" + part + "\n--B\nx\r\n--B--",
        "--B\r\n" + disposition("; name=a") + "\r\n--B--",
        "--B\r\n" + disposition("; name=a") + "\r\n--B\r\n" + part + "\r\n--B--",
        "--B\r\n" + disposition("; name=a")}) {
    EXPECT_EQ(status_of(text), ScanStatus::malformed) << text;
  }
}

TEST(Multipart, LimitsHoldExactly) {
  const std::string part = "--B\r\n" + disposition("; name=a") + "\r\nv\r\n";
  EXPECT_EQ(status_of(part + part + "--B--", {.parts = 2}), ScanStatus::ok);
  EXPECT_EQ(status_of(part + part + part + "--B--", {.parts = 2}), ScanStatus::too_large);
  const std::string three = body_with("X: 1\r\nY: 2\r\n" + disposition("; name=a"));
  EXPECT_EQ(status_of(three, {.headers_per_part = 3}), ScanStatus::ok);
  EXPECT_EQ(status_of(three, {.headers_per_part = 2}), ScanStatus::too_large);
  const std::string wide = disposition("; name=a");
  EXPECT_EQ(status_of(body_with(wide), {.part_head_bytes = wide.size()}), ScanStatus::ok);
  EXPECT_EQ(status_of(body_with(wide), {.part_head_bytes = wide.size() - 3}),
            ScanStatus::too_large);
}

TEST(Multipart, KnowsWhichValuesBreakTheFraming) {
  EXPECT_TRUE(multipart_value_is_safe("", "B"));
  EXPECT_TRUE(multipart_value_is_safe("pvv1abc--B", "B"));
  EXPECT_TRUE(multipart_value_is_safe("\r\n--b", "B"));
  EXPECT_FALSE(multipart_value_is_safe("--B", "B"));
  EXPECT_FALSE(multipart_value_is_safe("x\r\n--B", "B"));
  EXPECT_FALSE(multipart_value_is_safe("x\n--Bar", "B"));
  EXPECT_FALSE(multipart_value_is_safe("x\r--B", "B"));
}

TEST(Multipart, RemovesPartsAndStaleLengths) {
  const std::string head = disposition("; name=a") + "Content-Length: 1\r\nX: y\r\n";
  const std::string text = body_with(head);
  FlatFields seen(text);
  ASSERT_EQ(scan(text, seen), ScanStatus::ok);
  std::vector<Edit> edits;
  const FieldEdit replace{seen.fields[0].field, {0, 3}, false};
  multipart_edits(text, {&replace, 1}, edits);
  EXPECT_EQ(splice(text, edits, "new"), body_with(disposition("; name=a") + "X: y\r\n", "new"));
  edits.clear();
  const FieldEdit remove{seen.fields[0].field, {}, true};
  multipart_edits(text, {&remove, 1}, edits);
  EXPECT_EQ(splice(text, edits, ""), "--B--\r\n");
}

}  // namespace
}  // namespace paravent::proxy::body::test
