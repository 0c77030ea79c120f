// Upload: phases 3 to 7 of a request whose body is streamed, piece by piece: multipart/form-data on
// a route that lets files through.
//
// Reads the body in a window, tells fields from files (body/multipart_stream.h), has the fields of
// each stretch between two files scanned and protected as those of any request, lets the files'
// contents through (or out, or freed of their metadata), and hands the result on in pieces. It
// never waits: where the client, the vault or the upstream has to do something first, run() says so
// and is called again. Nothing is read from the client before the upstream has taken the piece
// before. What the message is asked about (conditions, and of a group which of its routes it is)
// the fields in front of the first file that depends on it decide; what comes behind and says
// otherwise is refused.
//
// Up to kGathered bytes are held back (of an encrypted file its content in the making counts with
// them), so that what is refused early, and any small body, is
// refused before the upstream hears of it, and small bodies get a Content-Length. What is refused
// later ends the upstream's connection without a clean end: the transaction cancels the exchange.
//
// Memory, whatever the file: the window (64 KiB), one buffer for what is held back or a filtered
// piece (66 KiB), of an encrypted file a chunk in the making (64 KiB), and the fields within
// form_bytes, which are held back as a whole where they are more (tests/proxy/pipeline/
// upload_memory_test.cc counts). One object per upload, owned by the
// Transaction; one thread.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/vault/api/messages.h"
#include "policies/plan/file_plan.h"
#include "policies/plan/route_plan.h"
#include "proxy/body/multipart_stream.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/client_address.h"
#include "proxy/pipeline/condition_reader.h"
#include "proxy/pipeline/downstream.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/file_filter.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/protected_request.h"
#include "proxy/pipeline/request_protector.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/upstream.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::proxy {

// What an upload asks of the exchange that it belongs to.
class UploadOwner : public RawCounter {
 public:
  // Of a group: chooses by the parts in front of the first file, and leaves in `watched` what has
  // to be shown the rest. The refusal, or route() is the one.
  virtual std::optional<Refusal> choose_route(std::string_view text,
                                              std::span<const body::MultipartStream::Part> parts,
                                              std::deque<StreamedConditions>& watched) = 0;
  virtual const policies::RoutePlan& route() const = 0;
};

class Upload {
 public:
  enum class Step : std::uint8_t {
    wait,      // for on_body or on_sent
    ask,       // for resolved: the jobs in the buffers are ready for phase 5
    list,      // for listed: what the jobs sealed, because the vault is, belongs on the list
    exchange,  // take_request() is to be sent; on_sent follows
    refused,   // refusal() says why
    gone,      // the client went away
    done,      // the upstream has the whole body
  };

  static constexpr std::size_t kGathered = std::size_t{64} * 1024;

  // Everything is the transaction's and must stay. `of_group`: owner.route() is one of a group's,
  // and the right one once it has been asked to choose. REQUIRES: plan.codec is upload.
  Upload(UploadOwner& owner, bool of_group, const RequestHead& head, const BodyPlan& plan,
         const Peer& peer, ExchangeBuffers& buffers, WorkerState& worker, Downstream& downstream);
  ~Upload();
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  // Goes on as far as it can. `exchange`: null until the request was taken and sent.
  Step run(UpstreamExchange* exchange);

  void on_body(const ReceivedBody& received);
  void on_sent() noexcept { sending_ = false; }
  // `batch` stays until the next Step; null: nothing had to be asked.
  void resolved(const crypto::vault::ResolveBatch* batch);

  // What the last stretch sealed instead is on the disk.
  void listed() noexcept { todo_ = Todo::flush; }

  bool waits_for_body() const noexcept { return receiving_; }
  bool waits_for_vault() const noexcept { return todo_ == Todo::protect_text; }
  // The first stretch of fields: the only one in which the request's person can be asked about.
  bool is_first() const noexcept { return first_; }
  ProtectedRequest take_request();
  const Refusal& refusal() const noexcept { return refusal_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  // What comes before the next byte is read.
  enum class Todo : std::uint8_t { nothing, content, scan_text, protect_text, listed, flush, over };

  std::optional<Step> read();
  std::optional<Step> read_event();
  std::optional<Step> end_text(bool last);
  std::optional<Step> scan_text();
  std::optional<Refusal> read_conditions();
  const policies::RoutePlan& route() const { return owner_.route(); }
  std::optional<Step> protect_text();
  const policies::FieldAction* find_file() const;
  void edit_around_files();
  bool begin_encryption();
  std::optional<Step> begin_content(std::string_view content);
  std::optional<Step> take_content();
  std::string& filtered();
  std::optional<Step> flush(UpstreamExchange* exchange);
  bool keeps_length() const;
  ProtectedPiece frame();
  Step refuse(Reason reason, std::string_view field = {});
  const body::MultipartStream::Part& last_part() const { return parts_.back(); }

  UploadOwner& owner_;
  const RequestHead& head_;
  const BodyPlan plan_;
  const Peer peer_;
  ExchangeBuffers& buffers_;
  WorkerState& worker_;
  Downstream& downstream_;
  std::optional<RequestProtector> protector_;  // once the route is known
  bool of_group_;
  std::deque<StreamedConditions> watched_;        // of the routes of a group
  std::optional<StreamedConditions> conditions_;  // of the route, where it has some

  body::MultipartStream codec_;
  std::vector<body::MultipartStream::Part> parts_;  // of the text under way
  std::string_view window_;                         // the client's bytes that have come
  std::size_t used_ = 0;                            // of the window
  bool complete_ = false;                           // nothing comes behind the window
  bool receiving_ = false;                          // on_body will follow
  bool gone_ = false;
  std::optional<Reason> fault_;  // of the body's framing, size or pace
  std::uint64_t bytes_ = 0;      // of the body, that have come
  std::uint64_t file_bytes_ = 0;

  Todo todo_ = Todo::nothing;
  const crypto::vault::ResolveBatch* batch_ = nullptr;
  bool first_ = true;
  bool last_ = false;  // the text under way is the end of the body
  bool after_dropped_ = false;
  const policies::FilePlan* file_ = nullptr;  // of the content under way
  std::string_view file_rule_;                // its name in the policy
  FileFilter filter_;
  std::string_view content_;  // of the window: what is still to be taken of it
  bool file_ended_ = false;   // behind that
  Refusal refusal_;

  // The piece under way: views of the text, of the arena, of the window and of `cleaned_`.
  std::vector<std::string_view> piece_;
  std::vector<std::string_view> framed_;
  std::string cleaned_;
  std::string gathered_;
  std::string chunk_head_;
  bool begins_ = false;  // the exchange, with what is held back now
  bool begun_ = false;
  bool sending_ = false;
  std::optional<std::uint64_t> length_;  // of the body that is sent, where it is known
  std::uint64_t sent_ = 0;               // of it, framing apart
  std::int64_t growth_ = 0;              // of the first text
};

}  // namespace paravent::proxy
