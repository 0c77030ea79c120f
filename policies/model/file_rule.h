// FileRule: what becomes of an uploaded file, a part of multipart/form-data with a file name.
//
//   multipart.cv: { file: pass, metadata: strip }
//   multipart.cv > file-name: { do: tokenise }
//   multipart.id: { file: encrypt, metadata: strip }
//   multipart.id > content: { do: encrypt, erasable: subject }
//
// The file's name is a field of its own, inside the part. So is the content of a file that is
// encrypted: what its rule protects is the file's key (crypto/tokens/file_encryptor.h). Plain data.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "policies/model/diagnostics.h"

namespace paravent::policies {

enum class FileAction : std::uint8_t {
  refuse,  // no file under this name
  drop,    // the part is taken out
  pass,    // the content goes on as it comes
  encrypt,
};

// The policy's word.
constexpr std::string_view file_action_name(FileAction action) noexcept {
  constexpr std::string_view kNames[] = {"refuse", "drop", "pass", "encrypt"};
  return kNames[static_cast<std::size_t>(action)];
}
constexpr bool goes_on(FileAction action) noexcept {
  return action == FileAction::pass || action == FileAction::encrypt;
}

struct FileRule {
  Located<FileAction> action;
  bool strip_metadata = false;   // of pictures (proxy/body/picture.h)
  bool pass_unreadable = false;  // pictures that cannot be freed of it pass all the same
};

// In which order a body with streamed files may come.
enum class StreamOrder : std::uint8_t {
  fields_first,  // what is protected comes before the first file
  any,           // it may also come behind one
};

}  // namespace paravent::policies
