// The small binary files with a checksum: producer snapshots and recovery points. The first bytes say which,
// and whether the checksum is made to fit.
#include "protocol/base/crc32c.h"
#include "storage/producer_snapshot.h"
#include "storage/recovery_points.h"
#include "tests/fuzz/target.h"

namespace sillok::fuzz {
namespace {

using namespace storage;

// In both the checksum stands behind the version, and covers all behind it.
constexpr std::size_t kCrcAt = 2;
constexpr std::size_t kCheckedFrom = kCrcAt + sizeof(std::uint32_t);

void fit(Bytes& file) {
  if (file.size() < kCheckedFrom) return;
  store_big_endian(file.data() + kCrcAt, crc32c(ByteView(file).subspan(kCheckedFrom)));
}

void read_snapshot(const Bytes& file) {
  const auto entries = parse_producer_snapshot(file);
  if (!entries.ok()) return;
  const auto again = parse_producer_snapshot(serialize_producer_snapshot(*entries));
  CHECK(again.ok());
  CHECK(*again == *entries);
}

void read_points(const Bytes& file) {
  const auto points = parse_recovery_points(file);
  if (!points.ok()) return;
  const auto again = parse_recovery_points(serialize_recovery_points(*points));
  CHECK(again.ok());
  CHECK(*again == *points);
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const bool is_snapshot = choices.flip();
  const bool fits = choices.flip();
  Bytes file(choices.rest().begin(), choices.rest().end());
  if (fits) fit(file);
  is_snapshot ? read_snapshot(file) : read_points(file);
}

std::vector<Bytes> seeds() {
  const std::vector<ProducerSnapshotEntry> entries = {
      {ProducerId(7), ProducerEpoch(1), 9, Offset(30), 4, 1'767'225'600'000, -1, Offset(-1)},
      {ProducerId(8), ProducerEpoch(0), -1, Offset(-1), 0, kNoTimestamp, 2, Offset(12)}};
  PartitionRecoveryPoint point;
  point.topic = "orders";
  point.partition = PartitionIndex(3);
  point.topic_id = TopicId{{1, 2}};
  point.point = {Offset(100), Offset(50), FilePosition(4096), LeaderEpoch(2), {7, 0x1234}, {3, 0x5678}};
  const std::vector<PartitionRecoveryPoint> points = {point};
  return {with_choices({1, 1}, serialize_producer_snapshot(entries)),
          with_choices({1, 0}, serialize_producer_snapshot(entries)),
          with_choices({1, 1}, serialize_producer_snapshot({})),
          with_choices({0, 1}, serialize_recovery_points(points)),
          with_choices({0, 0}, serialize_recovery_points(points)),
          with_choices({0, 1}, serialize_recovery_points({}))};
}

}  // namespace sillok::fuzz
