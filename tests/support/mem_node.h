// Files and directories of a MemFileSystem: each is what the programs see now, and what the disk has.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/base/bytes.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

inline constexpr std::int64_t kMemPageSize = 4096;
inline constexpr std::int64_t kMemSectorSize = 512;

struct MemNode;

// A name got a node, and the node lost its old name; or the name is gone, where there is no node.
struct NameChange {
  std::string name;
  std::optional<std::string> old_name;
  std::shared_ptr<MemNode> node;
};

// Threading: under the lock of its file system.
// Invariants: on_disk differs from content only in dirty pages and in size.
struct MemNode {
  using Names = std::map<std::string, std::shared_ptr<MemNode>>;

  static std::shared_ptr<MemNode> make_file() { return std::make_shared<MemNode>(); }
  static std::shared_ptr<MemNode> make_directory();

  // Of files.
  std::size_t read(std::int64_t position, MutableByteView out) const;
  void write(std::int64_t position, ByteView bytes);
  void truncate(std::int64_t size);
  void sync_content();
  bool corrupt(std::int64_t position, ByteView bytes);  // false past the end
  void bring_in(std::int64_t position, std::int64_t size);
  void evict(std::int64_t position, std::int64_t size);  // the clean pages that lie in the range whole
  bool is_resident(std::int64_t position, std::int64_t size) const;

  // Of directories.
  std::shared_ptr<MemNode> entry(const std::string& name) const;
  void change(NameChange change);
  void sync_names();
  void remove_entries();

  void evict_tree();

  bool is_directory = false;
  std::optional<TimestampMs> modified;

  Bytes content;
  Bytes on_disk;
  std::set<std::int64_t> dirty_pages;
  std::set<std::int64_t> cold_pages;  // not in the page cache

  Names entries;
  Names durable_entries;
  std::vector<NameChange> pending;  // from durable_entries to entries
};

// Applies one change to names, whether those before it were applied or not.
void apply_change(const NameChange& change, MemNode::Names& names);

// One power cut.
class MemCrash {
 public:
  MemCrash(std::uint64_t seed, CrashMode mode) : random_(seed), mode_(mode) {}

  // What is left of a directory and all that is in it, as new nodes without anything pending.
  std::shared_ptr<MemNode> survivor_of(const MemNode& directory);

 private:
  MemNode::Names surviving_names(const MemNode& directory);
  Bytes surviving_content(const MemNode& file);
  std::int64_t surviving_size(const MemNode& file);
  bool coin() { return below(2) == 0; }
  std::int64_t below(std::int64_t limit) {  // in [0, limit)
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }

  std::mt19937_64 random_;
  const CrashMode mode_;
  // A file that has two names survives as one.
  std::unordered_map<const MemNode*, std::shared_ptr<MemNode>> survivors_;
};

}  // namespace sillok::tests
