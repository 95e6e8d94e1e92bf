// Every kind of file as `sillok log dump` reads it, two at a time: damage is what it is for. The first bytes
// say which.
#include "storage/log_dump.h"
#include "tests/fuzz/disk.h"
#include "tests/support/closed_log_dir.h"

namespace sillok::fuzz {
namespace {

using namespace storage;

const std::string kFolder = "/logs/orders-0/";
const std::string kNames[] = {kFolder + "00000000000000000000.log",
                              kFolder + "00000000000000000000.index",
                              kFolder + "00000000000000000000.timeindex",
                              kFolder + "00000000000000000004.snapshot",
                              kFolder + "leader-epoch-checkpoint",
                              kFolder + "partition.metadata",
                              "/logs/meta.properties",
                              "/logs/recovery-point-offset-checkpoint",
                              "/logs/sillok-recovery-points",
                              "/logs/.kafka_cleanshutdown"};

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const bool fits = choices.flip();
  tests::MemFileSystem disk;
  CHECK(disk.make_directories(kFolder).ok());
  for (int i = 0; i < 2; ++i) {
    const std::string& name = kNames[choices.choose(std::size(kNames))];
    const ByteView part = choices.next_part();
    Bytes content(part.begin(), part.end());
    if (fits) renew_batch_crcs(content);
    put_file(disk, name, content);
  }
  std::size_t printed = 0;
  for (const DumpDetail detail : {DumpDetail::problems, DumpDetail::batches, DumpDetail::records}) {
    LogDump dump(disk, detail, [&](std::string_view line) {
      printed += line.size();
      CHECK(line.find('\n') == std::string_view::npos);
    });
    dump.dump("/logs");
  }
  CHECK(printed > 0);
}

std::vector<Bytes> seeds() {
  tests::ClosedLogDir closed;
  tests::MemFileSystem& disk = closed.disk;
  std::vector<Bytes> all;
  const Bytes segment = content_of(disk, kNames[0]);
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (!disk.exists(kNames[i]).value()) continue;
    Bytes seed = with_choices({1, 0}, in_parts({segment}));
    const Bytes second =
        with_choices({static_cast<std::uint8_t>(i)}, in_parts({content_of(disk, kNames[i])}));
    seed.insert(seed.end(), second.begin(), second.end());
    all.push_back(std::move(seed));
  }
  return all;
}

}  // namespace sillok::fuzz
