// A file system in memory that can be cut from its power: what was not synced is kept, lost or torn.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/file_system.h"

namespace sillok::tests {

enum class CrashMode {
  lose_all,  // nothing that was not synced is left
  keep_all,  // everything is: kill -9, the machine goes on
  // Each page by itself is new, old, or torn between two sectors; a changed size is the new, the old or one
  // between; of the changes of names in each directory the first few are kept.
  random,
  // As random, but each change of a name is kept or lost by itself, which POSIX allows.
  random_names,
};

// How many calls there were since the start.
struct CallCounts {
  std::int64_t opens = 0;
  std::int64_t reads = 0;  // resident ones included
  std::int64_t writes = 0;
  std::int64_t syncs = 0;
  std::int64_t directory_syncs = 0;
  std::int64_t renames = 0;
  std::int64_t removes = 0;
};

// Paths are absolute or relative to "/", which is there. Renames across directories are not modelled
// (Errc::invalid_argument).
//
// Threading: any thread; one lock for everything.
// Durability: as storage::File says, and no more than that: syncing a file does not make its name durable.
// What was synced
//   is never lost.
class MemFileSystem final : public storage::FileSystem {
 public:
  MemFileSystem();
  ~MemFileSystem() override;

  // Cuts the power. Files and locks that were open are dead (Errc::io_error); what is left is all durable.
  // The seed decides what that is.
  void crash(std::uint64_t seed, CrashMode mode);
  // The file system as it might come up after a power cut now; this one goes on.
  std::unique_ptr<MemFileSystem> after_crash(std::uint64_t seed, CrashMode mode) const;

  CallCounts calls() const;
  // Drops the page cache: the pages of all files are no longer resident, until they are read or written.
  void evict_pages();
  // What space() says is free, of a terabyte; writes are not bound by it.
  void set_free_space(ByteCount bytes);
  // What status() of the file says as modified_at from now on; without this, nothing.
  void set_modified(const std::string& path, TimestampMs when);
  // Changes durable and present bytes of a file behind the back of its users, as a decaying disk does.
  Result<void> corrupt(const std::string& path, FilePosition position, ByteView bytes);

  Result<std::shared_ptr<storage::File>> open(const std::string& path, storage::OpenMode mode) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<std::vector<storage::DirectoryEntry>> list_directory(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_directory_tree(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<storage::FileStatus> status(const std::string& path) override;
  Result<storage::SpaceUse> space(const std::string& path) override;
  Result<std::unique_ptr<storage::FileLock>> lock(const std::string& path) override;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace sillok::tests
