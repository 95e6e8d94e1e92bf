// Reliability rule A9: what is derived from the log may be lost, stale or garbage.
#include <functional>
#include <map>
#include <random>

#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::tests {
namespace {

using namespace sillok::storage;
using Stop = LogFixture::Stop;

// Every answer that the log gives by offset and by time.
struct Answers {
  std::vector<Bytes> reads;
  std::vector<std::int64_t> times;
  std::int64_t greatest = -1;
  std::int64_t end = -1;
  LeaderEpoch epoch;
  bool operator==(const Answers&) const = default;
};

Answers ask(LogFixture& f) {
  Answers answers;
  answers.end = f.end();
  answers.epoch = f.log->leader_epoch_at(Offset(30));
  for (std::int64_t offset = 0; offset < f.end(); offset += 3) {
    auto bytes = f.read(offset, 10);
    INFO(offset << (bytes.ok() ? "" : bytes.error().describe()));
    REQUIRE(bytes.ok());
    answers.reads.push_back(*bytes);
  }
  for (TimestampMs time = 990; time < 1230; time += 7) {
    const auto found = f.log->find_timestamp(time, Offset(f.end()));
    INFO(time << (found.ok() ? "" : found.error().describe()));
    REQUIRE(found.ok());
    answers.times.push_back(*found ? (*found)->offset.value : -1);
  }
  const auto greatest = f.log->find_max_timestamp(Offset(f.end()));
  REQUIRE(greatest.ok());
  answers.greatest = (*greatest)->offset.value;
  return answers;
}

struct Damage {
  const char* name;
  std::function<void(LogFixture&, const std::string&, const Bytes& early)> inflict;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"missing", [](LogFixture& f, const std::string& name, const Bytes&) { f.remove(name); }},
      {"empty", [](LogFixture& f, const std::string& name, const Bytes&) { f.put(name, {}); }},
      {"zeroed", [](LogFixture& f, const std::string& name,
                    const Bytes&) { f.put(name, Bytes(f.content(name).size())); }},
      {"cut inside an entry",
       [](LogFixture& f, const std::string& name, const Bytes&) {
         Bytes bytes = f.content(name);
         bytes.resize(bytes.size() / 2 / 24 * 24 + 5);
         f.put(name, bytes);
       }},
      {"cut between entries",
       [](LogFixture& f, const std::string& name, const Bytes&) {
         Bytes bytes = f.content(name);
         bytes.resize(bytes.size() / 2 / 24 * 24);
         f.put(name, bytes);
       }},
      {"stale", [](LogFixture& f, const std::string& name, const Bytes& early) { f.put(name, early); }},
      {"garbage",
       [](LogFixture& f, const std::string& name, const Bytes&) {
         Bytes bytes = f.content(name);
         std::mt19937 random(3);
         for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
         f.put(name, bytes);
       }},
      {"longer",
       [](LogFixture& f, const std::string& name, const Bytes&) {
         Bytes bytes = f.content(name);
         bytes.resize(bytes.size() + 240);
         f.put(name, bytes);
       }},
  };
  return all;
}

void fill(LogFixture& f, int count) {
  for (int i = 0; i < count; ++i) {
    const TimestampMs time = 1000 + 2 * f.end();
    f.append(batch().record("k", "value", time).record("k", "value", time + 1), f.end() < 20 ? 0 : 1);
  }
}

void check_every_file_and_damage(Stop stop) {
  for (const Damage& damage : damages()) {
    for (std::size_t file = 0;; ++file) {
      LogFixture f;
      f.create();
      fill(f, 10);
      REQUIRE(f.log->flush().ok());
      std::map<std::string, Bytes> early;
      for (const std::string& name : f.names()) early[name] = f.content(name);
      fill(f, 100);
      REQUIRE(f.log->segment_count() >= 3);
      REQUIRE(f.log->flush().ok());
      const Answers before = ask(f);
      if (stop == Stop::clean) REQUIRE(f.log->close().ok());
      f.kill();
      std::vector<std::string> derived;
      for (const std::string& name : f.names()) {
        if (!name.ends_with(".log") && name != "partition.metadata") derived.push_back(name);
      }
      if (file == derived.size()) break;
      INFO(damage.name << " " << derived[file]);
      damage.inflict(f, derived[file], early[derived[file]]);
      f.open(stop == Stop::clean);
      CHECK(ask(f) == before);
      CHECK(f.log->health() == LogHealth::healthy);
      fill(f, 40);
      f.log->check_invariants();
      CHECK(f.offsets().size() == static_cast<std::size_t>(f.end()));
      CHECK(f.end() == before.end + 80);
    }
  }
}

TEST_CASE(
    "log: any derived file may be lost or wrong after a clean stop, and every lookup answers as before") {
  check_every_file_and_damage(Stop::clean);
}

TEST_CASE("log: indexes that were built anew reach the disk") {
  LogFixture f;
  f.create();
  f.append_until_roll();
  f.append_many(3);
  REQUIRE(f.log->flush().ok());
  const Bytes offsets = f.content(f.file_name(0, ".index"));
  const Bytes times = f.content(f.file_name(0, ".timeindex"));
  REQUIRE(f.log->close().ok());
  f.kill();
  f.put(f.file_name(0, ".index"), Bytes(3));
  f.open(true);
  REQUIRE(f.read(5, 100).ok());
  f.reopen(Stop::clean);
  CHECK(f.content(f.file_name(0, ".index")) == offsets);
  CHECK(f.content(f.file_name(0, ".timeindex")) == times);
}

TEST_CASE("log: an index without entries beside a long segment is built anew") {
  LogConfig config = LogFixture::small_config();
  config.segment_bytes = 200 << 10;
  LogFixture f(config);
  f.create();
  while (f.log->segment_count() == 1) f.append(batch().record("key", std::string(2'000, 'x')));
  REQUIRE(f.log->flush().ok());
  const std::int64_t last = f.log->log_end().segment_base.value - 1;
  const Bytes offsets = f.content(f.file_name(0, ".index"));
  REQUIRE(f.log->close().ok());
  f.kill();
  f.put(f.file_name(0, ".index"), {});
  SECTION("where the interval is as it was") { f.open(true); }
  SECTION("where the interval is so great that it stays empty") {
    f.options.config.index_interval_bytes = 1 << 30;
    f.open(true);
  }
  CHECK(f.read(last, 100, IoMode::resident_only).error().code == Errc::would_block);
  CHECK(f.read(last, 100).ok());
  CHECK(f.read(last, 100).ok());
  if (f.options.config.index_interval_bytes == 1) CHECK(f.content(f.file_name(0, ".index")) == offsets);
}

TEST_CASE("log: any derived file may be lost or wrong after kill -9, and every lookup answers as before") {
  check_every_file_and_damage(Stop::killed);
}

TEST_CASE(
    "log: an index that does not have the recovery point's checksum is built anew, and only that segment's") {
  LogFixture f;
  f.create();
  fill(f, 50);
  REQUIRE(f.log->flush().ok());
  const RecoveryPoint point = f.log->recovery_point();
  const std::string index = f.file_name(point.segment_base.value, ".index");
  const Answers before = ask(f);
  f.kill();
  Bytes bytes = f.content(index);
  REQUIRE(!bytes.empty());
  bytes.back() ^= std::byte{1};
  f.put(index, bytes);
  f.reopen_from(point);
  CHECK(f.report.rebuilt_index_count == 2);
  CHECK(f.report.scanned_bytes <= 4096);
  CHECK(ask(f) == before);
}

}  // namespace
}  // namespace sillok::tests
