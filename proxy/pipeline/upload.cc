#include "proxy/pipeline/upload.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "crypto/base/encoding.h"

namespace paravent::proxy {
namespace {

using policies::Carrier;
using Event = body::MultipartStream::Event;

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";
// Of what a filter makes of one piece: a chunk of an encrypted file with what stands in front of
// it, or as much of a picture with a head that was split and an orientation.
constexpr std::size_t kFiltered =
    crypto::kFileChunk + crypto::kStreamChunkOverhead + crypto::kMaxFileLines;
static_assert(Upload::kGathered + 256 <= kFiltered);

void append_hex(std::uint64_t number, std::string& out) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  out.append(digits.data(), end);
}

}  // namespace

Upload::Upload(UploadOwner& owner, bool of_group, const RequestHead& head, const BodyPlan& plan,
               const Peer& peer, ExchangeBuffers& buffers, WorkerState& worker,
               Downstream& downstream)
    : owner_(owner),
      head_(head),
      plan_(plan),
      peer_(peer),
      buffers_(buffers),
      worker_(worker),
      downstream_(downstream),
      of_group_(of_group) {
  codec_.begin(plan.boundary, {}, worker.snapshot->limits.form_bytes);
}

Upload::~Upload() {
  codec_.wipe();
  ExchangeBuffers::wipe_used(gathered_);
  ExchangeBuffers::wipe_used(cleaned_);
}

Upload::Step Upload::refuse(Reason reason, std::string_view field) {
  refusal_ = {reason, field};
  todo_ = Todo::over;
  return Step::refused;
}

void Upload::on_body(const ReceivedBody& received) {
  receiving_ = false;
  switch (received.status) {
    case BodyStatus::complete:
    case BodyStatus::more:
      bytes_ += received.bytes.size() - (window_.size() - used_);
      window_ = received.bytes;
      used_ = 0;
      complete_ = received.status == BodyStatus::complete;
      return;
    case BodyStatus::pending:
      receiving_ = true;
      return;
    case BodyStatus::gone:
      gone_ = true;
      return;
    default:
      fault_ = reason_of(received.status);
      return;
  }
}

void Upload::resolved(const crypto::vault::ResolveBatch* batch) {
  batch_ = batch;
  todo_ = Todo::protect_text;
}

Upload::Step Upload::run(UpstreamExchange* exchange) {
  for (;;) {
    if (gone_) return Step::gone;
    if (fault_) return refuse(*fault_);
    if (sending_ || receiving_) return Step::wait;
    std::optional<Step> step;
    switch (todo_) {
      case Todo::nothing:
        step = read_event();
        break;
      case Todo::content:
        step = take_content();
        break;
      case Todo::scan_text:
        step = scan_text();
        break;
      case Todo::protect_text:
        step = protect_text();
        break;
      case Todo::listed:
        return Step::wait;
      case Todo::flush:
        step = flush(exchange);
        break;
      case Todo::over:
        return last_ ? Step::done : Step::refused;
    }
    if (step) return *step;
  }
}

std::optional<Upload::Step> Upload::read() {
  const std::size_t consumed = used_;
  window_ = window_.substr(used_);
  used_ = 0;
  const std::uint64_t limit = worker_.snapshot->limits.file_bytes + plan_.limit;
  on_body(downstream_.read_body(consumed, limit));
  return std::nullopt;
}

std::optional<Upload::Step> Upload::read_event() {
  std::string_view in = window_.substr(used_);
  const Event event = codec_.next(in, complete_);
  used_ = window_.size() - in.size();
  switch (event) {
    case Event::need_more:
      return read();
    case Event::field:
      parts_.push_back(codec_.part());
      return std::nullopt;
    case Event::file:
      parts_.push_back(codec_.part());
      return end_text(false);
    case Event::content:
      return begin_content(codec_.content());
    case Event::file_end:
      parts_.clear();
      file_ended_ = file_->goes_on();
      if (file_ended_) todo_ = Todo::content;
      return std::nullopt;
    case Event::end:
      return end_text(true);
    case Event::malformed:
      return refuse(Reason::malformed_body);
    case Event::too_large:
      return refuse(Reason::too_large);
    case Event::unsupported:
      return refuse(Reason::unsupported_type);
  }
  return refuse(Reason::malformed_body);
}

std::optional<Upload::Step> Upload::end_text(bool last) {
  last_ = last;
  todo_ = Todo::scan_text;
  return std::nullopt;
}

// What this stretch says about the route and its conditions, before anything depends on it.
std::optional<Refusal> Upload::read_conditions() {
  if (first_ && of_group_) {
    if (auto refusal = owner_.choose_route(codec_.text(), parts_, watched_)) return refusal;
  } else {
    for (StreamedConditions& conditions : watched_) {
      if (auto refusal = conditions.read_parts(codec_.text(), parts_)) return refusal;
    }
  }
  if (first_) {
    protector_.emplace(route(), head_, peer_, downstream_.tls(), buffers_);
    if (route().questions.empty()) return std::nullopt;
    conditions_.emplace(route(), head_, buffers_);
    if (auto refusal = conditions_->read_head()) return refusal;
  }
  return conditions_ ? conditions_->read_parts(codec_.text(), parts_) : std::nullopt;
}

std::optional<Upload::Step> Upload::scan_text() {
  if (!first_) buffers_.clear_for_next_piece();
  std::optional<Refusal> refusal = read_conditions();
  if (refusal) return refuse(refusal->reason, refusal->field);
  RequestScanner scanner(route(), head_, buffers_, owner_);
  if (conditions_) scanner.assume(conditions_->bits());
  if (first_) refusal = scanner.scan_head();
  if (!refusal) {
    refusal = scanner.scan_parts(codec_.text(), parts_, first_, *worker_.json_scanners);
  }
  if (conditions_) {
    conditions_->decide(scanner.asked());
    if (scanner.asked_unclear() != 0) refusal = unclear(route(), scanner.asked_unclear());
    // As of a body that is held, whether or not anything came that depends on it.
    if (last_ && !refusal) refusal = refuse_unclear(route(), conditions_->bits());
  }
  const bool fields_came = last_ || (first_ && !route().any_order);
  if (!refusal && fields_came) refusal = scanner.check_required(BodyCodec::upload, !last_);
  if (refusal) return refuse(refusal->reason, refusal->field);
  todo_ = Todo::protect_text;
  return Step::ask;
}

std::optional<Upload::Step> Upload::protect_text() {
  // Sealed while the body or the vault's answer was awaited.
  if (route().needs_keys && !worker_.has_keys()) return refuse(Reason::sealed);
  std::string_view text = codec_.text();
  cleaned_.clear();
  if (!last_) {
    const policies::FieldAction* action = find_file();
    file_ = action->file.get();
    file_rule_ = action->name;
    // The head of a file that is dropped stays behind with its content.
    if (!file_->goes_on()) text = text.substr(0, last_part().field.whole.begin);
    filter_.begin(file_->rule, last_part().content_type.in(codec_.text()),
                  last_part().field.file_name.in(codec_.text()));
  }
  if (auto refusal = protector_->protect_piece(plan_, text, first_, worker_.tools(),
                                               std::exchange(batch_, nullptr))) {
    return refuse(refusal->reason, refusal->field);
  }
  for (const FieldJob& job : buffers_.jobs) worker_.counters->fields(job.action->id).add();
  edit_around_files();
  if (!last_ && file_->encrypts() && !begin_encryption()) {
    return refuse(Reason::transform_failed, file_rule_);
  }
  const body::SplicedBytes spliced(text, buffers_.body_edits, buffers_.arena);
  spliced.for_each_segment([this](std::string_view segment) { piece_.push_back(segment); });
  if (!cleaned_.empty()) piece_.push_back(cleaned_);
  if (first_) {
    growth_ = static_cast<std::int64_t>(spliced.size()) - static_cast<std::int64_t>(text.size());
    // A digest of the whole cannot be made before the whole is there.
    protector_->begin_head(!route().constant_size || !spliced.untouched());
  }
  first_ = false;
  todo_ = Todo::flush;
  if (worker_.snapshot->keys_available) return std::nullopt;
  todo_ = Todo::listed;
  return Step::list;
}

// What is done with the file that the text ends with, as the scan decided it.
const policies::FieldAction* Upload::find_file() const {
  for (const FieldJob& job : buffers_.jobs) {
    if (job.carrier == Carrier::multipart && job.field.is_file) return job.action;
  }
  std::abort();  // the scan has refused every other one
}

// What the fields' own edits know nothing of: a head that states a length which may not be the
// content's any more, and the line end in front of a delimiter whose part before was dropped.
void Upload::edit_around_files() {
  std::vector<body::Edit>& edits = buffers_.body_edits;
  if (std::exchange(after_dropped_, false)) {
    edits.insert(edits.begin(), body::Edit{{0, kCrlf.size()}, {}, {}});
  }
  if (last_) return;
  after_dropped_ = !file_->goes_on();
  if (!file_->goes_on() || file_->is_untouched()) return;
  const body::Span length = body::multipart_length_line(codec_.text(), last_part().field);
  if (length.size() == 0) return;
  edits.push_back({length, {}, {}});
  std::sort(edits.begin(), edits.end(),
            [](const body::Edit& a, const body::Edit& b) { return a.at.begin < b.at.begin; });
}

// The key and what stands for it are the last job of the text that ends with the file's head.
bool Upload::begin_encryption() {
  for (const FieldJob& job : buffers_.jobs) {
    if (job.carrier != Carrier::file_content) continue;
    auto key = crypto::from_hex(job.clear.in(buffers_.clear));
    if (!key) return false;
    const bool begun = filter_.begin_encrypted(*key, job.replacement.in(buffers_.arena), cleaned_);
    crypto::wipe(*key);
    return begun;
  }
  return false;
}

std::optional<Upload::Step> Upload::begin_content(std::string_view content) {
  file_bytes_ += content.size();
  if (file_bytes_ > worker_.snapshot->limits.file_bytes) return refuse(Reason::too_large);
  if (!file_->goes_on()) return std::nullopt;
  content_ = content;
  todo_ = Todo::content;
  return std::nullopt;
}

// Takes as much of the content as there is room for, a chunk in the making included: what is held
// back and what is made of the rest are never there together.
std::optional<Upload::Step> Upload::take_content() {
  todo_ = Todo::flush;
  std::string_view part = content_;
  if (!begun_) {
    const std::size_t held = gathered_.size() + filter_.pending();
    if (filter_.encrypts()) {
      begins_ = held + part.size() > kGathered;
      if (begins_) return std::nullopt;
    }
    part = part.substr(0, kGathered - std::min(held, kGathered));
  }
  content_.remove_prefix(part.size());
  if (filter_.is_open()) {
    if (!part.empty()) piece_.push_back(part);
    if (content_.empty()) file_ended_ = false;
    return std::nullopt;
  }
  std::string& out = filtered();
  bool readable = filter_.feed(part, out);
  if (content_.empty() && std::exchange(file_ended_, false)) {
    readable = readable && filter_.end(out);
  }
  if (!readable) return refuse(Reason::transform_failed, file_rule_);
  if (begun_ && !out.empty()) piece_.push_back(out);
  return std::nullopt;
}

// Where the filter writes: straight behind what is held back, and afterwards into the buffer that
// held it. So there is one buffer of that size and not two.
std::string& Upload::filtered() {
  if (!begun_) return gathered_;
  if (!gathered_.empty()) {  // it has been taken
    ExchangeBuffers::wipe_used(gathered_);
    cleaned_.clear();
    gathered_.swap(cleaned_);
    gathered_.shrink_to_fit();
  }
  cleaned_.clear();
  cleaned_.reserve(kFiltered);
  return cleaned_;
}

std::optional<Upload::Step> Upload::flush(UpstreamExchange* exchange) {
  todo_ = last_ ? Todo::over : Todo::nothing;
  if (!content_.empty() || file_ended_) todo_ = Todo::content;
  if (!begun_) {
    if (!last_) gathered_.reserve(kFiltered);  // or it would grow to twice that
    for (const std::string_view part : piece_) gathered_.append(part);
    piece_.clear();
    cleaned_.clear();
    if (!last_ && !begins_ && gathered_.size() < kGathered) return std::nullopt;
    begun_ = true;
    if (last_) {
      length_ = gathered_.size();
    } else if (route().constant_size && head_.framing == BodyFraming::length) {
      length_ = head_.content_length + static_cast<std::uint64_t>(growth_);
    }
    piece_.push_back(gathered_);
    if (!keeps_length()) return refuse(Reason::transform_failed);
    sending_ = true;
    return Step::exchange;
  }
  if (!gathered_.empty()) {
    ExchangeBuffers::wipe_used(gathered_);
    gathered_.shrink_to_fit();
  }
  if (piece_.empty() && !last_) return std::nullopt;
  if (!keeps_length()) return refuse(Reason::transform_failed, file_rule_);
  sending_ = !exchange->send(frame());
  return std::nullopt;
}

// Not a byte more than was announced, which would be the next request to whoever reads it, and not
// an end before. The plan promises it; this holds whatever the plan says.
bool Upload::keeps_length() const {
  if (!length_) return true;
  std::uint64_t size = sent_;
  for (const std::string_view part : piece_) size += part.size();
  return last_ ? size == *length_ : size <= *length_;
}

ProtectedRequest Upload::take_request() { return protector_->begin_upload(length_, frame()); }

// The piece in the framing of the body that is sent.
ProtectedPiece Upload::frame() {
  framed_.clear();
  std::uint64_t size = 0;
  for (const std::string_view part : piece_) size += part.size();
  sent_ += size;
  if (!length_ && size > 0) {
    chunk_head_.clear();
    append_hex(size, chunk_head_);
    framed_.push_back(chunk_head_.append(kCrlf));
  }
  framed_.insert(framed_.end(), piece_.begin(), piece_.end());
  if (!length_ && size > 0) framed_.push_back(kCrlf);
  if (!length_ && last_) framed_.push_back(kLastChunk);
  piece_.clear();
  ProtectedPiece piece;
  piece.parts_ = framed_;
  piece.last_ = last_;
  return piece;
}

}  // namespace paravent::proxy
