// The partitions of the floor: one file each, and where its batches begin.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"

namespace sillok::bench {

struct FloorConnection;

// Ends the process where `holds` is false, with the error number's text.
void must(bool holds, const char* what);

// A batch's first byte, and its first offset.
struct Place {
  Offset offset;
  FilePosition position;
};

// Threading: not thread-safe, but for the descriptor, which another thread may flush.
class FloorPartition {
 public:
  explicit FloorPartition(const std::string& path);
  FloorPartition(const FloorPartition&) = delete;
  FloorPartition& operator=(const FloorPartition&) = delete;
  // Gives back what was reserved behind the end.
  ~FloorPartition();

  int descriptor() const { return descriptor_; }
  Place end() const { return end_; }

  // Checks the CRC, sets offset and epoch, writes. Returns the base offset. Requires: one whole batch.
  Offset append(MutableByteView batch);
  // The place of the batch that holds `offset`. Requires: offset < end().offset.
  Place find(Offset offset) const;
  // Where an answer of about `size` bytes from `from` on ends: at a batch, and one batch away at least.
  Place end_of_answer(Place from, ByteCount size) const;

  // For the flusher: of the last hand-over that this partition's descriptor went with.
  std::uint64_t handed_over = 0;
  // For the server: whose fetches wait for records.
  std::vector<FloorConnection*> waiters;

 private:
  void reserve(FilePosition end);

  int descriptor_;
  Place end_;
  FilePosition reserved_;
  std::vector<Place> index_;  // one place in kIndexDistance bytes
};

struct FloorTopic {
  std::string name;
  std::vector<std::unique_ptr<FloorPartition>> partitions;
};

// All topics, which nothing ever removes: addresses stay.
class FloorTopics {
 public:
  explicit FloorTopics(std::string directory) : directory_(std::move(directory)) {}

  // nullptr where there is none.
  FloorTopic* find(std::string_view name);
  FloorTopic& create(std::string_view name, std::int32_t partitions);
  const std::vector<std::unique_ptr<FloorTopic>>& all() const { return topics_; }

 private:
  std::string directory_;
  std::vector<std::unique_ptr<FloorTopic>> topics_;
  std::unordered_map<std::string_view, FloorTopic*> by_name_;
  FloorTopic* last_found_ = nullptr;
};

}  // namespace sillok::bench
