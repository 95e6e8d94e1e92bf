#include "storage/journal_pins.h"

#include <catch2/catch.hpp>
#include <set>

#include "tests/support/journal_fixture.h"

namespace sillok::storage {
namespace {

using tests::journal_key;

const JournalKey kFirst = journal_key(0);
const JournalKey kOther = journal_key(1);

struct Target final : FlushTarget {
  void flush() override {}
};

TEST_CASE("journal pins: the oldest frame is that of the partition that was longest not synced") {
  JournalPins pins;
  CHECK_FALSE(pins.oldest().has_value());
  pins.add(kFirst, 5, {});
  pins.add(kOther, 6, {});
  pins.add(kFirst, 7, {});
  CHECK(pins.oldest() == 5u);
  pins.sync_begins(kFirst);
  CHECK(pins.oldest() == 5u);  // it may fail yet
  pins.sync_succeeded(kFirst);
  CHECK(pins.oldest() == 6u);
  pins.sync_begins(kOther);
  pins.sync_succeeded(kOther);
  CHECK_FALSE(pins.oldest().has_value());
}

TEST_CASE("journal pins: what came while a sync ran stays, from the first such frame on") {
  JournalPins pins;
  pins.add(kFirst, 5, {});
  pins.sync_begins(kFirst);
  pins.add(kFirst, 8, {});
  pins.add(kFirst, 9, {});
  CHECK(pins.oldest() == 5u);
  pins.sync_succeeded(kFirst);
  CHECK(pins.oldest() == 8u);
  pins.sync_begins(kFirst);
  pins.sync_succeeded(kFirst);
  CHECK_FALSE(pins.oldest().has_value());
}

TEST_CASE("journal pins: a partition's first frame during its sync stays as well") {
  JournalPins pins;
  pins.sync_begins(kFirst);
  pins.add(kFirst, 3, {});
  pins.sync_succeeded(kFirst);
  CHECK(pins.oldest() == 3u);
}

TEST_CASE("journal pins: a sync that failed changes nothing, and the next one counts for all before it") {
  JournalPins pins;
  pins.add(kFirst, 5, {});
  pins.sync_begins(kFirst);
  pins.add(kFirst, 6, {});
  // No success.
  CHECK(pins.oldest() == 5u);
  pins.sync_begins(kFirst);
  pins.sync_succeeded(kFirst);
  CHECK_FALSE(pins.oldest().has_value());
}

TEST_CASE("journal pins: a sync of a partition that has nothing there is no harm") {
  JournalPins pins;
  pins.sync_begins(kFirst);
  pins.sync_succeeded(kFirst);
  pins.sync_succeeded(kFirst);
  pins.release(kFirst);
  CHECK_FALSE(pins.oldest().has_value());
}

TEST_CASE("journal pins: a sync from before a release says nothing of frames after it") {
  JournalPins pins;
  pins.add(kFirst, 5, {});
  pins.sync_begins(kFirst);
  pins.release(kFirst);
  CHECK_FALSE(pins.oldest().has_value());
  pins.add(kFirst, 6, {});
  pins.sync_succeeded(kFirst);
  CHECK(pins.oldest() == 6u);
}

TEST_CASE("journal pins: a partition that is released needs nothing, and the others need what they did") {
  JournalPins pins;
  pins.add(kFirst, 5, {});
  pins.add(kOther, 5, {});
  pins.release(kFirst);
  CHECK(pins.oldest() == 5u);
  pins.release(kOther);
  CHECK_FALSE(pins.oldest().has_value());
}

TEST_CASE("journal pins: only the partitions that are kept need anything") {
  JournalPins pins;
  for (std::int32_t i = 0; i < 5; ++i) pins.add(journal_key(i), static_cast<std::uint64_t>(i) + 1, {});
  pins.keep_only({journal_key(2), journal_key(4), journal_key(77)});
  CHECK(pins.oldest() == 3u);
  pins.release(journal_key(2));
  CHECK(pins.oldest() == 5u);
  pins.keep_only({});
  CHECK_FALSE(pins.oldest().has_value());
}

TEST_CASE("journal pins: who needs frames up to one is asked, but nobody who is gone") {
  JournalPins pins;
  const auto first = std::make_shared<Target>();
  const auto other = std::make_shared<Target>();
  auto gone = std::make_shared<Target>();
  pins.add(kFirst, 1, first);
  pins.add(kOther, 4, other);
  pins.add(journal_key(2), 2, gone);
  pins.add(journal_key(3), 2, {});  // of an earlier run
  gone.reset();
  const auto holders = [&](std::uint64_t sequence) {
    std::vector<std::shared_ptr<FlushTarget>> all;
    pins.holders(sequence, all);
    return std::set<std::shared_ptr<FlushTarget>>(all.begin(), all.end());
  };
  CHECK(holders(0).empty());
  CHECK(holders(1) == std::set<std::shared_ptr<FlushTarget>>{first});
  CHECK(holders(3) == std::set<std::shared_ptr<FlushTarget>>{first});
  CHECK(holders(4) == std::set<std::shared_ptr<FlushTarget>>{first, other});
  pins.sync_begins(kFirst);
  pins.sync_succeeded(kFirst);
  CHECK(holders(9) == std::set<std::shared_ptr<FlushTarget>>{other});
  // A partition of an earlier run that wrote again.
  const auto back = std::make_shared<Target>();
  pins.add(journal_key(3), 9, back);
  CHECK(holders(2) == std::set<std::shared_ptr<FlushTarget>>{back});
}

}  // namespace
}  // namespace sillok::storage
