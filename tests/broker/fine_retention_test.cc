#include "broker/fine_retention.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/partition_fixture.h"

namespace sillok::tests {
namespace {

using broker::apply_fine_retention;

constexpr TimestampMs kHour = 3'600'000;

storage::LogConfig with_bound() {
  storage::LogConfig config;
  config.retention_ms = kHour;
  config.retention_bound_ms = 1000;
  return config;
}

storage::LogConfig with_budget(ByteCount bytes) {
  storage::LogConfig config;
  config.retention_topic_bytes = bytes;
  return config;
}

void append(PartitionFixture& f, TimestampMs timestamp, std::size_t size = 10) {
  f.append(batch().record("k", std::string(size, 'v'), timestamp), broker::Acks::leader)->wait_for(1);
}

Offset log_start(const PartitionFixture& f) { return f.partition->log().log_start(); }

TEST_CASE("fine retention: a record goes at its time, though its segment has younger ones") {
  PartitionFixture f(with_bound());
  for (TimestampMs timestamp : {0, 10, 20, 30}) append(f, kBatchTimestamp + timestamp);
  const std::vector partitions{f.partition};
  apply_fine_retention(partitions, kBatchTimestamp + kHour + 15);
  CHECK(log_start(f) == Offset(2));
  CHECK(f.partition->log().segment_count() == 1);
  apply_fine_retention(partitions, kBatchTimestamp + kHour + 20);  // at its deadline a record is still there
  CHECK(log_start(f) == Offset(2));
}

TEST_CASE("fine retention: when all are over, the segment goes with them, and appends go on") {
  PartitionFixture f(with_bound());
  append(f, kBatchTimestamp);
  append(f, kBatchTimestamp + 1);
  apply_fine_retention(std::vector{f.partition}, kBatchTimestamp + kHour + 2);
  CHECK(log_start(f) == Offset(2));
  CHECK(f.partition->log().size() == 0);
  append(f, kBatchTimestamp + kHour);
  CHECK(f.partition->high_watermark().offset == Offset(3));
}

TEST_CASE("fine retention: what nobody may see yet stays") {
  PartitionFixture f(with_bound());
  const auto held = f.faults.stall({FileCall::sync, ".log"});
  const auto sink = f.append(batch().record("k", "v", kBatchTimestamp), broker::Acks::all);
  held->wait_until_reached();
  apply_fine_retention(std::vector{f.partition}, kBatchTimestamp + 2 * kHour);
  CHECK(log_start(f) == Offset(0));
  held->release();
  sink->wait_for(1);
  apply_fine_retention(std::vector{f.partition}, kBatchTimestamp + 2 * kHour);
  CHECK(log_start(f) == Offset(1));
}

TEST_CASE("fine retention: a record without a timestamp is as old as what came after it, or as its segment") {
  PartitionFixture f(with_bound());
  const TimestampMs now = f.clock.wall_ms();
  const auto without = [&] { append(f, kNoTimestamp); };
  without();
  without();
  apply_fine_retention(std::vector{f.partition}, now);
  CHECK(log_start(f) == Offset(0));
  append(f, now - 2 * kHour);
  without();
  append(f, now);
  apply_fine_retention(std::vector{f.partition}, now);
  CHECK(log_start(f) == Offset(3));
  apply_fine_retention(std::vector{f.partition}, now + kHour);
  CHECK(log_start(f) == Offset(3));
  apply_fine_retention(std::vector{f.partition}, now + kHour + 1);
  CHECK(log_start(f) == Offset(5));
  without();
  apply_fine_retention(std::vector{f.partition}, now + kHour);
  CHECK(log_start(f) == Offset(5));
  apply_fine_retention(std::vector{f.partition}, now + kHour + 1);
  CHECK(log_start(f) == Offset(6));
}

TEST_CASE("fine retention: one partition that cannot give way keeps no other from it") {
  const ByteCount budget = 8 << 20;
  PartitionFixture stuck(with_budget(budget));
  PartitionFixture other(with_budget(budget));
  const std::vector partitions{stuck.partition, other.partition};
  for (int i = 0; i < 6; ++i) append(stuck, kBatchTimestamp, 900'000);
  apply_fine_retention(partitions, kBatchTimestamp);
  for (int i = 0; i < 3; ++i) append(other, kBatchTimestamp + 1, 900'000);
  apply_fine_retention(partitions, kBatchTimestamp);
  append(other, kBatchTimestamp + 2, 900'000);
  stuck.faults.fail({FileCall::rename, "00000000000000000000.log"}, Errc::io_error);
  append(stuck, kBatchTimestamp + 3, 900'000);
  append(other, kBatchTimestamp + 3, 900'000);
  apply_fine_retention(partitions, kBatchTimestamp + 3);
  CHECK(log_start(other) > Offset(0));
}

TEST_CASE("fine retention: without the setting a segment stays until its last record is over") {
  storage::LogConfig config = with_bound();
  SECTION("no bound") { config.retention_bound_ms = -1; }
  SECTION("no retention") { config.retention_ms = -1; }
  SECTION("compacted only") { config.cleanup_delete = false; }
  PartitionFixture f(config);
  append(f, kBatchTimestamp);
  append(f, kBatchTimestamp + 2 * kHour);
  apply_fine_retention(std::vector{f.partition}, kBatchTimestamp + kHour + 1);
  CHECK(log_start(f) == Offset(0));
  f.partition->set_config(with_bound());
  apply_fine_retention(std::vector{f.partition}, kBatchTimestamp + kHour + 1);
  CHECK(log_start(f) == Offset(1));
}

TEST_CASE("fine retention: a topic's budget is for all its partitions, and the oldest segment goes first") {
  const ByteCount budget = 16 << 20;
  PartitionFixture old(with_budget(budget));
  PartitionFixture young(with_budget(budget));
  const std::vector partitions{old.partition, young.partition};
  const auto fill = [&](PartitionFixture& f, TimestampMs timestamp) {
    for (int i = 0; i < 10; ++i) {
      append(f, timestamp + i, 900'000);
      apply_fine_retention(partitions, timestamp + i);
    }
  };
  const auto total = [&] { return old.partition->log().size() + young.partition->log().size(); };
  fill(old, kBatchTimestamp);
  CHECK(log_start(old) == Offset(0));
  fill(young, kBatchTimestamp + kHour);
  CHECK(total() <= budget);
  CHECK(total() > budget / 2);
  CHECK(log_start(old) > Offset(0));
  CHECK(log_start(young) == Offset(0));
}

TEST_CASE("fine retention: what else goes with a topic's oldest segment counts for its budget too") {
  storage::LogConfig config;
  config.segment_bytes = 1'000'000;
  PartitionFixture large(config);
  PartitionFixture small(config);
  append(large, kBatchTimestamp, 900'000);
  append(small, kBatchTimestamp + 1, 900'000);
  append(small, kBatchTimestamp + 2, 900'000);
  for (int i = 3; i < 12; ++i) append(large, kBatchTimestamp + i, 900'000);
  config.retention_bytes = 5 * 900'000;
  config.retention_topic_bytes = large.partition->log().size() + small.partition->log().size() - 1'000'000;
  for (PartitionFixture* f : {&large, &small}) f->partition->set_config(config);
  apply_fine_retention(std::vector{large.partition, small.partition}, kBatchTimestamp + 12);
  CHECK(log_start(large) == Offset(5));
  CHECK(log_start(small) == Offset(0));
  config.retention_topic_bytes = 3'000'000;
  for (PartitionFixture* f : {&large, &small}) f->partition->set_config(config);
  apply_fine_retention(std::vector{large.partition, small.partition}, kBatchTimestamp + 12);
  CHECK(large.partition->log().size() + small.partition->log().size() <= 3'000'000);
  CHECK(large.partition->log().size() + small.partition->log().size() > 2'000'000);
  CHECK(log_start(small) == Offset(1));
}

TEST_CASE("fine retention: a budget below a segment of each partition deletes no active segment") {
  PartitionFixture f(with_budget(1000));
  for (int i = 0; i < 5; ++i) append(f, kBatchTimestamp, 1000);
  apply_fine_retention(std::vector{f.partition}, kBatchTimestamp);
  CHECK(log_start(f) == Offset(0));
}

}  // namespace
}  // namespace sillok::tests
