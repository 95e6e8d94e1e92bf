// Prints the files of a log directory for people and scripts: one line a batch, index entry, producer or
// checkpoint line. What is wrong stands at the end of its line, behind "PROBLEM: ".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/record_batch_view.h"
#include "storage/file_system.h"

namespace sillok::storage {

enum class DumpDetail {
  problems,  // a line for each file, and the lines with problems; records are read as well
  batches,
  records,
};

// Reads only. Damage is what it is for: no bytes of a file make it fail, only stop it at the place from where
// nothing can be told apart any more.
//
// Threading: one thread.
class LogDump {
 public:
  using Print = std::function<void(std::string_view line)>;
  LogDump(FileSystem& file_system, DumpDetail detail, Print print);

  // A file, by its name; the files of a partition folder; or a log directory with all its partition folders.
  void dump(const std::string& path);
  std::int64_t problem_count() const { return problem_count_; }

 private:
  // A whole batch of the segment that is being read.
  struct SeenBatch {
    std::int64_t position;
    std::int64_t last_offset;
    TimestampMs max_timestamp;
  };
  struct SeenSegment {
    std::string log_path;
    bool is_readable = false;
    std::vector<SeenBatch> batches;  // by position, and so by offset
  };

  void dump_directory(const std::string& path);
  void dump_file(const std::string& path);

  // log_dump_segment.cc
  void dump_log(const std::string& path);
  void dump_batch(const File& file, const protocol::RecordBatchHeader& header, FilePosition position);
  void dump_records(const protocol::RecordBatchHeader& header, ByteView batch);
  void dump_offset_index(const std::string& path);
  void dump_time_index(const std::string& path);
  // The batches of the .log beside the index, read again only for another one.
  const SeenSegment& segment_of(const std::string& path);
  SeenSegment read_segment(const std::string& log_path);

  // log_dump.cc
  void dump_snapshot(const std::string& path);
  void dump_epochs(const std::string& path);
  void dump_offset_checkpoint(const std::string& path);
  void dump_recovery_points(const std::string& path);
  void dump_text(const std::string& path);

  void title(const std::string& line) { print_(line); }
  void line(DumpDetail least, const std::string& text, const std::string& problem = "");
  void problem(const std::string& text, const Error& error) {
    line(DumpDetail::problems, text, error.describe());
  }
  bool reads_records() const { return detail_ != DumpDetail::batches; }

  FileSystem& file_system_;
  const DumpDetail detail_;
  const Print print_;
  std::int64_t problem_count_ = 0;
  SeenSegment seen_;
};

}  // namespace sillok::storage
