#include "storage/log_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown.h"
#include "storage/format.h"
#include "storage/leader_epochs.h"
#include "storage/meta_properties.h"
#include "storage/partition_folder.h"
#include "storage/partition_metadata.h"
#include "storage/producer_snapshot.h"
#include "storage/recovery_points.h"

namespace sillok::storage {
namespace {

constexpr ByteCount kTextFileSizeMax = 1 << 20;

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

LogDump::LogDump(FileSystem& file_system, DumpDetail detail, Print print)
    : file_system_(file_system), detail_(detail), print_(std::move(print)) {}

void LogDump::line(DumpDetail least, const std::string& text, const std::string& problem) {
  if (!problem.empty()) {
    ++problem_count_;
    print_(text + " PROBLEM: " + problem);
  } else if (detail_ >= least) {
    print_(text);
  }
}

void LogDump::dump(const std::string& path) {
  // Only a directory can be listed.
  if (file_system_.list_directory(path).ok()) return dump_directory(path);
  const auto exists = file_system_.exists(path);
  if (!exists.ok()) return problem("file " + path, exists.error());
  if (!*exists) return line(DumpDetail::problems, "file " + path, "not there");
  dump_file(path);
}

void LogDump::dump_directory(const std::string& path) {
  const auto entries = file_system_.list_directory(path);
  if (!entries.ok()) return problem("directory " + path, entries.error());
  // Indexes after their logs, by the order of names that a listing has.
  for (const DirectoryEntry& entry : *entries) {
    const std::string inner = join_path(path, entry.name);
    if (!entry.is_directory) {
      dump_file(inner);
    } else if (parse_partition_folder(entry.name) || is_deleted_folder(entry.name)) {
      title("directory " + inner);
      dump_directory(inner);
    } else {
      title("directory " + inner + " left out: no partition folder");
    }
  }
}

void LogDump::dump_file(const std::string& path) {
  const std::string name = file_name(path);
  const auto numbered = parse_offset_file_name(name);
  const std::string_view suffix = numbered ? numbered->suffix : std::string_view();
  // Other logs than those of partitions are made of the same batches.
  if (suffix == kLogSuffix || (!numbered && name.ends_with(kLogSuffix))) return dump_log(path);
  if (suffix == kOffsetIndexSuffix) return dump_offset_index(path);
  if (suffix == kTimeIndexSuffix) return dump_time_index(path);
  if (suffix == kSnapshotSuffix) return dump_snapshot(path);
  if (name == kLeaderEpochFileName) return dump_epochs(path);
  if (name == kRecoveryPointsName) return dump_recovery_points(path);
  if (name == kRecoveryPointCheckpointName || name == kLogStartCheckpointName ||
      name == kHighWatermarkCheckpointName) {
    return dump_offset_checkpoint(path);
  }
  if (name == kPartitionMetadataName || name == kMetaPropertiesName || name == kCleanShutdownName ||
      name == kIncarnationName) {
    return dump_text(path);
  }
  title("file " + path + " left out: not a file of a log");
}

void LogDump::dump_snapshot(const std::string& path) {
  title("snapshot " + path);
  const auto name = parse_offset_file_name(file_name(path));
  const auto entries = read_producer_snapshot(file_system_, parent_path(path), name->base);
  if (!entries.ok()) return problem("snapshot", entries.error());
  for (const ProducerSnapshotEntry& entry : *entries) {
    const bool past = entry.last_offset >= name->base;
    line(DumpDetail::batches,
         fmt::format(
             "producer id={} epoch={} last_sequence={} offsets={}..{} timestamp={} coordinator_epoch={} "
             "transaction_start={}",
             entry.producer_id.value, entry.epoch.value, entry.last_sequence,
             entry.last_offset.value - entry.offset_delta, entry.last_offset.value, entry.timestamp,
             entry.coordinator_epoch, entry.open_transaction_offset.value),
         past ? "its last batch is past the snapshot's offset" : "");
  }
}

void LogDump::dump_epochs(const std::string& path) {
  title("leader epochs " + path);
  const auto epochs = LeaderEpochs::read(file_system_, parent_path(path));
  if (!epochs.ok()) return problem("leader epochs", epochs.error());
  for (const LeaderEpochEntry& entry : epochs->entries()) {
    line(DumpDetail::batches,
         fmt::format("epoch={} start_offset={}", entry.epoch.value, entry.start_offset.value));
  }
}

void LogDump::dump_offset_checkpoint(const std::string& path) {
  title("checkpoint " + path);
  const auto entries = read_offset_checkpoint(file_system_, path);
  if (!entries.ok()) return problem("checkpoint", entries.error());
  for (const PartitionOffset& entry : *entries) {
    line(DumpDetail::batches,
         fmt::format("partition={}-{} offset={}", entry.topic, entry.partition.value, entry.offset.value));
  }
}

void LogDump::dump_recovery_points(const std::string& path) {
  title("recovery points " + path);
  const auto points = read_recovery_points(file_system_, parent_path(path));
  if (!points.ok()) return problem("recovery points", points.error());
  for (const PartitionRecoveryPoint& entry : *points) {
    const RecoveryPoint& point = entry.point;
    line(DumpDetail::batches,
         fmt::format("partition={}-{} offset={} segment={} position={} leader_epoch={} index_entries={} "
                     "time_index_entries={}",
                     entry.topic, entry.partition.value, point.offset.value, point.segment_base.value,
                     point.position.value, point.leader_epoch.value, point.offset_index.entry_count,
                     point.time_index.entry_count));
  }
}

// Short files for people: their lines as they are, and whether they would be accepted.
void LogDump::dump_text(const std::string& path) {
  title("file " + path);
  const auto text = read_file(file_system_, path, kTextFileSizeMax);
  if (!text.ok()) return problem("file", text.error());
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    std::string shown = text->substr(begin, end - begin);
    std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    line(DumpDetail::batches, "text " + shown);
    begin = end + 1;
  }
  const std::string name = file_name(path);
  const auto report = [this](const auto& parsed) {
    if (!parsed.ok()) problem("file", parsed.error());
  };
  if (name == kPartitionMetadataName) report(parse_partition_metadata(*text));
  if (name == kMetaPropertiesName) report(parse_meta_properties(*text));
  if (name == kCleanShutdownName) report(parse_clean_shutdown_mark(*text));
}

}  // namespace sillok::storage
