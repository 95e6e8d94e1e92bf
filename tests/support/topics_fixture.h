// Topics over a metadata store in memory, whose process can be started again.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/metadata/local_store.h"
#include "broker/metadata/topics.h"
#include "tests/support/fake_partition_host.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

struct TopicsFixture {
  TopicsFixture() { REQUIRE(memory.make_directories("/data").ok()); }

  // The first start, or the one after a stop or a crash.
  void start() {
    topics.reset();
    store.reset();
    notes.clear();
    host.restart();
    auto opened = broker::LocalStore::open({&files, &clock, "/data"}, notes);
    REQUIRE(opened.ok());
    store = std::move(opened).value();
    topics = std::make_unique<broker::Topics>(config, *store, host);
    const auto loaded = topics->load(notes);
    INFO((loaded.ok() ? std::string() : loaded.error().describe()));
    REQUIRE(loaded.ok());
  }

  ManualClock clock;
  MemFileSystem memory;
  FaultFileSystem files{memory};
  FakePartitionHost host;
  broker::Config config;
  std::vector<std::string> notes;
  std::unique_ptr<broker::LocalStore> store;
  std::unique_ptr<broker::Topics> topics;
};

}  // namespace sillok::tests
