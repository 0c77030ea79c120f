// Durable files: a small file is replaced whole or not at all, and is on disk when the call
// returns.
//
// Write a temporary file beside it, fsync, rename, fsync the folder. A failed fsync ends the
// process: the kernel may have dropped the dirty pages, and no later success proves anything
// (PostgreSQL's fsyncgate; hardening.md 5). A failed write leaves the old file as it was. Callers
// keep other writers away (the lock of DataDirectory). Sentences name the path and what to do.

#pragma once

#include <cstddef>
#include <filesystem>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto::vault {

enum class Existing : std::uint8_t { replace, refuse };

// Mode 0600. ErrorKind::disk_full when nothing more can be written; data for any other failure, and
// for a file that exists under Existing::refuse (checked and created in one atomic step).
Status write_file_durably(const std::filesystem::path& path, ByteView bytes,
                          Existing existing = Existing::replace);

// The whole file. ErrorKind::data when it cannot be read or is longer than `limit` bytes; a missing
// file is an error too (ask exists first where it may be missing). Never follows a final symbolic
// link.
Result<SecretBytes> read_file(const std::filesystem::path& path, std::size_t limit);

// Whether group or others may do anything with the file or folder, or it belongs to another user:
// ErrorKind::data with the chmod or chown to run.
Status check_private(const std::filesystem::path& path);

Status remove_file_durably(const std::filesystem::path& path);

// Overwrites the file with random bytes, then removes it; each step is on the disk before the next.
// For secrets; what the medium keeps of the old blocks is beyond it.
Status erase_file_durably(const std::filesystem::path& path);

// Makes the folder (0700) that the file lies in where it is missing; the one above it has to be
// there. Its name is durable when this returns. What cannot be made is found by whoever writes
// there. An error: it was made, and its name cannot be made durable.
Status make_folder_of(const std::filesystem::path& file);

// Every folder of this path that is missing, as the umask has it, each with a durable name before
// the next. What cannot be made is found by whoever writes there.
Status make_folders_durably(const std::filesystem::path& folder);

// Gives a file another name in its folder, replacing what has that name, in one atomic step.
Status rename_file_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// Where write_file_durably() writes first; a crash may leave it behind.
std::filesystem::path temporary_of(const std::filesystem::path& path);

// Ends the process when it fails for any other reason than a folder that cannot be opened. The
// functions above open the folder first: once a name has changed, they cannot answer an error.
Status sync_folder(const std::filesystem::path& folder);

}  // namespace paravent::crypto::vault
