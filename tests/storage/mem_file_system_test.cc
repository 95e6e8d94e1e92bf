// The file system that tests crash must be able to lose what a disk can lose, and nothing else.
#include "tests/support/mem_file_system.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <set>
#include <string>

#include "tests/support/seed.h"

namespace sillok::tests {
namespace {

using storage::File;
using storage::OpenMode;

constexpr std::int64_t kPage = 4096;
constexpr std::int64_t kSector = 512;
// So many power cuts show every outcome that has a chance of a few percent.
constexpr std::uint64_t kCrashCount = 300;

void write(File& file, std::int64_t position, const std::string& text) {
  const ByteView part = as_bytes(text);
  REQUIRE(file.write_at(FilePosition(position), {&part, 1}).ok());
}

std::string content(MemFileSystem& file_system, const std::string& path) {
  const auto text = storage::read_file(file_system, path, 1 << 24);
  return text.ok() ? *text : to_string(text.error().code);
}

std::string names(MemFileSystem& file_system, const std::string& directory) {
  std::string all;
  const auto entries = file_system.list_directory(directory).value();
  for (const auto& entry : entries) all += entry.name + ' ';
  return all;
}

struct Disk {
  MemFileSystem file_system;

  Disk() {
    REQUIRE(file_system.make_directory("/data").ok());
    REQUIRE(file_system.sync_directory("/").ok());
  }
  std::shared_ptr<File> create(const std::string& path) {
    return file_system.open(path, OpenMode::create).value();
  }
  // A file with durable name and content.
  std::shared_ptr<File> durable(const std::string& path, const std::string& text) {
    auto file = create(path);
    write(*file, 0, text);
    REQUIRE(file->sync_data().ok());
    REQUIRE(file_system.sync_directory("/data").ok());
    return file;
  }
  // What `look` says of many random power cuts.
  std::set<std::string> outcomes(CrashMode mode, const std::function<std::string(MemFileSystem&)>& look) {
    const std::uint64_t first = seed();
    UNSCOPED_INFO("seed " << first);
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i < kCrashCount; ++i)
      seen.insert(look(*file_system.after_crash(first + i, mode)));
    return seen;
  }
};

}  // namespace

TEST_CASE("memory file system: losing all leaves what was synced, and keeping all leaves everything") {
  Disk disk;
  const auto file = disk.durable("/data/a", "synced");
  write(*file, 0, "S");
  write(*file, 6, " and not");
  disk.create("/data/b");
  auto lost = disk.file_system.after_crash(1, CrashMode::lose_all);
  REQUIRE(names(*lost, "/data") == "a ");
  REQUIRE(content(*lost, "/data/a") == "synced");
  auto kept = disk.file_system.after_crash(1, CrashMode::keep_all);
  REQUIRE(names(*kept, "/data") == "a b ");
  REQUIRE(content(*kept, "/data/a") == "Synced and not");
  REQUIRE(content(disk.file_system, "/data/a") == "Synced and not");
}

TEST_CASE("memory file system: a crash kills what was open, and what is left is durable") {
  Disk disk;
  const auto file = disk.durable("/data/a", "text");
  const auto lock = disk.file_system.lock("/data/.lock").value();
  write(*file, 4, " more");
  disk.file_system.crash(1, CrashMode::keep_all);
  Bytes out(1);
  REQUIRE(file->read_at(FilePosition(0), out).error().code == Errc::io_error);
  REQUIRE(file->write_at(FilePosition(0), {}).error().code == Errc::io_error);
  REQUIRE(file->sync_data().error().code == Errc::io_error);
  REQUIRE(disk.file_system.lock("/data/.lock").ok());
  disk.file_system.crash(2, CrashMode::lose_all);
  REQUIRE(content(disk.file_system, "/data/a") == "text more");
}

TEST_CASE("memory file system: the same seed gives the same crash") {
  Disk disk;
  const auto file = disk.durable("/data/a", std::string(9 * kPage, 'o'));
  write(*file, 0, std::string(12 * kPage, 'n'));
  const std::string once = content(*disk.file_system.after_crash(7, CrashMode::random), "/data/a");
  REQUIRE(once == content(*disk.file_system.after_crash(7, CrashMode::random), "/data/a"));
}

TEST_CASE("memory file system: pages that were not synced are each old, new or torn between sectors") {
  Disk disk;
  const auto file = disk.durable("/data/a", std::string(2 * kPage, 'o'));
  write(*file, 0, std::string(2 * kPage, 'n'));
  const auto seen = disk.outcomes(CrashMode::random, [](MemFileSystem& left) {
    const std::string text = content(left, "/data/a");
    REQUIRE(text.size() == 2 * kPage);
    std::string shape;
    for (const std::int64_t page : {0, 1}) {
      const std::string bytes = text.substr(static_cast<std::size_t>(page * kPage), kPage);
      const auto new_bytes = static_cast<std::int64_t>(std::count(bytes.begin(), bytes.end(), 'n'));
      REQUIRE(new_bytes % kSector == 0);
      REQUIRE(bytes == std::string(static_cast<std::size_t>(new_bytes), 'n') +
                           std::string(static_cast<std::size_t>(kPage - new_bytes), 'o'));
      shape += new_bytes == 0 ? 'o' : new_bytes == kPage ? 'n' : 't';
    }
    return shape;
  });
  // Each by itself, so a new page may follow a lost one.
  REQUIRE(seen == std::set<std::string>{"oo", "on", "ot", "no", "nn", "nt", "to", "tn", "tt"});
}

TEST_CASE("memory file system: growth is kept, lost or in part, and lost pages of it read as zeros") {
  Disk disk;
  const auto file = disk.durable("/data/a", "head");
  write(*file, 4, std::string(2 * kPage, 'n'));
  const auto seen = disk.outcomes(CrashMode::random, [](MemFileSystem& left) {
    const std::string text = content(left, "/data/a");
    REQUIRE(text.substr(0, 4) == "head");
    REQUIRE(text.find_first_not_of(std::string("n\0", 2), 4) == std::string::npos);
    if (text.size() == 4) return "lost";
    if (text.size() < 4 + 2 * kPage) return "in part";
    return text.find('\0') == std::string::npos ? "kept" : "zeros";
  });
  REQUIRE(seen == std::set<std::string>{"lost", "in part", "kept", "zeros"});
}

TEST_CASE("memory file system: synced bytes survive what is appended to their page after") {
  Disk disk;
  const auto file = disk.durable("/data/a", std::string(1000, 's'));
  write(*file, 1000, std::string(100, 'n'));
  REQUIRE(file->sync_data().ok());
  write(*file, 1100, std::string(10'000, 'x'));
  disk.outcomes(CrashMode::random, [](MemFileSystem& left) {
    REQUIRE(content(left, "/data/a").substr(0, 1100) == std::string(1000, 's') + std::string(100, 'n'));
    return "";
  });
}

TEST_CASE(
    "memory file system: a truncation that was not synced is kept or lost, and zeros follow a regrowth") {
  Disk disk;
  const auto file = disk.durable("/data/a", std::string(100, 's'));
  REQUIRE(file->truncate(FilePosition(10)).ok());
  const auto seen = disk.outcomes(CrashMode::random, [](MemFileSystem& left) {
    const auto size = content(left, "/data/a").size();
    return size == 10 ? "cut" : size == 100 ? "whole" : "in part";
  });
  REQUIRE(seen.contains("cut"));
  REQUIRE(seen.contains("whole"));
  REQUIRE(file->truncate(FilePosition(20)).ok());
  REQUIRE(file->sync_data().ok());
  REQUIRE(content(*disk.file_system.after_crash(1, CrashMode::lose_all), "/data/a") ==
          std::string(10, 's') + std::string(10, '\0'));
}

TEST_CASE("memory file system: syncing a file does not make its name durable, the directory does") {
  Disk disk;
  const auto file = disk.create("/data/a");
  write(*file, 0, "text");
  REQUIRE(file->sync_data().ok());
  REQUIRE(names(*disk.file_system.after_crash(1, CrashMode::lose_all), "/data") == "");
  REQUIRE(disk.file_system.sync_directory("/data").ok());
  auto left = disk.file_system.after_crash(1, CrashMode::lose_all);
  REQUIRE(content(*left, "/data/a") == "text");
}

TEST_CASE("memory file system: changes of names survive in order") {
  Disk disk;
  disk.durable("/data/old", "old");
  disk.create("/data/b");
  REQUIRE(disk.file_system.rename("/data/b", "/data/c").ok());
  REQUIRE(disk.file_system.remove("/data/old").ok());
  const auto look = [](MemFileSystem& left) { return names(left, "/data"); };
  REQUIRE(disk.outcomes(CrashMode::random, look) == std::set<std::string>{"old ", "b old ", "c old ", "c "});
  // And each by itself: the removal alone, and the rename without the creation.
  REQUIRE(disk.outcomes(CrashMode::random_names, look) ==
          std::set<std::string>{"old ", "b old ", "c old ", "c ", "", "b "});
}

TEST_CASE("memory file system: a replaced file is the old or the new one, never both, never none") {
  Disk disk;
  disk.durable("/data/a", "old");
  REQUIRE(storage::replace_file(disk.file_system, "/data/a", "new").ok());
  const auto durable = disk.outcomes(CrashMode::random_names, [](MemFileSystem& left) {
    return names(left, "/data") + content(left, "/data/a");
  });
  REQUIRE(durable == std::set<std::string>{"a new"});
  const auto temporary = disk.create("/data/a.tmp");
  write(*temporary, 0, "newer");
  REQUIRE(temporary->sync_data().ok());
  REQUIRE(disk.file_system.rename("/data/a.tmp", "/data/a").ok());
  const auto seen =
      disk.outcomes(CrashMode::random_names, [](MemFileSystem& left) { return content(left, "/data/a"); });
  REQUIRE(seen == std::set<std::string>{"new", "newer"});
}

TEST_CASE("memory file system: what is in a directory is lost with its name") {
  Disk disk;
  REQUIRE(disk.file_system.make_directory("/data/topic-0").ok());
  disk.create("/data/topic-0/a");
  REQUIRE(disk.file_system.sync_directory("/data/topic-0").ok());
  REQUIRE(names(*disk.file_system.after_crash(1, CrashMode::lose_all), "/data") == "");
  REQUIRE(disk.file_system.sync_directory("/data").ok());
  REQUIRE(disk.file_system.after_crash(1, CrashMode::lose_all)->exists("/data/topic-0/a").value());
  REQUIRE(disk.file_system.remove_directory_tree("/data/topic-0").ok());
  REQUIRE(disk.file_system.after_crash(1, CrashMode::lose_all)->exists("/data/topic-0/a").value());
  REQUIRE(disk.file_system.sync_directory("/data").ok());
  REQUIRE_FALSE(disk.file_system.after_crash(1, CrashMode::lose_all)->exists("/data/topic-0").value());
}

TEST_CASE("memory file system: evicted pages are read only where waiting is allowed") {
  Disk disk;
  const auto file = disk.durable("/data/a", std::string(3 * kPage, 'x'));
  disk.file_system.evict_pages();
  Bytes out(10);
  REQUIRE(file->read_resident_at(FilePosition(kPage), out).error().code == Errc::would_block);
  REQUIRE_FALSE(file->is_resident(FilePosition(0), 3 * kPage));
  REQUIRE(file->read_at(FilePosition(kPage), out).ok());
  REQUIRE(file->read_resident_at(FilePosition(kPage), out).value() == 10);
  REQUIRE_FALSE(file->is_resident(FilePosition(2 * kPage - 1), 2));
  REQUIRE(file->make_resident(FilePosition(0), 3 * kPage).ok());
  REQUIRE(file->is_resident(FilePosition(0), 3 * kPage));
}

TEST_CASE("memory file system: counts its calls") {
  Disk disk;
  const CallCounts before = disk.file_system.calls();
  disk.durable("/data/a", "text");
  const CallCounts after = disk.file_system.calls();
  REQUIRE(after.opens - before.opens == 1);
  REQUIRE(after.writes - before.writes == 1);
  REQUIRE(after.syncs - before.syncs == 1);
  REQUIRE(after.directory_syncs - before.directory_syncs == 1);
}

TEST_CASE("memory file system: decayed bytes stay so through a crash") {
  Disk disk;
  disk.durable("/data/a", "text");
  REQUIRE(disk.file_system.corrupt("/data/a", FilePosition(1), as_bytes("E")).ok());
  REQUIRE(content(disk.file_system, "/data/a") == "tExt");
  REQUIRE(content(*disk.file_system.after_crash(1, CrashMode::lose_all), "/data/a") == "tExt");
  REQUIRE_FALSE(disk.file_system.corrupt("/data/a", FilePosition(4), as_bytes("E")).ok());
}

}  // namespace sillok::tests
