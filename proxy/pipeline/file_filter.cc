#include "proxy/pipeline/file_filter.h"

#include <algorithm>

#include "proxy/pipeline/exchange_buffers.h"

namespace paravent::proxy {

using body::Picture;

namespace {

constexpr std::size_t kSlice = std::size_t{8} * 1024;
// What may come with a slice that was held before it: the head of a segment, an orientation.
constexpr std::size_t kBesides = 256;

}  // namespace

FileFilter::~FileFilter() { ExchangeBuffers::wipe_used(stripped_); }

void FileFilter::begin(const policies::FileRule& rule, std::string_view content_type,
                       std::string_view file_name) {
  rule_ = &rule;
  encrypts_ = false;
  first_.clear();
  state_ = rule.strip_metadata ? State::looking : State::open;
  declared_ = rule.strip_metadata && body::is_declared_picture(content_type, file_name);
}

bool FileFilter::begin_encrypted(crypto::ByteView key, std::string_view token, std::string& out) {
  encrypts_ = true;
  return encryptor_.begin(key, token, out).has_value();
}

bool FileFilter::feed(std::string_view content, std::string& out) {
  if (!encrypts_) return strip(content, out);
  if (state_ == State::open) return encryptor_.feed(content, out).has_value();
  // In slices, so that no second copy of the piece is there.
  stripped_.reserve(kSlice + kBesides);
  while (!content.empty()) {
    const std::string_view slice = content.substr(0, kSlice);
    content.remove_prefix(slice.size());
    ExchangeBuffers::wipe_used(stripped_);
    if (!strip(slice, stripped_) || !encryptor_.feed(stripped_, out)) return false;
  }
  ExchangeBuffers::wipe_used(stripped_);
  return true;
}

bool FileFilter::strip(std::string_view content, std::string& out) {
  if (state_ == State::looking) {
    const std::size_t more = std::min(content.size(), body::kPictureBytes - first_.size());
    first_.append(content.substr(0, more));
    content.remove_prefix(more);
    if (first_.size() < body::kPictureBytes) return true;
    if (!decide(out)) return false;
  }
  if (state_ == State::cleaning) return clean(content, out);
  out.append(content);
  return true;
}

bool FileFilter::decide(std::string& out) {
  const Picture picture = body::picture_by_content(first_);
  if (picture == Picture::jpeg || picture == Picture::png) {
    state_ = State::cleaning;
    cleaner_.begin(picture);
    return clean(first_, out);
  }
  if ((picture == Picture::other || declared_) && !rule_->pass_unreadable) return false;
  state_ = State::open;
  out.append(first_);
  return true;
}

bool FileFilter::clean(std::string_view content, std::string& out) {
  std::string_view rest;
  if (cleaner_.feed(content, out, rest)) return true;
  if (!rule_->pass_unreadable) return false;
  state_ = State::open;
  out.append(cleaner_.undecided()).append(rest);
  return true;
}

bool FileFilter::end(std::string& out) {
  if (!encrypts_) return end_stripping(out);
  ExchangeBuffers::wipe_used(stripped_);
  const bool ended = end_stripping(stripped_) && encryptor_.feed(stripped_, out).has_value() &&
                     encryptor_.end(out).has_value();
  ExchangeBuffers::wipe_used(stripped_);
  return ended;
}

bool FileFilter::end_stripping(std::string& out) {
  if (state_ == State::looking && !first_.empty() && !decide(out)) return false;
  if (state_ != State::cleaning || cleaner_.is_whole()) return true;
  if (!rule_->pass_unreadable) return false;
  out.append(cleaner_.undecided());
  return true;
}

}  // namespace paravent::proxy
