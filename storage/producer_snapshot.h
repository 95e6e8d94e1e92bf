// `<offset>.snapshot`: what the producers of a partition had written up to an offset. Layout:
// storage/FORMAT.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/ids.h"
#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::storage {

inline constexpr ByteCount kProducerSnapshotSizeMax = 256 << 20;

// A producer and the last of its batches: the format has room for no more.
struct ProducerSnapshotEntry {
  ProducerId producer_id;
  ProducerEpoch epoch;
  std::int32_t last_sequence = -1;
  Offset last_offset{-1};                // -1: the producer is known, but no batch of it
  std::int32_t offset_delta = 0;         // last offset - base offset of the batch
  TimestampMs timestamp = kNoTimestamp;  // of the last batch
  std::int32_t coordinator_epoch = -1;
  Offset open_transaction_offset{-1};  // where it began; -1: none
  friend bool operator==(const ProducerSnapshotEntry&, const ProducerSnapshotEntry&) = default;
};

Bytes serialize_producer_snapshot(std::span<const ProducerSnapshotEntry> entries);
// Errc::corrupt at any doubt, or unsupported_version: what a snapshot says can be had from the log as well.
Result<std::vector<ProducerSnapshotEntry>> parse_producer_snapshot(ByteView file);

// Errc::not_found where there is none.
Result<std::vector<ProducerSnapshotEntry>> read_producer_snapshot(FileSystem& file_system,
                                                                  const std::string& directory,
                                                                  Offset offset);
// Durability: on disk when it returns.
Result<void> write_producer_snapshot(FileSystem& file_system, const std::string& directory, Offset offset,
                                     std::span<const ProducerSnapshotEntry> entries);

}  // namespace sillok::storage
