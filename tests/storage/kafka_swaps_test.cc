// A compaction of Kafka's that a kill interrupted, at each step of it, and the starts that bring it to an
// end.
#include <algorithm>
#include <functional>
#include <numeric>

#include "storage/format.h"
#include "tests/support/log_fixture.h"

namespace sillok::storage {
namespace {

using tests::LogFixture;

const std::vector<std::string> kSuffixes{".log", ".index", ".timeindex"};

// Three segments, of which Kafka cleans the first two into one, without the record at offset 0.
struct Compacted {
  Compacted() : f(config()) {
    f.create();
    while (f.log->segment_count() < 3) f.append_many(1);
    for (const std::string& name : f.names()) {
      const auto parsed = parse_offset_file_name(name);
      if (parsed && parsed->suffix == kLogSuffix) bases.push_back(parsed->base.value);
    }
    REQUIRE(bases.size() == 3);
    REQUIRE(f.log->flush().ok());
    cleaned = f.read_all(1);
    cleaned.resize(cleaned.size() - f.content(LogFixture::file_name(bases[2], ".log")).size());
    all.resize(static_cast<std::size_t>(f.end()));
    std::iota(all.begin(), all.end(), 0);
    f.kill();
    make_steps();
  }
  static LogConfig config() {
    LogConfig config = LogFixture::small_config();
    config.cleanup_compact = true;
    config.cleanup_delete = false;
    return config;
  }
  void rename(std::int64_t base, const std::string& from, const std::string& to) {
    steps.emplace_back([=, this] {
      const std::string name = LogFixture::file_name(base, "");
      REQUIRE(f.disk.rename(f.path(name + from), f.path(name + to)).ok());
    });
  }
  void make_steps() {
    for (const std::string& suffix : kSuffixes) {
      steps.emplace_back([this, suffix] {
        f.put(LogFixture::file_name(0, suffix + ".cleaned"), suffix == ".log" ? cleaned : Bytes());
      });
    }
    for (const std::string& suffix : kSuffixes) rename(0, suffix + ".cleaned", suffix + ".swap");
    decided = steps.size();
    for (const std::int64_t base : {bases[0], bases[1]}) {
      for (const std::string& suffix : kSuffixes) rename(base, suffix, suffix + ".deleted");
    }
    for (const std::string& suffix : kSuffixes) rename(0, suffix + ".swap", suffix);
  }
  void kill_after(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) steps[i]();
    REQUIRE(f.disk.sync_directory(tests::kLogDirectory).ok());
  }
  std::vector<std::int64_t> expected(std::size_t step_count) const {
    return {all.begin() + (step_count >= decided ? 1 : 0), all.end()};
  }
  void check_after(std::size_t step_count) {
    CHECK(f.log->health() == LogHealth::healthy);
    CHECK(f.log->log_start() == Offset(0));
    CHECK(f.offsets() == expected(step_count));
    for (const std::string& name : f.names()) {
      INFO(name);
      CHECK(std::ranges::none_of(std::vector<std::string>{".swap", ".cleaned", ".deleted"},
                                 [&](const std::string& suffix) { return name.ends_with(suffix); }));
    }
  }

  LogFixture f;
  std::vector<std::int64_t> bases;
  Bytes cleaned;
  std::vector<std::int64_t> all;
  std::vector<std::function<void()>> steps;
  std::size_t decided = 0;  // after so many steps the new segment is what counts
};

TEST_CASE("kafka swaps: wherever Kafka was killed, the old segments count, or the new one does") {
  const std::size_t step_count = Compacted().steps.size();
  for (std::size_t count = 0; count <= step_count; ++count) {
    INFO("after step " << count);
    Compacted compacted;
    compacted.kill_after(count);
    compacted.f.open(false);
    compacted.check_after(count);
  }
}

TEST_CASE("kafka swaps: a start that ends half way is followed by one that does not") {
  const std::size_t step_count = Compacted().steps.size();
  const auto mode = GENERATE(tests::CrashMode::keep_all, tests::CrashMode::lose_all, tests::CrashMode::random,
                             tests::CrashMode::random_names);
  const auto seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{9}));
  if (seed > 1 && (mode == tests::CrashMode::keep_all || mode == tests::CrashMode::lose_all)) return;
  for (std::size_t count = 4; count < step_count; ++count) {
    bool was_stopped = true;
    for (std::int64_t nth = 1; was_stopped; ++nth) {
      INFO("after step " << count << ", in call " << nth << ", seed " << seed);
      Compacted compacted;
      LogFixture& f = compacted.f;
      compacted.kill_after(count);
      f.faults.stop_at(nth, 0);
      was_stopped = !f.try_open(false).ok();
      f.kill();
      f.cache.reset();
      f.faults.clear();
      if (mode != tests::CrashMode::keep_all) f.disk.crash(seed, mode);
      f.open(false);
      compacted.check_after(count);
    }
  }
}

TEST_CASE("kafka swaps: a recovery point is of the files as they were before") {
  Compacted compacted;
  LogFixture& f = compacted.f;
  f.open(false);
  REQUIRE(f.log->flush().ok());
  RecoveryPoint point = f.log->recovery_point();
  f.kill();
  // It was in the segment that is compacted now.
  point.segment_base = Offset(compacted.bases[1]);
  compacted.kill_after(compacted.decided);
  f.open(false, &point);
  compacted.check_after(compacted.decided);
  CHECK(f.end() == point.offset.value);
}

TEST_CASE("kafka swaps: a new segment that is not whole stops the start of its log, and nothing goes") {
  Compacted compacted;
  LogFixture& f = compacted.f;
  compacted.kill_after(compacted.decided + 2);
  Bytes torn = compacted.cleaned;
  torn.resize(torn.size() - 1);
  f.put(LogFixture::file_name(0, ".log.swap"), torn);
  const auto before = f.names();
  const auto opened = f.try_open(false);
  REQUIRE(!opened.ok());
  CHECK(opened.error().code == Errc::corrupt);
  CHECK(f.names() == before);
}

}  // namespace
}  // namespace sillok::storage
