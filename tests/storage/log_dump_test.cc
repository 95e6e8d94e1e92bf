#include "storage/log_dump.h"

#include <catch2/catch.hpp>

#include "storage/leader_epochs.h"
#include "tests/support/closed_log_dir.h"

namespace sillok::storage {
namespace {

const std::string kFolder = "/logs/orders-0";
const std::string kBase = kFolder + "/00000000000000000000";

struct Fixture : tests::ClosedLogDir {
  std::string dump(const std::string& path, DumpDetail detail = DumpDetail::batches) {
    std::string lines;
    LogDump dump(disk, detail, [&](std::string_view line) { lines.append(line) += "\n"; });
    dump.dump(path);
    problem_count = dump.problem_count();
    return lines;
  }
  void damage(const std::string& path, std::int64_t position, std::uint8_t value) {
    const std::byte byte{value};
    disk.corrupt(path, FilePosition(position), ByteView(&byte, 1)).value();
  }

  std::int64_t problem_count = 0;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("log dump: a whole log directory in good order has no problems") {
  Fixture fixture;
  for (const DumpDetail detail : {DumpDetail::problems, DumpDetail::batches, DumpDetail::records}) {
    const std::string lines = fixture.dump("/logs", detail);
    INFO(lines);
    CHECK(fixture.problem_count == 0);
    CHECK(!has(lines, "PROBLEM"));
    for (const std::string_view file :
         {"0.log", "0.index", "0.timeindex", "4.snapshot", "leader-epoch-checkpoint", "partition.metadata",
          "meta.properties", "recovery-point-offset-checkpoint", "replication-offset-checkpoint",
          "sillok-recovery-points"}) {
      CHECK(has(lines, file));
    }
  }
}

TEST_CASE("log dump: a segment is a line for each batch") {
  Fixture fixture;
  const std::string lines = fixture.dump(kBase + ".log");
  INFO(lines);
  CHECK(has(lines, "batch position=0 offsets=0..1 count=2 "));
  CHECK(has(lines, " leader_epoch=4 codec=0 "));
  CHECK(has(lines, " producer=7 producer_epoch=1 sequence=0..1 "));
  CHECK(has(lines, " offsets=2..2 count=1 "));
  CHECK(has(lines, " codec=4 "));
  CHECK(has(lines, "end next_offset=4 batches=3 records=4\n"));
  CHECK(!has(lines, "record offset"));
}

TEST_CASE("log dump: records are printed where asked for, with what is not text escaped") {
  Fixture fixture;
  const std::string lines = fixture.dump(kBase + ".log", DumpDetail::records);
  INFO(lines);
  CHECK(has(lines, "record offset=0 timestamp=1767225600000 key=\"key-0\" value=\"value-0\"\n"));
  CHECK(has(lines, "record offset=2 timestamp=1767225600050 key=\"k\\x0a\" value=\"v\\\"\"\n"));
  CHECK(has(lines, "record offset=3 timestamp=1767225600090 key=null value=null\n"));
}

TEST_CASE("log dump: indexes, producers and checkpoints are printed entry by entry") {
  Fixture fixture;
  CHECK(has(fixture.dump(kBase + ".index"), "entry offset=2 position="));
  CHECK(has(fixture.dump(kBase + ".timeindex"), "entry timestamp=1767225600090 offset=3\n"));
  CHECK(has(fixture.dump(kFolder + "/00000000000000000004.snapshot"),
            "producer id=7 epoch=1 last_sequence=1 offsets=0..1 "));
  CHECK(has(fixture.dump(kFolder + "/leader-epoch-checkpoint"), "epoch=4 start_offset=0\n"));
  CHECK(has(fixture.dump("/logs/recovery-point-offset-checkpoint"), "partition=orders-0 offset=4\n"));
  CHECK(has(fixture.dump("/logs/sillok-recovery-points"), "partition=orders-0 offset=4 segment=0 position="));
}

TEST_CASE("log dump: a flipped bit of a batch is said on its line, and the batches after it are read") {
  Fixture fixture;
  fixture.damage(kBase + ".log", 70, 0xff);
  const std::string lines = fixture.dump(kBase + ".log");
  INFO(lines);
  CHECK(fixture.problem_count == 1);
  CHECK(has(lines, "(bad) PROBLEM: corrupt"));
  CHECK(has(lines, "end next_offset=4 batches=3"));
}

TEST_CASE("log dump: where no batch begins the rest is a tail with a problem") {
  Fixture fixture;
  fixture.damage(kBase + ".log", protocol::kMagicPosition, 9);
  const std::string lines = fixture.dump(kBase + ".log");
  INFO(lines);
  CHECK(has(lines, "tail position=0 size="));
  CHECK(has(lines, "PROBLEM: no batch header"));
  CHECK(has(lines, "end next_offset=0 batches=0"));
}

TEST_CASE("log dump: an index is checked against its log") {
  Fixture fixture;
  const auto [file, position, value, problem] =
      GENERATE(table<std::string, std::int64_t, std::uint8_t, std::string>({
          {".index", 7, 1, "no batch begins there"},
          {".index", 3, 1, "the batch there ends with offset 2"},
          {".timeindex", 11, 0, "no batch ends with that offset"},
          {".timeindex", 7, 1, "the batch there has the greatest timestamp"},
      }));
  fixture.damage(kBase + file, position, value);
  const std::string lines = fixture.dump(kBase + file);
  INFO(lines);
  CHECK(fixture.problem_count > 0);
  CHECK(has(lines, "PROBLEM: " + problem));
}

TEST_CASE("log dump: damaged snapshots and checkpoints, and missing files, are problems and no failure") {
  Fixture fixture;
  fixture.damage(kFolder + "/00000000000000000004.snapshot", 12, 0xff);
  fixture.damage("/logs/replication-offset-checkpoint", 0, 'x');
  fixture.damage("/logs/sillok-recovery-points", 10, 0xff);
  fixture.damage(kFolder + "/partition.metadata", 0, '#');
  const std::string lines = fixture.dump("/logs", DumpDetail::problems);
  INFO(lines);
  CHECK(fixture.problem_count == 4);
  CHECK(has(fixture.dump("/logs/no-such-file"), "PROBLEM: not there"));
  CHECK(fixture.problem_count == 1);
}

}  // namespace
}  // namespace sillok::storage
