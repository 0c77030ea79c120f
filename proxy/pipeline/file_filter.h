// FileFilter: what happens to the bytes of one file on their way: nothing; or, where the rule says
// `metadata: strip`, a picture loses what it tells about its making (body/picture_cleaner.h); and
// what is left of it, or of any file, is encrypted (crypto/tokens/file_encryptor.h).
//
// Which picture it is, the first bytes say, whatever it is called; a file that is called a picture
// and is none, a picture that cannot be freed of its metadata, and one whose structure is not sound
// are unreadable: refused, or passed as they are, as the rule says.
//
// Memory: nothing that grows with the file; a chunk where it is encrypted, and a slice of 8 KiB
// where it is stripped before. One thread.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/tokens/file_encryptor.h"
#include "policies/model/file_rule.h"
#include "proxy/body/picture_cleaner.h"

namespace paravent::proxy {

class FileFilter {
 public:
  FileFilter() = default;
  ~FileFilter();
  FileFilter(const FileFilter&) = delete;
  FileFilter& operator=(const FileFilter&) = delete;

  // Of a file of which only the name and the type are known. The rule must stay.
  void begin(const policies::FileRule& rule, std::string_view content_type,
             std::string_view file_name);

  // Of a file that is encrypted: appends what stands in front of its content.
  bool begin_encrypted(crypto::ByteView key, std::string_view token, std::string& out);

  bool encrypts() const noexcept { return encrypts_; }
  // Bytes of a file that is encrypted, taken and not yet written: less than a chunk.
  std::size_t pending() const noexcept { return encrypts_ ? encryptor_.pending() : 0; }
  // Whether the content goes on byte by byte, so that feed need not be asked.
  bool is_open() const noexcept { return state_ == State::open && !encrypts_; }
  // Takes the next bytes of the content and appends what goes on to `out`. False: unreadable.
  bool feed(std::string_view content, std::string& out);
  // The content is over.
  bool end(std::string& out);

 private:
  enum class State : std::uint8_t { open, looking, cleaning };

  bool strip(std::string_view content, std::string& out);
  bool end_stripping(std::string& out);
  bool decide(std::string& out);
  bool clean(std::string_view content, std::string& out);

  const policies::FileRule* rule_ = nullptr;
  State state_ = State::open;
  bool declared_ = false;
  bool encrypts_ = false;
  std::string first_;     // the bytes by which a picture is known
  std::string stripped_;  // on its way to be encrypted
  body::PictureCleaner cleaner_;
  crypto::FileEncryptor encryptor_;
};

}  // namespace paravent::proxy
