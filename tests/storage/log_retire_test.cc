// A deleted log may still be in use by a flush, a read or a sweep when another log takes its folder's name.
#include <future>
#include <map>

#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;

// Two segments, several dirty files, one file that waits for its deletion and one producer.
void fill(LogFixture& f) {
  f.create();
  f.append(batch().producer(7, 0, 0).records(1));
  f.append_until_roll();
  f.append_until_roll();
  REQUIRE(f.log->flush().ok());
  REQUIRE(f.log->set_log_start(f.log->log_end().offset).ok());
  REQUIRE(f.log->clean_up(f.clock.wall_ms(), f.log->log_end().offset).ok());
  f.append_until_roll();
  f.append_many(2);
}

std::map<std::string, Bytes> contents(LogFixture& f) {
  std::map<std::string, Bytes> found;
  for (const std::string& name : f.names()) found[name] = f.content(name);
  return found;
}

template <class R>
bool is_closed(const R& result) {
  return !result.ok() && result.error().code == Errc::closed;
}

// The old log, when a new one has its folder's name.
std::unique_ptr<Log> replaced(LogFixture& f) {
  auto old = std::move(f.log);
  old->retire();
  REQUIRE(f.faults.rename(kLogDirectory, "/data/deleted").ok());
  for (const std::int64_t base : {0, 40, 80}) f.cache->forget(f.path(f.file_name(base, ".log")));
  f.create();
  return old;
}

TEST_CASE("retire: a deleted log changes nothing in the folder of a new log of its name") {
  LogFixture f;
  fill(f);
  const auto old = replaced(f);
  f.append_many(3);
  const auto before = contents(f);
  const CallCounts calls = f.disk.calls();
  const Offset end = old->log_end().offset;
  Bytes bytes = batch().records(1);
  AppendEntry entry = entry_of(bytes);
  CHECK(is_closed(old->append_as_leader({&entry, 1}, LeaderEpoch(9))));
  CHECK(is_closed(old->append_as_follower(bytes)));
  CHECK(is_closed(old->flush()));
  CHECK(is_closed(old->roll()));
  CHECK(is_closed(old->assign_leader_epoch(LeaderEpoch(9))));
  CHECK(is_closed(old->clean_up(f.clock.wall_ms(), end)));
  CHECK(is_closed(old->truncate_to(end - 1)));
  CHECK(is_closed(old->truncate_fully_and_start_at(Offset(0))));
  f.clock.advance(std::chrono::hours(1));
  CHECK(old->remove_deleted_files(f.clock.steady()).ok());
  (void)old->recovery_point();
  CHECK(is_closed(old->close()));
  CHECK(old->health() == LogHealth::healthy);
  CHECK(contents(f) == before);
  CHECK(f.disk.calls().writes == calls.writes);
  CHECK(f.disk.calls().syncs == calls.syncs);
}

TEST_CASE("retire: a deleted log reads what it has open, and never the file of a new log of its name") {
  LogFixture f;
  f.create();
  f.append(batch().record("k", "old"));
  const auto slice = f.log->read(Offset(0), f.log->log_end(), 100, Log::FirstBatch::whole, IoMode::may_block);
  const bool stays_open = GENERATE(true, false);
  if (!stays_open) {
    f.reopen(LogFixture::Stop::clean);
  }
  const auto old = replaced(f);
  f.append(batch().record("k", "new"));
  const auto again = old->read(Offset(0), old->log_end(), 100, Log::FirstBatch::whole, IoMode::may_block);
  if (stays_open) {
    REQUIRE(again.ok());
    CHECK(again->file == slice->file);
  } else {
    CHECK(is_closed(again));
    CHECK(is_closed(old->find_timestamp(0, old->log_end().offset)));
  }
}

TEST_CASE("retire: it waits for the flush that runs, and nothing is written once it returns") {
  LogFixture f;
  fill(f);
  const auto stall = f.faults.stall({FileCall::sync, ".log"});
  auto flushed = std::async(std::launch::async, [&] { return f.log->flush(); });
  stall->wait_until_reached();
  auto calls = std::async(std::launch::async, [&] {
    f.log->retire();
    return f.disk.calls();
  });
  CHECK(calls.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  stall->release();
  CHECK(flushed.get().ok());
  const CallCounts at_return = calls.get();
  CHECK(f.disk.calls().writes == at_return.writes);
  CHECK(f.disk.calls().syncs == at_return.syncs);
}

TEST_CASE("close: nothing is written to a closed log, and its recovery point is that of the end") {
  LogFixture f;
  fill(f);
  REQUIRE(f.log->close().ok());
  const auto before = contents(f);
  CHECK(is_closed(f.try_append(batch().records(1))));
  CHECK(is_closed(f.log->flush()));
  CHECK(is_closed(f.log->roll()));
  CHECK(is_closed(f.log->assign_leader_epoch(LeaderEpoch(9))));
  const RecoveryPoint point = f.log->recovery_point();
  CHECK(point.offset == f.log->log_end().offset);
  CHECK(point.offset_index.entry_count > 0);
  CHECK(contents(f) == before);
}

}  // namespace
}  // namespace sillok::tests
