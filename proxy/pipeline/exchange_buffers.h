// ExchangeBuffers: what one exchange finds out and writes, in buffers that the connection keeps and
// reuses.
//
// Owned by the Transaction (or by explain); one thread. clear_for_next() wipes what held clear
// values and keeps every capacity up to 256 KiB, so that messages of up to some 100 KiB allocate
// nothing in the steady state. Spans of jobs index the strings here, never pointers, because the
// strings grow while a request is read.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/secret_bytes.h"
#include "crypto/keys/scope.h"
#include "policies/model/path_pattern.h"
#include "policies/plan/field_action.h"
#include "proxy/body/field.h"
#include "proxy/body/lines.h"
#include "proxy/pipeline/opened_field.h"

namespace paravent::proxy {

// What is to happen to one field, after normalisation and before protection.
enum class Treatment : std::uint8_t {
  keep,     // stays as it is
  remove,   // the field goes
  rewrite,  // replaced by text that needs no key (mask, truncate, generalise, replace)
  derive,   // FieldProtector: everything that a key makes without the vault
  mint,     // a vault token
  confirm,  // a vault token that came back: stays as it is where the vault knows it, see `clear`
  reopen,   // rebuilt around what is inside, where anything there changed
  rename,   // a file name: only its ending stays
};

// Of one request, or of one piece of a streamed body.
inline constexpr std::size_t kMaxJobs = 200'000;

struct FieldJob {
  const policies::FieldAction* action = nullptr;
  policies::Carrier carrier = policies::Carrier::form;
  Treatment treatment = Treatment::keep;
  std::uint32_t line = 0;       // header and cookie: index into RequestHead::headers
  std::uint32_t vault_job = 0;  // mint, confirm: index into ResolveBatch::jobs, confirms
  std::uint32_t layer = 0;      // 0: of the message; n: of the n-th opened field
  body::Field field;
  body::Span
      clear;  // derive, mint, rewrite: the decoded (derive, mint: normalised) value in `clear`
  body::Span replacement;      // set by phase 6, in `arena`
  crypto::ScopeId scope_id{};  // derive, mint: which relationship or request, see scope_ids.h
};

// The field that delimits a relationship, as it was sent.
struct Delimiter {
  std::uint32_t values = 0;  // different ones: 0, 1, or 2 for several
  crypto::ScopeId id{};
};

// A segment of the path that a rule is about.
struct PathField {
  const policies::PathParameter* parameter = nullptr;
  const policies::FieldAction* action = nullptr;
};

struct ExchangeBuffers {
  std::vector<FieldJob> jobs;
  std::string decoded;  // the body without its content coding: wiped
  std::string clear;    // decoded and normalised values: wiped
  std::string value;    // one decoded value in passing: wiped before the next
  std::string scratch;  // decoded names, and replacements before they are encoded: wiped
  std::string arena;    // replacements, encoded for their carrier
  std::string refused_name;
  // Of each opened field, in the order of opening. Only the first `opened_count` are in use: the
  // others keep their capacity. Separate objects, because a text must stay where it is while what
  // is inside of it is read.
  std::vector<std::unique_ptr<OpenedField>> opened;
  std::size_t opened_count = 0;
  std::vector<body::FieldEdit> field_edits;
  std::vector<body::Line> lines;  // of the body, where it is several documents
  std::vector<PathField> path_fields;
  std::vector<body::Edit> path_edits;
  std::vector<body::Edit> query_edits;
  std::vector<body::Edit> cookie_edits;
  std::vector<body::Edit> body_edits;
  std::vector<body::Edit> inside_edits;
  std::string request_head;
  std::string address;  // client-address: pseudonym: what is written instead, or empty
  std::vector<Delimiter> delimiters;  // by FieldAction::delimiter_index
  bool several_subjects = false;      // the subject's field was sent with different values
  bool invalid_subject = false;       // it has no normal form, so that it tells nobody
  std::optional<body::Span> subject;  // the normal form of the subject's field, in `clear`
  std::optional<crypto::ScopeId> request_scope;
  std::vector<std::uint8_t> required_seen;  // by FieldAction::required_index: 1 once there

  // Before the next piece of a streamed body: what was found out about the request stays, and so
  // does `clear`, where the subject's name lies.
  void clear_for_next_piece() noexcept {
    jobs.clear();
    arena.clear();
    close_from(0);
    field_edits.clear();
    body_edits.clear();
    inside_edits.clear();
  }

  void clear_for_next() noexcept {
    jobs.clear();
    wipe_used(decoded);
    wipe_used(clear);
    wipe_used(value);
    wipe_used(scratch);
    arena.clear();
    refused_name.clear();
    close_from(0);
    field_edits.clear();
    lines.clear();
    path_fields.clear();
    path_edits.clear();
    query_edits.clear();
    cookie_edits.clear();
    body_edits.clear();
    inside_edits.clear();
    request_head.clear();
    address.clear();
    delimiters.clear();
    subject.reset();
    several_subjects = false;
    invalid_subject = false;
    request_scope.reset();
    required_seen.clear();
    give_back_large();
  }

  // What a message far beyond the usual made these grow to: such messages allocate. They are kept
  // by the hundred, and would hold on to a multiple of the largest body that each of them ever saw.
  void give_back_large() noexcept {
    constexpr std::size_t kKeptOpened = 1024;
    for (std::string* text : {&decoded, &clear, &value, &scratch, &arena}) give_back(*text);
    for (auto* edits : {&path_edits, &query_edits, &cookie_edits, &body_edits, &inside_edits}) {
      give_back(*edits);
    }
    give_back(jobs);
    give_back(field_edits);
    give_back(lines);
    if (opened.size() > kKeptOpened) std::vector<std::unique_ptr<OpenedField>>().swap(opened);
  }

  // Room for the values of a request of this many bytes, before the first of them is decoded:
  // growing would leave copies behind that nobody wipes. Bounded, so that what is announced and
  // never decoded costs little.
  void make_room(std::size_t bytes) {
    constexpr std::size_t kMost = std::size_t{2} << 20U;
    const std::size_t room = std::min(2 * bytes + 2048, kMost);
    for (std::string* text : {&clear, &value, &scratch}) {
      if (text->capacity() < room) text->reserve(room);
    }
  }

  template <typename Buffer>
  static void give_back(Buffer& buffer) noexcept {
    constexpr std::size_t kKept = std::size_t{256} << 10U;
    if (buffer.capacity() * sizeof(typename Buffer::value_type) > kKept) Buffer().swap(buffer);
  }

  OpenedField& open_next() {
    if (opened_count == opened.size()) opened.push_back(std::make_unique<OpenedField>());
    return *opened[opened_count++];
  }
  // Forgets the opened fields from this one on.
  void close_from(std::size_t first) noexcept {
    for (std::size_t i = first; i < opened_count; ++i) {
      wipe_used(opened[i]->text);
      give_back(opened[i]->text);
    }
    opened_count = first;
  }

  // Only what was written: these buffers are appended to and wiped in turn, so nothing older lies
  // behind their end, and wiping a whole capacity would cost more than the request.
  static void wipe_used(std::string& text) noexcept {
    crypto::wipe(crypto::MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
    text.clear();
  }
};

}  // namespace paravent::proxy
