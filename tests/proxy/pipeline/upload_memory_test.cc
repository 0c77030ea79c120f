// What one upload takes, counted in bytes at operator new: the same however large the file, and
// with every treatment at once well below 256 KiB.

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/tokens/file_format.h"
#include "tests/proxy/pipeline/upload_testing.h"
#include "tests/support/allocation_counter.h"

namespace paravent::proxy::testing {
namespace {

constexpr std::int64_t kKib = 1024;
constexpr std::size_t kWindow = 64 * 1024;  // net::kBodyWindow, which the double stands for
const std::string kFirst = "--B\r\n";

// A picture without an end, behind an Exif block of the largest size there is.
const std::string kPicture =
    std::string(
        "\xFF\xD8\xFF\xE1\xFF\xFF"
        "Exif\0\0MM\0*\0\0\xF0\0",
        20) +
    std::string(0xFFFD - 14, '\0') +
    std::string("\xFF\xC0\0\x0B\x08\0\1\0\1\1\1\x11\0\xFF\xDA\0\x08\1\1\0\0\x3F\0", 23);

// The most that is there at one time, beside the bytes that the doubles hold: with a client that is
// always quicker, and an upstream that makes it wait for each piece. The test itself takes nothing
// meanwhile.
std::int64_t peak_of(const std::string& rule, std::size_t field_bytes, std::size_t file_bytes) {
  Streaming s(
      policy_text("      multipart.note: { do: keep }\n      multipart.p: { " + rule + " }\n"));
  FakeUpstream& up = s.exchange.up;
  FakeDownstream& down = s.exchange.down;
  up.slow = true;
  up.body.reserve(1024 * 1024);
  down.window.reserve(1024 * 1024);
  const std::string begin =
      (part("note", std::string(field_bytes, 'n')) +
       "--B\r\nContent-Disposition: form-data; name=p; filename=a.jpg\r\n\r\n" + kPicture)
          .substr(kFirst.size());
  const std::string end = "\xFF\xD9\r\n--B--\r\n";
  std::size_t begun = 0;
  std::size_t filled = 0;

  const std::int64_t before = paravent::testing::live_bytes();
  paravent::testing::begin_peak();
  s.send_pieces({kFirst}, false);
  for (int turns = 0; turns < 5000 && !up.ended && s.refused().empty(); ++turns) {
    if (down.stream_limit == 0) {  // nothing more was asked for: a piece waits
      up.body.clear();
      up.handler->on_piece_sent();
      continue;
    }
    down.stream_limit = 0;
    std::size_t room = kWindow - down.window.size();
    const auto add = [&](std::string_view text, std::size_t& done) {
      text = text.substr(done, room);
      down.window.append(text);
      done += text.size();
      room -= text.size();
    };
    add(begin, begun);
    const std::size_t filling = std::min(room, file_bytes - filled);
    down.window.append(filling, 'y');
    filled += filling;
    const bool ends = filled == file_bytes && room - filling >= end.size();
    if (ends) down.window.append(end);
    s.exchange.transaction.on_body({ends ? BodyStatus::complete : BodyStatus::more, down.window});
  }
  const std::int64_t peak = paravent::testing::peak_bytes() - before;
  EXPECT_EQ(s.refused(), "") << rule;
  EXPECT_TRUE(up.ended) << rule;
  return peak;
}

TEST(UploadMemory, IsTheSameHoweverLargeTheFile) {
  for (const char* rule : {"file: pass", "file: encrypt", "file: pass, metadata: strip",
                           "file: encrypt, metadata: strip"}) {
    const std::int64_t small = peak_of(rule, 100, 300'000);
    const std::int64_t large = peak_of(rule, 100, 8'000'000);
    EXPECT_LE(large, small + kKib) << rule;
  }
}

TEST(UploadMemory, HasSlackUnderItsLimitWithEveryTreatmentAtOnce) {
  const auto chunk = static_cast<std::int64_t>(crypto::kFileChunk);
  for (const std::size_t fields : {std::size_t{100}, std::size_t{40'000}, std::size_t{65'000}}) {
    for (const char* rule : {"file: pass", "file: encrypt", "file: pass, metadata: strip",
                             "file: encrypt, metadata: strip"}) {
      const std::int64_t own = peak_of(rule, fields, 2'000'000);
      // The chunk in the making lies in guarded memory, which is not taken with operator new; the
      // text of the fields has its bound of its own (form-bytes).
      const bool encrypts = std::string_view(rule).find("encrypt") != std::string_view::npos;
      const std::int64_t whole = own + static_cast<std::int64_t>(kWindow) + (encrypts ? chunk : 0);
      EXPECT_GT(own, 64 * kKib) << "what is held back was not counted";
      EXPECT_LE(whole - static_cast<std::int64_t>(2 * fields), 220 * kKib)
          << rule << ", " << fields;
    }
  }
}

}  // namespace
}  // namespace paravent::proxy::testing
