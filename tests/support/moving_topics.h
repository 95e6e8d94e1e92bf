// Three log directories in memory, with topics and their metadata over them, whose process ends and starts
// again.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/metadata/local_store.h"
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/topics.h"
#include "tests/support/moves_fixture.h"

namespace sillok::tests {

struct MovingTopics : MovesFixture {
  MovingTopics() { load(); }

  void load() {
    auto opened = broker::LocalStore::open({&files, &clock, "/a"}, notes);
    REQUIRE(opened.ok());
    store = std::move(opened).value();
    topics = std::make_unique<broker::Topics>(broker_config, *store, *partitions);
    moves->use(*topics);
    const auto loaded = topics->load(notes);
    INFO((loaded.ok() ? std::string() : loaded.error().describe()));
    REQUIRE(loaded.ok());
    moves->run();
  }
  void crash_and_start(std::uint64_t seed, CrashMode mode) {
    crash(seed, mode);
    start_again();
  }
  void start_again(std::string_view away = "", Away how = Away::missing) {
    topics.reset();
    store.reset();
    notes.clear();
    start(away, how);
    load();
  }
  void create_topic() {
    broker::NewTopic wanted;
    wanted.name = kTopic;
    wanted.partition_count = 1;
    REQUIRE(topics->create({wanted}, broker::ValidateOnly::no).at(0).error == protocol::ErrorCode::none);
  }
  broker::PlacementRecord placement() const {
    const auto records = store->range(broker::kPlacementKeyPrefix);
    REQUIRE(records.ok());
    REQUIRE(records->size() == 1);
    return broker::decode_placement_record(records->at(0).key, records->at(0).value).value();
  }
  std::string path_if_served() const {
    const auto found = partitions->find(kTopic, PartitionIndex(0));
    return found.partition ? partitions->path(partitions->place_of(*found.partition)) : "";
  }
  Uuid id_of(std::size_t directory) const { return directories[directory]->id; }
  bool has_folder(std::size_t directory) const {
    return directories[directory]->log_dir->has_folder({kTopic, PartitionIndex(0)});
  }
  std::size_t folder_count() const {
    std::size_t count = 0;
    for (std::size_t p = 0; p < directories.size(); ++p) count += has_folder(p) || has_future(p) ? 1 : 0;
    return count;
  }
  // Two records each, confirmed, of a producer that goes on numbering.
  void write(int batch_count) {
    for (int i = 0; i < batch_count; ++i, next_sequence_ += 2) {
      const auto sink = append(batch().producer(7, 0, next_sequence_).records(2), broker::Acks::all);
      sink->wait_for(1);
      REQUIRE(sink->told().at(0).result.error == protocol::ErrorCode::none);
    }
  }
  // To the end.
  void move(const std::string& to) {
    REQUIRE(move_to(to) == protocol::ErrorCode::none);
    finish();
    REQUIRE(path() == to);
  }
  // The same, and the folder in the directory `from` cannot be removed.
  void move_and_leave_source(const std::string& from, const std::string& to) {
    files.fail({FileCall::rename, from + "/orders"}, Errc::io_error);
    move(to);
    files.clear();
    REQUIRE(placement().out.size() == 1);
  }
  // Consumers see what is recovered once that is on disk.
  void settle() const {
    REQUIRE(partition()->pause().ok());
    partition()->resume();
  }

  broker::Config broker_config;
  std::vector<std::string> notes;
  std::unique_ptr<broker::LocalStore> store;
  std::unique_ptr<broker::Topics> topics;

 private:
  std::int32_t next_sequence_ = 0;
};

// Calls `ends_before(nth)` for the process to end at the nth call of the disk, until that comes after all.
template <class EndsBefore>
void for_each_call(const EndsBefore& ends_before) {
  constexpr std::int64_t kCallsMax = 2000;
  std::int64_t nth = 1;
  for (; nth < kCallsMax; ++nth) {
    INFO("call " << nth);
    if (!ends_before(nth)) break;
  }
  CHECK(nth > 30);
  CHECK(nth < kCallsMax);
}

}  // namespace sillok::tests
