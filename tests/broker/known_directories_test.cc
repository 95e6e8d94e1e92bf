#include "broker/metadata/known_directories.h"

#include <catch2/catch.hpp>

#include "broker/metadata/local_store.h"
#include "broker/metadata/metadata_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {
namespace {

using namespace broker;
using Catch::Contains;

Uuid id_of(std::uint8_t number) {
  Uuid id = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");
  id.bytes.back() = number;
  return id;
}

struct StoreFixture {
  StoreFixture() {
    REQUIRE(memory.make_directories("/data").ok());
    std::vector<std::string> notes;
    auto opened = LocalStore::open({&memory, &clock, "/data"}, notes);
    REQUIRE(opened.ok());
    store = std::move(opened).value();
  }
  std::size_t known_count() const { return store->range(kDirectoryKeyPrefix)->size(); }

  ManualClock clock;
  MemFileSystem memory;
  std::unique_ptr<LocalStore> store;
};

TEST_CASE("known directories: one that is alone leaves nothing in the store") {
  StoreFixture f;
  const auto census = take_census(*f.store, std::vector<OpenDirectory>{{id_of(1), "/a"}}, {});
  REQUIRE(census.ok());
  CHECK(census->missing.empty());
  CHECK_FALSE(census->are_several);
  CHECK(f.known_count() == 0);
}

TEST_CASE("known directories: what is not there any more is missing, wherever the others are now") {
  StoreFixture f;
  REQUIRE(take_census(*f.store, std::vector<OpenDirectory>{{id_of(1), "/a"}, {id_of(2), "/b"}}, {}).ok());
  CHECK(f.known_count() == 2);
  auto census = take_census(*f.store, std::vector<OpenDirectory>{{id_of(1), "/other"}}, {});
  REQUIRE(census.ok());
  REQUIRE(census->missing.size() == 1);
  CHECK(census->missing[0].id == id_of(2));
  CHECK(census->missing[0].path == "/b");
  CHECK(census->are_several);
  REQUIRE(forget_directories(*f.store, census->missing).ok());
  census = take_census(*f.store, std::vector<OpenDirectory>{{id_of(1), "/other"}}, {});
  REQUIRE(census.ok());
  CHECK(census->missing.empty());
  CHECK_FALSE(census->are_several);
}

TEST_CASE("known directories: another one in the place of a missing one is a stranger, and not added") {
  StoreFixture f;
  const std::vector<OpenDirectory> before{{id_of(1), "/a"}, {id_of(2), "/b"}};
  REQUIRE(take_census(*f.store, before, {}).ok());
  const std::vector<OpenDirectory> now{{id_of(1), "/a"}, {id_of(3), "/b"}};
  for (int start = 0; start < 2; ++start) {
    const auto census = take_census(*f.store, now, {});
    REQUIRE(census.ok());
    CHECK(census->strangers == std::vector<std::size_t>{1});
    CHECK(census->missing.size() == 1);
  }
  const auto census = take_census(*f.store, now, std::vector{id_of(2), id_of(8)});
  REQUIRE(census.ok());
  REQUIRE(census->given_up.size() == 1);
  CHECK(census->given_up[0].path == "/b");
  CHECK(census->strangers.empty());
  CHECK(census->missing.empty());
  CHECK(f.known_count() == 2);
  // What was given up and is there all the same is not passed over.
  const auto refused = take_census(*f.store, before, std::vector{id_of(2)});
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error().detail, Contains("/b") && Contains("which is there"));
}

TEST_CASE("known directories: one that names other metadata is ours only if ours knows it") {
  StoreFixture f;
  const std::vector<OpenDirectory> named{{id_of(1), "/a"}, {id_of(2), "/b", id_of(9)}};
  const auto refused = take_census(*f.store, named, {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::invalid_config);
  CHECK_THAT(refused.error().detail, Contains("/b") && Contains(id_of(9).to_string()));
  REQUIRE(take_census(*f.store, std::vector<OpenDirectory>{{id_of(1), "/a"}, {id_of(2), "/b", id_of(1)}}, {})
              .ok());
  CHECK(take_census(*f.store, named, {}).ok());
}

TEST_CASE("known directories: the first one is known by its path where its id was lost") {
  StoreFixture f;
  REQUIRE(take_census(*f.store, std::vector<OpenDirectory>{{id_of(1), "/a"}, {id_of(2), "/b"}}, {}).ok());
  CHECK(*known_id_of(*f.store, {id_of(7), "/a"}) == id_of(1));
  CHECK(*known_id_of(*f.store, {id_of(1), "/a"}) == std::nullopt);
  CHECK(*known_id_of(*f.store, {id_of(1), "/b"}) == std::nullopt);
  CHECK(*known_id_of(*f.store, {id_of(7), "/c"}) == std::nullopt);
}

TEST_CASE("placement records: what is written is read, and nothing else is") {
  PlacementRecord record;
  record.in = {{0, id_of(1)}, {1, id_of(2)}, {2, id_of(1)}, {9'999, id_of(3)}};
  CHECK(*decode_placement_record("placement/x", encode(record)) == record);
  record.out = {{1, id_of(1)}};
  CHECK(*decode_placement_record("placement/x", encode(record)) == record);
  const std::string one = id_of(1).to_string();
  const std::string two = id_of(2).to_string();
  for (const std::string& value :
       {std::string(R"({"format":1})"), std::string(R"({"format":1,"in":[]})"),
        R"({"format":1,"in":{"here":[1]}})" + std::string(), R"({"format":1,"in":{")" + one + R"(":1}})",
        R"({"format":1,"in":{")" + one + R"(":[-1]}})",
        R"({"format":1,"in":{")" + one + R"(":[1],")" + two + R"(":[1]}})",
        R"({"format":1,"in":{},"out":{")" + one + R"(":["1"]}})"}) {
    INFO(value);
    const auto decoded = decode_placement_record("placement/x", value);
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().code == Errc::corrupt);
  }
}

}  // namespace
}  // namespace sillok::tests
