// The laws of the codecs that never hold a whole: multipart with files, and pictures.

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/body/multipart.h"
#include "proxy/body/multipart_stream.h"
#include "proxy/body/picture_cleaner.h"
#include "tests/proxy/body/laws.h"
#include "tests/proxy/body/random.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

using Event = MultipartStream::Event;

// What both ways of reading say about one part.
struct SeenPart {
  std::string name;
  std::string value;
  std::string file_name;
  bool is_file = false;
  bool operator==(const SeenPart&) const = default;
};

class PartCollector final : public FlatVisitor {
 public:
  explicit PartCollector(std::string_view text) : text_(text) {}
  bool on_field(std::string_view name, const Field& field) override {
    parts.push_back({std::string(name), std::string(field.value.in(text_)),
                     std::string(field.file_name.in(text_)), field.is_file});
    return true;
  }
  std::vector<SeenPart> parts;

 private:
  std::string_view text_;
};

struct Streamed {
  Event event = Event::need_more;
  std::vector<SeenPart> parts;
  std::string bytes;  // texts and contents in order
};

SeenPart seen(const MultipartStream& stream) {
  const MultipartStream::Part& part = stream.part();
  const std::string_view text = stream.text();
  return {std::string(part.name.in(text)), std::string(part.field.value.in(text)),
          std::string(part.field.file_name.in(text)), part.field.is_file};
}

// `split`: 0 for all at once, else pieces of at most so many bytes.
Streamed stream(std::string_view text, std::string_view boundary, std::size_t split,
                Random& random) {
  MultipartStream codec;
  codec.begin(boundary, {}, text.size() + 1);
  Streamed out;
  std::string window;
  std::size_t used = 0;
  std::size_t at = 0;
  for (;;) {
    const bool at_end = at == text.size();
    std::string_view in(window);
    in.remove_prefix(used);
    const Event event = codec.next(in, at_end);
    used = window.size() - in.size();
    switch (event) {
      case Event::need_more: {
        if (at_end) return out;  // an answer that the laws do not allow
        const std::size_t most = split == 0 ? text.size() - at : 1 + random.below(split);
        const std::string_view piece = text.substr(at, most);
        window.erase(0, std::exchange(used, 0)).append(piece);
        at += piece.size();
        break;
      }
      case Event::field:
        out.parts.push_back(seen(codec));
        break;
      case Event::file:
        out.parts.push_back(seen(codec));
        out.bytes.append(codec.text());
        break;
      case Event::content:
        out.parts.back().value.append(codec.content());
        out.bytes.append(codec.content());
        break;
      case Event::file_end:
        break;
      case Event::end:
        out.bytes.append(codec.text());
        out.event = event;
        return out;
      case Event::malformed:
      case Event::too_large:
      case Event::unsupported:
        out.event = event;
        return out;
    }
  }
}

bool agree(ScanStatus whole, Event streamed) {
  switch (whole) {
    case ScanStatus::ok:
      return streamed == Event::end;
    case ScanStatus::too_large:
      return streamed == Event::too_large;
    case ScanStatus::unsupported:
      return streamed == Event::unsupported;
    default:
      return streamed == Event::malformed;
  }
}

struct Cleaned {
  bool ok = false;
  bool whole = false;
  std::string bytes;
};

Cleaned clean(std::string_view text, std::size_t split, Random& random) {
  PictureCleaner cleaner;
  cleaner.begin(!text.empty() && text.front() == '\x89' ? Picture::png : Picture::jpeg);
  Cleaned out;
  while (!text.empty()) {
    const std::string_view piece =
        text.substr(0, split == 0 ? text.size() : 1 + random.below(split));
    text.remove_prefix(piece.size());
    std::string_view rest;
    if (!cleaner.feed(piece, out.bytes, rest)) return out;
  }
  out.ok = true;
  out.whole = cleaner.is_whole();
  return out;
}

}  // namespace

Verdict check_multipart_stream(std::string_view text, std::string_view boundary,
                               std::uint64_t seed) {
  PartCollector whole(text);
  std::string scratch;
  const ScanStatus status = scan_multipart(text, boundary, {}, scratch, whole);
  Random random(seed);
  const std::size_t some = 1 + random.below(100);
  for (const std::size_t split : {std::size_t{0}, std::size_t{1}, some}) {
    const Streamed streamed = stream(text, boundary, split, random);
    if (!agree(status, streamed.event)) return {"streamed, the body has another verdict", true};
    if (status != ScanStatus::ok) continue;
    if (streamed.parts != whole.parts) return {"streamed, the body has other parts", true};
    if (streamed.bytes != text) return {"what was handed on is not the body", true};
  }
  return {{}, status == ScanStatus::ok};
}

Verdict check_picture(std::string_view text, std::uint64_t seed) {
  Random random(seed);
  const Cleaned whole = clean(text, 0, random);
  for (const std::size_t split : {std::size_t{1}, 1 + random.below(100)}) {
    const Cleaned pieces = clean(text, split, random);
    if (pieces.ok != whole.ok || pieces.whole != whole.whole || pieces.bytes != whole.bytes) {
      return {"in pieces, the picture is another", true};
    }
  }
  if (!whole.ok || !whole.whole) return {};
  const Cleaned again = clean(whole.bytes, 0, random);
  if (!again.ok || !again.whole || again.bytes != whole.bytes) {
    return {"cleaned once more, the picture changes", true};
  }
  return {{}, true};
}

}  // namespace paravent::proxy::body::test
