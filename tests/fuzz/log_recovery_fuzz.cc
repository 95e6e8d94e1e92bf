// A partition's folder, opened after a stop that was clean or not: segments, indexes, producer snapshot,
// leader epochs. What is served after it is sound; it can be read, appended to, closed and opened again.
//
// The first bytes say whether checksums are made to fit, whether the stop was clean, and where the recovery
// point is; then come the files, in the order of kFiles.
#include "storage/batch_walk.h"
#include "storage/file_cache.h"
#include "storage/log.h"
#include "storage/partition_metadata.h"
#include "storage/producer_snapshot.h"
#include "storage/recovery_points.h"
#include "storage/segment_recovery.h"
#include "tests/fuzz/disk.h"
#include "tests/support/batches.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::fuzz {
namespace {

using namespace storage;

const std::string kFolder = "/data/topic-0";
constexpr const char* kFiles[] = {"00000000000000000000.log",       "00000000000000000000.index",
                                  "00000000000000000000.timeindex", "leader-epoch-checkpoint",
                                  "00000000000000000004.snapshot",  "00000000000000000006.log"};
constexpr std::size_t kReadsMax = 10'000;

struct Folder {
  Folder() {
    CHECK(disk.make_directories(kFolder).ok());
    put_file(disk, kFolder + "/partition.metadata",
             as_bytes(serialize_partition_metadata(TopicId{{1, 2, 3}})));
    options.file_system = &disk;
    options.clock = &clock;
    options.directory = kFolder;
    options.config.segment_bytes = 4096;
    options.config.index_interval_bytes = 1;
    options.incarnation = 1;
  }
  Result<void> open(bool clean, const RecoveryPoint* point) {
    log.reset();
    cache = std::make_unique<FileCache>(disk, 16);
    options.file_cache = cache.get();
    options.clean = clean;
    options.recovery_point = point;
    ++options.incarnation;
    RecoveryReport report;
    log = TRY(Log::open(options, report));
    // After a clean stop the files are believed: what they say of each other is looked at when it is read.
    if (!clean) log->check_invariants();
    return {};
  }

  tests::MemFileSystem disk;
  tests::ManualClock clock;
  std::unique_ptr<FileCache> cache;
  LogOptions options;
  std::unique_ptr<Log> log;
};

enum class Trust { scanned, believed };

// From batch to batch.
void read_all(const Log& log, Trust trust) {
  Offset at = log.log_start();
  for (std::size_t i = 0; i < kReadsMax && at < log.log_end().offset; ++i) {
    const auto slice = log.read(at, log.log_end(), 1, Log::FirstBatch::whole, IoMode::may_block);
    if (!slice.ok() || slice->size == 0) return;
    Bytes bytes(static_cast<std::size_t>(slice->size));
    const auto count = slice->file->read_at(slice->position, bytes);
    CHECK(count.ok() && *count == bytes.size());
    const auto header = protocol::parse_record_batch_header(bytes);
    if (trust == Trust::scanned) {
      CHECK(header.ok() && header->size() <= bytes.size());
      CHECK(protocol::check_crc(*header, ByteView(bytes).first(header->size())).ok());
      CHECK(header->next_offset() > at);
    }
    if (!header.ok() || header->next_offset() <= at) return;
    at = header->next_offset();
  }
}

void use(Folder& folder) {
  Log& log = *folder.log;
  for (const TimestampMs time : {TimestampMs{0}, tests::kBatchTimestamp + 1})
    (void)log.find_timestamp(time, log.log_end().offset);
  Bytes bytes = tests::batch().records(2);
  AppendEntry entry;
  entry.batch = bytes;
  entry.header = tests::header_of(bytes);
  const Offset end = log.log_end().offset;
  constexpr LeaderEpoch kLatest{0x7fffffff};
  if (log.append_as_leader({&entry, 1}, kLatest).ok() && entry.status == AppendStatus::appended) {
    CHECK(entry.base_offset == end);
    CHECK(log.log_end().offset == end + 2);
  }
  (void)log.flush();
}

void scan(ByteView content, std::size_t durable_end) {
  tests::MemFileSystem disk;
  const auto file = put_file(disk, "/scanned", content);
  const FilePosition end(static_cast<std::int64_t>(content.size()));
  BatchWalk walk(*file, FilePosition(0), end, IoMode::may_block);
  FilePosition at(0);
  for (;;) {
    const auto place = walk.next();
    if (!place.ok() || !*place) break;
    CHECK((*place)->position == at && (*place)->end() <= end);
    at = (*place)->end();
  }
  const SegmentScanPlan plan{FilePosition(0), Offset(0),
                             FilePosition(static_cast<std::int64_t>(durable_end))};
  const auto scanned =
      scan_segment(*file, Offset(0), plan, end, [](const BatchPlace&) { return Result<void>(); });
  CHECK(scanned.ok() && scanned->end <= end);
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const bool fits = choices.flip();
  const bool is_clean = choices.flip();
  const std::size_t point_at = choices.choose(256);
  Folder folder;
  for (std::size_t i = 0; i < std::size(kFiles); ++i) {
    const ByteView part = choices.next_part();
    if (part.empty() && i != 0) continue;
    Bytes content(part.begin(), part.end());
    const bool is_log = std::string_view(kFiles[i]).ends_with(".log");
    if (fits && is_log) renew_batch_crcs(content);
    if (i == 0) scan(content, point_at);
    put_file(folder.disk, kFolder + "/" + kFiles[i], content);
  }
  RecoveryPoint point;
  point.offset = Offset(static_cast<std::int64_t>(point_at) / 16);
  point.position = FilePosition(static_cast<std::int64_t>(point_at));
  const bool has_point = point_at != 0;
  if (!folder.open(is_clean, has_point ? &point : nullptr).ok()) return;
  const Trust trust = is_clean ? Trust::believed : Trust::scanned;
  read_all(*folder.log, trust);
  use(folder);
  if (folder.log->health() != LogHealth::healthy) return;
  const Offset end = folder.log->log_end().offset;
  if (!folder.log->close().ok()) return;
  CHECK(folder.open(true, nullptr).ok());
  if (trust == Trust::scanned) CHECK(folder.log->log_end().offset == end);
}

std::vector<Bytes> seeds() {
  Folder folder;
  folder.options.file_cache = nullptr;
  CHECK(folder.disk.remove_directory_tree(kFolder).ok());
  folder.cache = std::make_unique<FileCache>(folder.disk, 16);
  folder.options.file_cache = folder.cache.get();
  folder.log = Log::create(folder.options, TopicId{{1, 2, 3}}).value();
  for (const auto& maker : {tests::batch().records(2), tests::batch().producer(7, 1, 0).records(2),
                            tests::batch().codec(protocol::Codec::lz4).records(2)}) {
    Bytes bytes = maker;
    AppendEntry entry;
    entry.batch = bytes;
    entry.header = tests::header_of(bytes);
    CHECK(folder.log->append_as_leader({&entry, 1}, LeaderEpoch(1)).ok());
  }
  CHECK(folder.log->flush().ok());
  CHECK(folder.log->close().ok());
  const Bytes next = tests::batch().at(6).leader_epoch(1).records(3);
  const ProducerSnapshotEntry producer = {
      ProducerId(7), ProducerEpoch(1), 1, Offset(3), 1, tests::kBatchTimestamp, -1, Offset(-1)};
  const auto part = [&](std::size_t i) {
    const std::string path = kFolder + "/" + kFiles[i];
    return folder.disk.exists(path).value() ? content_of(folder.disk, path) : Bytes();
  };
  const std::vector<Bytes> whole = {
      part(0), part(1), part(2), part(3), serialize_producer_snapshot({&producer, 1}), next};
  const std::vector<Bytes> one = {part(0), part(1), part(2), part(3)};
  std::vector<Bytes> all;
  for (const auto is_clean : {std::uint8_t{0}, std::uint8_t{1}}) {
    for (const auto point_at : {std::uint8_t{0}, std::uint8_t{100}}) {
      all.push_back(with_choices({1, is_clean, point_at}, in_parts(whole)));
      all.push_back(with_choices({0, is_clean, point_at}, in_parts(one)));
    }
  }
  all.push_back(with_choices({1, 0, 0}, in_parts({part(0)})));
  return all;
}

}  // namespace sillok::fuzz
