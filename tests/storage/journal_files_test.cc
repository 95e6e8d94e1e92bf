#include "storage/journal_files.h"

#include <numeric>

#include "protocol/base/crc32c.h"
#include "tests/support/journal_fixture.h"

namespace sillok::storage {
namespace {

using tests::CrashMode;
using tests::FileCall;
using Fixture = tests::JournalFilesFixture;

constexpr CrashMode kModes[] = {CrashMode::keep_all, CrashMode::lose_all, CrashMode::random,
                                CrashMode::random_names};
// A frame of one block, and one of two.
constexpr std::size_t kSmall = 10;
constexpr std::size_t kLarge = 5000;
constexpr auto kBlock = static_cast<std::int64_t>(kJournalBlockSize);

std::vector<std::int32_t> numbers(std::int32_t first, std::int32_t last) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(last - first + 1));
  std::iota(all.begin(), all.end(), first);
  return all;
}

// What replay.all() says of a frame is its sequence.
std::uint64_t sequence_of(const Fixture& f, std::int32_t number) {
  for (const auto& known : f.replay->all()) {
    if (known.key == tests::journal_key(number)) return known.first_sequence;
  }
  return 0;
}

TEST_CASE("journal files: what write() made durable comes back after any crash, in its order") {
  for (const CrashMode mode : kModes) {
    Fixture f;
    f.add_files(2);
    for (std::int32_t i = 1; i <= 8; ++i) f.write(i, 1, i % 2 == 0 ? kLarge : kSmall);
    CHECK(f.files->next_sequence() == 9);
    f.reopen(mode, 5);
    CHECK(f.found() == numbers(1, 8));
    CHECK(f.warnings.empty());
    for (std::int32_t i = 1; i <= 8; ++i) CHECK(sequence_of(f, i) == static_cast<std::uint64_t>(i));
    CHECK(f.files->next_sequence() == 9);
  }
}

TEST_CASE("journal files: the newest frame may be torn, and nothing else is lost with it") {
  const bool in_next_file = GENERATE(false, true);
  int dropped = 0;
  int kept = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("crash seed " << seed);
    Fixture f;
    f.add_files(2);
    // 15 blocks of frames, one of them spare: the next frame goes to the other file, or not.
    const std::int32_t count = in_next_file ? 14 : 5;
    for (std::int32_t i = 1; i <= count; ++i) f.write(i, 1);
    f.faults.fail({FileCall::sync, "sillok-journal-"}, Errc::io_error);
    REQUIRE_FALSE(f.try_write(count + 1, 1, 3 * kLarge).ok());
    f.reopen(CrashMode::random, seed);
    CHECK(f.warnings.empty());
    auto found = f.found();
    const bool came = found.back() == count + 1;
    if (came) found.pop_back();
    (came ? kept : dropped) += 1;
    CHECK(found == numbers(1, count));
    // Life goes on over the torn one, wherever it stands.
    f.write(100, 1);
    f.write(101, 1);
    f.reopen();
    CHECK(f.warnings.empty());
    found = f.found();
    CHECK(std::vector<std::int32_t>(found.end() - 2, found.end()) == numbers(100, 101));
    CHECK(found.size() == static_cast<std::size_t>(count + 2 + (came ? 1 : 0)));
  }
  CHECK(dropped > 0);
  CHECK(kept > 0);
}

TEST_CASE("journal files: a file with a damaged header is not used, and kept") {
  Fixture f;
  f.add_files(2);
  f.write(1, 1);
  f.files.reset();
  std::string damaged;
  for (const std::string& name : f.names()) {
    const auto file = f.disk.open(join_path(tests::kJournalDirectory, name), OpenMode::read).value();
    Bytes first(1);
    REQUIRE(file->read_at(FilePosition(kBlock), first).value() == 1);
    if (first[0] != std::byte{0}) damaged = name;
  }
  REQUIRE(!damaged.empty());
  REQUIRE(
      f.disk.corrupt(join_path(tests::kJournalDirectory, damaged), FilePosition(9), Bytes{std::byte{0xff}})
          .ok());
  f.reopen();
  CHECK(f.found().empty());
  CHECK(f.warnings.size() == 1);
  CHECK(f.disk.exists(join_path(tests::kJournalDirectory, "damaged-" + damaged)).value());
  CHECK_FALSE(f.disk.exists(join_path(tests::kJournalDirectory, damaged)).value());
  f.add_files(1);
  f.write(2, 2);
  f.reopen();
  CHECK(f.found() == numbers(2, 2));
}

TEST_CASE("journal files: a frame that was torn in another file never counts beside its successors") {
  Fixture f;
  f.add_files(3);
  for (std::int32_t i = 1; i <= 13; ++i) f.write(i, 1);
  // One block is left in the first file: a large frame begins the second, and gets there but for its end.
  f.faults.write_short({FileCall::write, "sillok-journal-"}, kBlock, Errc::io_error);
  REQUIRE_FALSE(f.try_write(50, 1, kLarge).ok());
  f.reopen(CrashMode::keep_all);
  CHECK(f.found() == numbers(1, 13));
  f.write(14, 1);  // the sequence of the torn one, in the first file
  f.reopen();
  CHECK(f.found() == numbers(1, 14));
  CHECK(f.warnings.empty());
  // And the second file is used from its front.
  for (std::int32_t i = 15; i <= 27; ++i) f.write(i, 1);
  CHECK(f.files->used_count() == 2);
  f.reopen();
  CHECK(f.found() == numbers(1, 27));
  CHECK(f.warnings.empty());
}

TEST_CASE("journal files: what a killed process wrote and did not sync is on disk before it counts") {
  const CrashMode mode = GENERATE(CrashMode::lose_all, CrashMode::random);
  Fixture f;
  f.add_files(2);
  const std::int32_t count = 14;
  for (std::int32_t i = 1; i <= count; ++i) f.write(i, 1);
  f.faults.fail({FileCall::sync, "sillok-journal-"}, Errc::io_error);
  REQUIRE_FALSE(f.try_write(count + 1, 1).ok());
  f.reopen(CrashMode::keep_all);
  CHECK(f.found() == numbers(1, count + 1));  // so whoever asks is told that it is durable
  f.reopen(mode, 3);
  CHECK(f.found() == numbers(1, count + 1));
  f.faults.fail({FileCall::sync, "sillok-journal-"}, Errc::io_error);
  REQUIRE_FALSE(f.try_write(count + 2, 1).ok());
  f.reopen(CrashMode::keep_all);
  f.write(count + 3, 1, 4 * kLarge);  // now in whatever file
  f.reopen(mode, 4);
  CHECK(f.found() == numbers(1, count + 3));
  CHECK(f.warnings.empty());
}

TEST_CASE("journal files: a file that a killed process was making has a durable name before it is used") {
  Fixture f;
  f.add_files(1);
  for (std::int32_t i = 1; i <= 14; ++i) f.write(i, 1);
  f.faults.fail({FileCall::sync_directory, ""}, Errc::io_error);
  f.faults.fail({FileCall::remove, ""}, Errc::io_error);
  REQUIRE_FALSE(f.files->add_file().ok());
  f.reopen(CrashMode::keep_all);
  REQUIRE(f.files->count() == 2);
  f.write(15, 1);
  f.reopen();
  CHECK(f.found() == numbers(1, 15));
}

TEST_CASE("journal files: a frame that is not needed does not come back, and is kept until that is durable") {
  Fixture f;
  f.add_files(2);
  for (std::int32_t i = 1; i <= 10; ++i) f.write(i, 1);
  f.write(11, 8);
  f.faults.fail({FileCall::sync, "sillok-journal-"}, Errc::io_error);
  REQUIRE_FALSE(f.try_write(12, 12).ok());
  f.reopen();
  CHECK(f.found() == numbers(8, 11));  // as the last durable frame said
  f.write(13, f.files->next_sequence());
  f.reopen();
  CHECK(f.found() == numbers(13, 13));
}

TEST_CASE("journal files: a full journal takes no frame, and what it has stays") {
  Fixture f;
  f.add_files(2);
  for (std::int32_t i = 1; i <= 28; ++i) f.write(i, 1);
  CHECK(f.files->used_count() == 2);
  const auto refused = f.try_write(29, 1);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::no_space);
  CHECK(f.try_write(29, 14).error().code == Errc::no_space);  // 14 is in the first file still
  f.reopen();
  CHECK(f.found() == numbers(1, 28));
}

TEST_CASE("journal files: of a full journal the spare block tells that a file is free") {
  Fixture f;
  f.add_files(2);
  for (std::int32_t i = 1; i <= 28; ++i) f.write(i, 1);
  REQUIRE_FALSE(f.try_write(29, 1).ok());
  f.write(29, 15);
  CHECK(f.files->used_count() == 2);
  f.reopen();
  CHECK(f.found() == numbers(15, 29));
  CHECK(f.warnings.empty());
  // The frame without entries had a sequence as well.
  CHECK(sequence_of(f, 29) == 30);
}

TEST_CASE("journal files: the file is not written over before the frame that gives it up is durable") {
  for (std::int64_t failing = 1; failing <= 2; ++failing) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      INFO("sync " << failing << ", crash seed " << seed);
      Fixture f;
      f.add_files(2);
      for (std::int32_t i = 1; i <= 28; ++i) f.write(i, 1);
      f.faults.fail({FileCall::sync, "sillok-journal-", failing}, Errc::io_error);
      REQUIRE_FALSE(f.try_write(29, 15, 3 * kLarge).ok());
      f.reopen(CrashMode::random, seed);
      CHECK(f.warnings.empty());
      auto found = f.found();
      if (found.back() == 29) found.pop_back();
      if (found.front() == 1) {
        CHECK(failing == 1);
        CHECK(found == numbers(1, 28));
      } else {
        CHECK(found == numbers(15, 28));
      }
    }
  }
}

TEST_CASE("journal files: frames of an earlier round through a file are never taken for new ones") {
  Fixture f;
  f.add_files(2);
  std::int32_t number = 0;
  for (int round = 0; round < 6; ++round) {
    // Larger and smaller ones, so that old headers stand where new frames end.
    const std::size_t size = round % 2 == 0 ? kSmall : kLarge;
    for (int i = 0; i < 9; ++i)
      f.write(++number, f.files->next_sequence() < 3 ? 1 : f.files->next_sequence() - 2, size);
    f.reopen();
    CHECK(f.warnings.empty());
    CHECK(f.found() == numbers(number - 2, number));
  }
}

TEST_CASE("journal files: frames of a file that had the blocks before are no frames of this one") {
  Fixture f;
  f.add_files(2);
  for (std::int32_t i = 1; i <= 5; ++i) f.write(i, 1);
  // As a file system without zeroing might give the blocks out again: the old bytes under another id.
  const auto file = f.disk.open(f.path(0), OpenMode::read_write);
  REQUIRE(file.ok());
  Bytes header(kJournalFileHeaderSize);
  encode(JournalFileHeader{4711, f.options.file_size}, header.data());
  const ByteView part = header;
  REQUIRE((*file)->write_at(FilePosition(0), {&part, 1}).ok());
  REQUIRE((*file)->sync_data().ok());
  f.reopen();
  CHECK(f.found().empty());
}

TEST_CASE("journal files: damage in frames that are needed is told, and what is whole comes back") {
  Fixture f;
  f.add_files(2);
  for (std::int32_t i = 1; i <= 20; ++i) f.write(i, 4);
  const Bytes rot(8, std::byte{0x55});
  SECTION("in a frame's batches") {
    // The header of file 0 has the first block; frame 6 has the seventh.
    REQUIRE(f.disk.corrupt(f.path(0), FilePosition(6 * kBlock + 150), rot).ok());
    f.reopen();
    auto expected = numbers(4, 20);
    expected.erase(expected.begin() + 2);
    CHECK(f.found() == expected);
    REQUIRE(f.warnings.size() == 1);
    CHECK(f.warnings[0].find("1 of its durable frames") != std::string::npos);
  }
  SECTION("in a frame's header: what follows in the file cannot be told from an older round") {
    REQUIRE(f.disk.corrupt(f.path(0), FilePosition(6 * kBlock + 10), rot).ok());
    f.reopen();
    CHECK(f.found().front() == 4);
    CHECK(f.found().back() == 20);
    CHECK(f.warnings.size() == 1);
  }
  SECTION("in the header of a file") {
    REQUIRE(f.disk.corrupt(f.path(0), FilePosition(10), rot).ok());
    f.reopen();
    CHECK(f.found() == numbers(15, 20));
    CHECK(f.warnings.size() == 2);
  }
  SECTION("in frames that are not needed: nobody cares") {
    REQUIRE(f.disk.corrupt(f.path(0), FilePosition(2 * kBlock + 150), rot).ok());
    f.reopen();
    CHECK(f.found() == numbers(4, 20));
    CHECK(f.warnings.empty());
  }
  SECTION("in the newest two: one of them was durable, whatever the other was") {
    REQUIRE(f.disk.corrupt(f.path(1), FilePosition(5 * kBlock + 150), rot).ok());
    REQUIRE(f.disk.corrupt(f.path(1), FilePosition(6 * kBlock + 150), rot).ok());
    f.reopen();
    CHECK(f.found() == numbers(4, 18));
    CHECK(f.warnings.size() == 1);
  }
  // It works on.
  const std::uint64_t next = f.files->next_sequence();
  f.write(30, next);
  f.reopen();
  CHECK(f.found() == numbers(30, 30));
  CHECK(f.warnings.empty());
}

TEST_CASE(
    "journal files: a file that is none is set aside with a warning, a half-made one is removed without") {
  Fixture f;
  f.put("sillok-journal-0", Bytes(100, std::byte{7}));
  f.put("sillok-journal-1", Bytes(20000));
  f.put("sillok-journal-2", Bytes());
  f.put("orders", Bytes(10, std::byte{1}));
  f.open();
  REQUIRE(f.warnings.size() == 1);
  CHECK(f.warnings[0].find("sillok-journal-0") != std::string::npos);
  CHECK(f.names() == std::vector<std::string>{"damaged-sillok-journal-0", "orders"});
  CHECK(f.files->count() == 0);
}

TEST_CASE("journal files: a file that lost its end is none") {
  Fixture f;
  f.add_files(2);
  f.write(1, 1);
  const auto file = f.disk.open(f.path(0), OpenMode::read_write);
  REQUIRE(file.ok());
  REQUIRE((*file)->truncate(FilePosition(f.options.file_size - 1)).ok());
  f.reopen(CrashMode::keep_all);
  CHECK(f.warnings.size() == 1);
  CHECK(f.found().empty());
}

TEST_CASE("journal files: a journal of a later version stops the start and is left alone") {
  Fixture f;
  f.add_files(1);
  Bytes header(kJournalFileHeaderSize);
  encode(JournalFileHeader{1, f.options.file_size}, header.data());
  store_big_endian(header.data() + 8, std::int32_t{2});
  store_big_endian(header.data() + 4, crc32c(ByteView(header).subspan(8)));
  f.put("sillok-journal-0", header);
  CHECK(f.try_open().error().code == Errc::unsupported_version);
  CHECK(f.names().size() == 1);
}

TEST_CASE("journal files: a crash while a file is made leaves the others as they are") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("crash seed " << seed);
    Fixture f(600);  // three steps of zeros
    f.add_files(2);
    for (std::int32_t i = 1; i <= 3; ++i) f.write(i, 1);
    const auto step = static_cast<std::int64_t>(seed % 8) + 1;
    const FileCall call = seed % 2 == 0 ? FileCall::sync : FileCall::write;
    f.faults.fail({call, "sillok-journal-2", step, tests::kEveryCall}, Errc::io_error);
    f.faults.fail({FileCall::remove, "", 1, tests::kEveryCall}, Errc::io_error);
    (void)f.files->add_file();
    f.reopen(kModes[seed % 4], seed);
    CHECK(f.warnings.empty());
    CHECK(f.found() == numbers(1, 3));
    if (f.files->count() == 2) f.add_files(1);
    f.write(4, 1);
    f.reopen();
    CHECK(f.found() == numbers(1, 4));
  }
}

TEST_CASE("journal files: one more is made only up to the limit, and only where there is plenty of room") {
  Fixture f;
  f.disk.set_free_space(8 * f.options.file_size - 1);
  const auto refused = f.files->add_file();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::no_space);
  CHECK(f.names().empty());
  f.disk.set_free_space(8 * f.options.file_size);
  f.add_files(4);
  const auto enough = f.files->add_file();
  REQUIRE(enough.ok());
  CHECK_FALSE(*enough);
  CHECK(f.files->count() == 4);
  // A file whose making failed is not there.
  Fixture other;
  other.faults.fail({FileCall::write, "sillok-journal-"}, Errc::no_space);
  CHECK(other.files->add_file().error().code == Errc::no_space);
  CHECK(other.names().empty());
  other.add_files(1);
}

TEST_CASE("journal files: one more is wanted when none is free, and the oldest in use is known") {
  Fixture f;
  CHECK(f.files->wants_file());
  f.add_files(2);
  CHECK_FALSE(f.files->wants_file());
  CHECK(f.files->used_count() == 0);
  CHECK(f.files->oldest_file_end() == 0);
  for (std::int32_t i = 1; i <= 15; ++i) f.write(i, 1);
  CHECK(f.files->wants_file());
  CHECK(f.files->used_count() == 2);
  CHECK(f.files->oldest_file_end() == 14);
  f.write(16, 15);
  CHECK_FALSE(f.files->wants_file());
  CHECK(f.files->used_count() == 1);
  CHECK(f.files->oldest_file_end() == 16);
}

TEST_CASE("journal files: after a write or sync that failed nothing is written any more") {
  const FileCall call = GENERATE(FileCall::write, FileCall::sync);
  Fixture f;
  f.add_files(2);
  f.write(1, 1);
  f.faults.fail({call, "sillok-journal-"}, Errc::io_error);
  CHECK(f.try_write(2, 1).error().code == Errc::io_error);
  const auto before = f.disk.calls();
  CHECK(f.try_write(3, 1).error().code == Errc::offline);
  CHECK(f.disk.calls().writes == before.writes);
  CHECK(f.disk.calls().syncs == before.syncs);
  f.reopen();
  CHECK(f.found() == numbers(1, 1));
}

TEST_CASE("journal files: after remove_all() there are none, also after a power cut") {
  Fixture f;
  f.add_files(3);
  for (std::int32_t i = 1; i <= 20; ++i) f.write(i, 1);
  REQUIRE(f.files->remove_all().ok());
  CHECK(f.files->count() == 0);
  CHECK(f.try_write(21, 1).error().code == Errc::offline);
  f.reopen();
  CHECK(f.names().empty());
  CHECK(f.found().empty());
  CHECK(f.warnings.empty());
}

TEST_CASE("journal files: after a crash in remove_all() everything that is needed is there, or nothing is") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (std::int64_t failing = 1; failing <= 3; ++failing) {
      INFO("crash seed " << seed << ", directory sync " << failing);
      Fixture f;
      f.add_files(3);
      for (std::int32_t i = 1; i <= 40; ++i) f.write(i, 1);
      f.faults.fail({FileCall::sync_directory, "", failing, tests::kEveryCall}, Errc::io_error);
      CHECK(f.files->remove_all().ok() == (failing == 3));
      f.reopen(CrashMode::random_names, seed);
      CHECK(f.found().empty());
      CHECK(f.warnings.empty());
    }
  }
}

TEST_CASE("journal files: without a last frame, too, no frame is left without those that came after it") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("crash seed " << seed);
    Fixture f;
    f.add_files(3);
    for (std::int32_t i = 1; i <= 40; ++i) f.write(i, 1);
    f.faults.fail({FileCall::write, "", 1, tests::kEveryCall}, Errc::io_error);
    f.faults.fail({FileCall::sync_directory, ""}, Errc::io_error);
    CHECK_FALSE(f.files->remove_all().ok());
    f.reopen(CrashMode::random_names, seed);
    CHECK(f.found().back() == 40);
  }
}

}  // namespace
}  // namespace sillok::storage
