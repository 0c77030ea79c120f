// Laws of streamed uploads on any bytes between the boundaries "B": however the body is cut into
// pieces, the same leaves, or the same refusal; what a policy protects or drops never leaves, not
// even in front of a refusal; and what left goes through once more unchanged.
//
// The first byte 0x1A is where the secret goes, each 0x1B is as long as half of what an upload
// holds back; the first of all chooses the policy.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>

#include "proxy/pipeline/upload.h"
#include "tests/fuzz/law_input.h"
#include "tests/proxy/body/random.h"
#include "tests/proxy/pipeline/upload_testing.h"

namespace {

using namespace paravent::proxy::testing;
using paravent::proxy::Transaction;
namespace body = paravent::proxy::body;

// No piece of eight bytes of it may leave either, wherever a body was cut; fewer may be a
// ciphertext's by chance.
constexpr std::string_view kSecret = "Zanzibar-Pemba-7";
constexpr std::size_t kTelling = 8;
constexpr std::size_t kMostLong = 4;

// Nothing that the visitor wrote leaves as it is.
constexpr const char* kProtected =
    "      multipart.message: { kind: text, do: encrypt }\n"
    "      multipart.old: { do: drop }\n"
    "      multipart.doc: { kind: text, file: encrypt }\n"
    "      multipart.gone: { file: drop }\n";
// Everything that leaves is as it came, or cut.
constexpr const char* kPassing =
    "      multipart.note: { do: keep }\n"
    "      multipart.old: { do: drop }\n"
    "      multipart.cv: { file: pass }\n"
    "      multipart.raw: { file: pass }\n"
    "      multipart.raw > file-name: { do: keep }\n"
    "      multipart.photo: { file: pass, metadata: strip }\n"
    "      multipart.gone: { file: drop }\n";

void must(bool holds) {
  if (!holds) std::abort();
}

// The bytes of chunks that came, also where the last of them is missing.
std::string payload_of(std::string_view chunked) {
  paravent::proxy::http1::ChunkedDecoder chunks;
  std::string out;
  for (std::string_view piece;;) {
    if (chunks.next(chunked, piece) != paravent::proxy::http1::ChunkStatus::data) return out;
    out.append(piece);
  }
}

bool tells(std::string_view text) {
  for (std::size_t at = 0; at + kTelling <= kSecret.size(); ++at) {
    if (text.find(kSecret.substr(at, kTelling)) != std::string_view::npos) return true;
  }
  return false;
}

// Whether the secret stands in the head of a part, whose lines and parameters besides name, type
// and file name are no fields and go on (docs/policy-reference.md).
bool in_a_head(std::string_view text) {
  const std::size_t secret = text.find(kSecret);
  if (secret == std::string_view::npos) return false;
  const std::size_t boundary = text.substr(0, secret).rfind("--B");
  const std::size_t content = text.substr(0, secret).rfind("\r\n\r\n");
  return boundary != std::string_view::npos &&
         (content == std::string_view::npos || content < boundary);
}

std::string text_of(std::string_view input) {
  std::string out;
  std::size_t filled = 0;
  bool secret = false;
  for (const char c : input) {
    if (c == '\x1a' && !secret) {
      out += kSecret;
      secret = true;
    } else if (c == '\x1b' && filled < kMostLong) {
      out.append(paravent::proxy::Upload::kGathered / 2, 'x');
      ++filled;
    } else {
      out += c;
    }
  }
  return out;
}

std::deque<std::string> cut(std::string_view text, std::uint64_t seed) {
  body::test::Random random(seed);
  const std::size_t most = random.one_in(2) ? 40 : 40'000;
  std::deque<std::string> pieces;
  while (!text.empty()) {
    pieces.emplace_back(text.substr(0, 1 + random.below(most)));
    text.remove_prefix(pieces.back().size());
  }
  return pieces;
}

struct Sent {
  bool whole = false;
  std::string body;    // as the application reads it, where it is whole
  std::string answer;  // where the visitor was refused
};

// One exchange on a connection of its own.
Sent send(const Exchange& place, bool passes, const std::string& text,
          std::deque<std::string> pieces) {
  FakeDownstream down;
  FakeUpstream up;
  up.slow = true;
  const ReadRequest request(multipart_post(text));
  down.pieces = std::move(pieces);
  Transaction transaction(down, up);
  transaction.start(request.head(), place.worker);
  for (int turn = 0; up.exchanges > 0 && !up.ended && down.sent.empty(); ++turn) {
    must(turn < 10'000);
    up.handler->on_piece_sent();
  }
  must(up.ended || !down.sent.empty());
  Sent out;
  out.whole = up.ended;
  const bool chunked = up.head.find("Transfer-Encoding: chunked") != std::string::npos;
  const std::string payload = chunked ? payload_of(up.body) : up.body;
  must(passes || (!tells(payload) && !tells(up.head)));
  if (out.whole) out.body = chunked ? dechunked(up.body) : up.body;
  const std::size_t reason = down.sent.find("\"reason\":\"");
  if (reason != std::string::npos) out.answer = down.sent.substr(reason, 40);
  if (down.finishes == 0) transaction.on_client_gone();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Exchange refusing(policy_text(kProtected, "    unlisted: refuse\n"));
  static const Exchange dropping(policy_text(kProtected, "    unlisted: drop\n"));
  static const Exchange passing(
      policy_text(kPassing, "    unlisted: drop\n    stream: any-order\n"));
  const std::string_view input = body::test::as_text(data, size);
  if (input.size() < 2 || input.size() > 4096) return 0;
  const unsigned policy = static_cast<unsigned char>(input[0]) % 3U;
  const bool passes = policy == 2;
  const Exchange& place = policy == 0 ? refusing : policy == 1 ? dropping : passing;
  if (tells(input)) return 0;  // it would stand elsewhere too, where it may leave
  const std::string text = text_of(input.substr(1));
  if (in_a_head(text)) return 0;
  const Sent at_once = send(place, passes, text, {text});
  const Sent in_pieces = send(place, passes, text, cut(text, body::test::seed_of(input)));
  must(at_once.whole == in_pieces.whole);
  must(at_once.answer == in_pieces.answer);
  must(at_once.body != "no whole body" && in_pieces.body != "no whole body");
  // Nonces are random, lengths are not.
  must(at_once.body.size() == in_pieces.body.size());
  if (!passes || !at_once.whole) return 0;
  must(at_once.body == in_pieces.body);
  const Sent again = send(place, passes, at_once.body, {at_once.body});
  must(again.whole && again.body == at_once.body);
  return 0;
}
