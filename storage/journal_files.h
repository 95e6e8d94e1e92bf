// The files of the commit journal: filled with zeros once, then overwritten again and again, so that making a
// frame durable never waits for the file system to grow anything. Layout: storage/FORMAT.md, section 11.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/file_system.h"
#include "storage/journal_frame.h"
#include "storage/journal_replay.h"

namespace sillok::storage {

struct JournalFilesOptions {
  FileSystem* file_system = nullptr;
  std::string directory;
  ByteCount file_size = 32 << 20;  // a multiple of kJournalBlockSize, and well above a frame's
  std::size_t count_max = 16;      // 0: none are made
};

// Threading: add_file() on one thread at a time; write() on one thread at a time, as is used_count(); both
//   kinds at once are fine.
// Durability: a frame is durable when write() returns, and its file is kept until a durable frame says that
//   it is not needed.
// Failure: after a failed write nothing is written any more (Errc::offline); what was durable before stays.
class JournalFiles {
 public:
  // Reads what the last run left into `replay`. A file that is no journal file counts as absent and goes;
  // damage that takes durable frames away is told in `warnings`.
  static Result<std::unique_ptr<JournalFiles>> open(const JournalFilesOptions& options, JournalReplay& replay,
                                                    std::vector<std::string>& warnings);

  // Makes one file more, durably. Errc::no_space where the disk has not several times its size left. Returns
  // false where there are enough.
  Result<bool> add_file();

  // Writes the frame and syncs it. `needed_from` is the oldest frame that is still needed, or
  // next_sequence() where none is. Errc::no_space where every file is in use.
  Result<void> write(JournalFrame& frame, std::uint64_t needed_from);
  std::uint64_t next_sequence() const { return next_sequence_; }

  std::size_t count() const;
  bool wants_file() const;  // none is free, and there may be more
  // Files with frames that are needed, or that no durable frame has given up.
  std::size_t used_count() const;
  std::size_t count_max() const { return options_.count_max; }
  // Of the oldest file in use: its last frame.
  std::uint64_t oldest_file_end() const;

  // Removes all, durably. Nothing may be written afterwards.
  Result<void> remove_all();

 private:
  struct JournalFile {
    std::string path;
    std::shared_ptr<File> file;
    std::uint64_t id = 0;
    ByteCount size = 0;
    FilePosition end{kJournalBlockSize};  // of the frames of this round through it
    std::uint64_t last_sequence = 0;      // 0: none yet
  };
  // A frame that recovery found.
  struct FoundFrame {
    JournalFrameHeader header;
    JournalFile* file = nullptr;
    FilePosition position;
  };

  explicit JournalFiles(const JournalFilesOptions& options) : options_(options) {}

  Result<void> read(JournalReplay& replay, std::vector<std::string>& warnings);
  Result<void> remove_found();
  Result<void> open_file(const std::string& name, std::vector<std::string>& warnings);
  static Result<std::vector<FoundFrame>> walk(JournalFile& file);
  static Result<bool> read_body(const FoundFrame& frame, Bytes& body);
  static Result<void> replay_frame(const FoundFrame& frame, const Bytes& body, JournalReplay& replay);

  bool is_free(const JournalFile& file) const;
  // Beside the current one: a file with no frame from there on.
  bool has_file_below(std::uint64_t needed_from) const;
  static bool has_block(const JournalFile& file);  // behind its frames
  // The file for a frame of that size; null where there is none.
  JournalFile* choose(ByteCount padded_size);
  Result<void> write_to(JournalFile& file, JournalFrame& frame, std::uint64_t needed_from);

  const JournalFilesOptions options_;
  mutable std::mutex mutex_;  // guards the list, which only grows
  std::vector<std::unique_ptr<JournalFile>> files_;
  std::size_t next_number_ = 0;  // of add_file()

  // Of write().
  JournalFile* current_ = nullptr;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t durable_tail_ = 0;  // as the last frame says
  bool failed_ = false;
};

}  // namespace sillok::storage
