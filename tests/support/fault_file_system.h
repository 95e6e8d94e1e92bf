// Another file system, some of whose calls fail, write half, or wait until the test lets them go on.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "storage/file_system.h"

namespace sillok::tests {

enum class FileCall {
  open,
  read,  // read_at()
  read_resident,
  make_resident,
  write,
  truncate,
  reserve,
  sync,
  size,            // status() as well
  make_directory,  // make_directories() as well
  list_directory,
  rename,  // the path is the old one
  remove,  // remove_directory_tree() as well
  sync_directory,
  exists,
  space,
  lock,
};

inline constexpr std::int64_t kEveryCall = std::numeric_limits<std::int64_t>::max();

// Which calls: of those of a kind whose path contains `path_part`, the `nth` from now on (1 is the next), and
// those after it up to `count`.
struct FaultPoint {
  FileCall call;
  std::string path_part = "";
  std::int64_t nth = 1;
  std::int64_t count = 1;
};

// Calls that wait. Threading: any thread.
class Stall {
 public:
  virtual ~Stall() = default;
  // Until a call waits. Aborts the test after half a minute.
  virtual void wait_until_reached() = 0;
  // Lets what waits go on, and all later calls as well.
  virtual void release() = 0;
  virtual std::int64_t waiting_count() const = 0;
};

// Threading: any thread. The destructor must not run while a call waits.
class FaultFileSystem final : public storage::FileSystem {
 public:
  explicit FaultFileSystem(storage::FileSystem& inner);
  ~FaultFileSystem() override;

  // The calls fail and do nothing.
  void fail(FaultPoint where, Errc code);
  // The calls, which must be writes, write the first `written` bytes and fail.
  void write_short(FaultPoint where, ByteCount written, Errc code);
  std::shared_ptr<Stall> stall(FaultPoint where);
  // The nth call from now on that may change something is the last that is begun, as when the process is
  // killed in it: a write writes `written` bytes, anything else does nothing, and all calls after it fail.
  void stop_at(std::int64_t nth, ByteCount written);
  // Calls that may change something, since the start: open, write, truncate, sync, make_directory, rename,
  // remove and sync_directory.
  std::int64_t change_count() const;
  // Takes all faults away, and releases what waits.
  void clear();
  // How many calls failed so far.
  std::int64_t failure_count() const;

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
  class Rules;
  storage::FileSystem& inner_;
  std::shared_ptr<Rules> rules_;  // shared with the files, which may outlive it
};

}  // namespace sillok::tests
