// The seam between the log and the operating system. All file access goes through it, so that tests can
// crash, tear, stall and fail what a disk can. Backends: storage/posix_file_system.h;
// tests/support/mem_file_system.h (loses, tears and reorders what was not synced);
// tests/support/fault_file_system.h (fails and stalls chosen calls of another).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"

namespace sillok::storage {

// Bytes of one aligned block of this size are in memory together.
inline constexpr ByteCount kResidentBlockBytes = 4096;
// What is known of the block with the last byte of a range.
enum class RangeEnd { unknown, read_just_now };

// An open file.
//
// Threading: every call may be made from any thread; calls that touch the same bytes must be ordered by the
// callers. Durability: nothing is safe from power loss until sync_data() returned after it; a new name, not
// until the
//   directory was synced as well.
// Failure: errors carry the path, the call and errno's text. After a failed write or sync the state of the
// bytes is
//   unknown, and neither may be tried again on them (a second fsync can succeed without having written
//   anything).
class File {
 public:
  virtual ~File() = default;

  // Fills `out` from `position`; fewer bytes only where the file ends. Returns the count.
  virtual Result<std::size_t> read_at(FilePosition position, MutableByteView out) const = 0;
  // As read_at(), but only from memory: Errc::would_block where a byte of the range would have to be read
  // from the disk (and always where the backend cannot tell).
  virtual Result<std::size_t> read_resident_at(FilePosition position, MutableByteView out) const = 0;
  // Whether the whole range is in memory now, so that sending it will not wait for the disk. `end` spares a
  // system call.
  virtual bool is_resident(FilePosition position, ByteCount size, RangeEnd end = RangeEnd::unknown) const = 0;
  // Asks for the range to be brought into memory, and waits until it is.
  virtual Result<void> make_resident(FilePosition position, ByteCount size) const = 0;
  // Lets the system use the memory of the range for something else; what is not on disk yet stays. A hint.
  virtual void give_back(FilePosition position, ByteCount size) const = 0;
  // Writes all the parts, one after the other, at `position`.
  virtual Result<void> write_at(FilePosition position, std::span<const ByteView> parts) = 0;
  virtual Result<void> truncate(FilePosition size) = 0;
  // Gets disk blocks for the range without changing the file's size. A hint: a backend without it does
  // nothing.
  virtual Result<void> reserve(FilePosition position, ByteCount size) = 0;
  // Begins to write out what is dirty, and does not wait for it: the sync_data() that follows, of many files,
  // cost little together then. A hint: errors are told by that.
  virtual void start_writing_out() = 0;
  virtual Result<void> sync_data() = 0;  // fdatasync: the bytes, and the size where it changed
  virtual Result<FilePosition> size() const = 0;
  // For sendfile; nullopt where there is none and the bytes must be copied.
  virtual std::optional<int> descriptor() const = 0;
};

enum class OpenMode {
  read,            // must exist
  read_write,      // must exist
  create,          // must not exist (Errc::already_exists)
  open_or_create,  // read and write
};

struct DirectoryEntry {
  std::string name;  // without the directory
  bool is_directory = false;
};

struct FileStatus {
  FilePosition size{0};
  // When its bytes last changed, by the wall clock; nullopt where the backend does not know.
  std::optional<TimestampMs> modified_at;
};

struct SpaceUse {
  ByteCount free = 0;  // that this process may still write; 0 where no more files can be made
  ByteCount total = 0;
};

// A lock on a file, held until destroyed or until the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Paths are as the operating system takes them. Threading: as File.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> make_directory(
      const std::string& path) = 0;  // Errc::already_exists; parents must exist
  virtual Result<void> make_directories(const std::string& path) = 0;  // fine if it is there
  virtual Result<std::vector<DirectoryEntry>> list_directory(const std::string& path) = 0;  // sorted by name
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;          // replaces `to`
  virtual Result<void> remove(const std::string& path) = 0;                                 // Errc::not_found
  virtual Result<void> remove_directory_tree(const std::string& path) = 0;
  virtual Result<void> sync_directory(const std::string& path) = 0;  // makes the names in it durable
  virtual Result<bool> exists(const std::string& path) = 0;
  // Without opening it. Errc::not_found; io_error where it is no file that this process may read and write.
  virtual Result<FileStatus> status(const std::string& path) = 0;
  // Of the file system of `path`.
  virtual Result<SpaceUse> space(const std::string& path) = 0;
  // Errc::lock_held if another process, or another FileLock of this one, has it. Creates the file.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// The whole file, or Errc::too_large if it has more than `limit` bytes.
Result<std::string> read_file(FileSystem&, const std::string& path, ByteCount limit);
// Replaces the file as one step that a crash cannot halve: a temporary file beside it, synced, renamed, and
// the directory synced.
Result<void> replace_file(FileSystem&, const std::string& path, std::string_view content);
// A new file that is not durable, and may be empty or torn after a crash: the caller syncs it, and its
// directory. Errc::already_exists.
Result<std::shared_ptr<File>> write_new_file(FileSystem&, const std::string& path, std::string_view content);

std::string join_path(std::string_view directory, std::string_view name);
std::string parent_path(std::string_view path);

}  // namespace sillok::storage
