#include "tests/support/log_fixture.h"

#include "storage/format.h"

namespace sillok::tests {

using namespace sillok::storage;

AppendEntry entry_of(Bytes& batch) {
  AppendEntry entry;
  entry.batch = batch;
  entry.header = header_of(batch);
  return entry;
}

LogConfig LogFixture::small_config() {
  LogConfig config;
  config.segment_bytes = 4096;
  config.index_interval_bytes = 1;
  return config;
}

LogFixture::LogFixture(const LogConfig& config) {
  REQUIRE(disk.make_directories("/data").ok());
  REQUIRE(disk.sync_directory("/").ok());
  cache = std::make_unique<FileCache>(faults, 16);
  options.file_system = &faults;
  options.clock = &clock;
  options.directory = kLogDirectory;
  options.config = config;
  options.incarnation = 1;
}

void LogFixture::create() {
  options.file_cache = cache.get();
  auto created = Log::create(options, TopicId{{1, 2, 3}});
  INFO((created.ok() ? "" : created.error().describe()));
  REQUIRE(created.ok());
  log = std::move(*created);
}

Result<void> LogFixture::try_open(bool clean, const RecoveryPoint* point) {
  log.reset();
  cache = std::make_unique<FileCache>(faults, 16);
  report = {};
  options.file_cache = cache.get();
  options.clean = clean;
  options.recovery_point = point;
  ++options.incarnation;
  log = TRY(Log::open(options, report));
  return {};
}

void LogFixture::open(bool clean, const RecoveryPoint* point) {
  const auto opened = try_open(clean, point);
  INFO((opened.ok() ? "" : opened.error().describe()));
  REQUIRE(opened.ok());
  log->check_invariants();
}

void LogFixture::reopen(Stop stop) {
  if (stop == Stop::clean) REQUIRE(log->close().ok());
  log.reset();
  if (stop == Stop::power_cut) disk.crash(1, CrashMode::lose_all);
  open(stop == Stop::clean);
}

void LogFixture::reopen_from(const RecoveryPoint& point) { open(false, &point); }

Result<AppendEntry> LogFixture::try_append(const BatchMaker& maker, std::int32_t epoch) {
  Bytes bytes = maker.bytes();
  AppendEntry entry = entry_of(bytes);
  TRY(log->append_as_leader({&entry, 1}, LeaderEpoch(epoch)));
  entry.batch = {};
  return entry;
}

AppendEntry LogFixture::append(const BatchMaker& maker, std::int32_t epoch) {
  auto entry = try_append(maker, epoch);
  INFO((entry.ok() ? "" : entry.error().describe()));
  REQUIRE(entry.ok());
  log->check_invariants();
  return *entry;
}

void LogFixture::append_many(int count) {
  for (int i = 0; i < count; ++i) {
    append(batch().record("key", "value-" + std::to_string(end()), kBatchTimestamp + end()));
  }
}

void LogFixture::append_until_roll() {
  const std::size_t before = log->segment_count();
  while (log->segment_count() == before) append_many(1);
}

Result<Bytes> LogFixture::read(std::int64_t from, ByteCount limit, IoMode mode) {
  const FileSlice slice = TRY(log->read(Offset(from), log->log_end(), limit, Log::FirstBatch::whole, mode));
  Bytes bytes(static_cast<std::size_t>(slice.size));
  if (slice.size > 0) REQUIRE(TRY(slice.file->read_at(slice.position, bytes)) == bytes.size());
  return bytes;
}

Bytes LogFixture::read_all(std::int64_t from) {
  Bytes all;
  while (from < end()) {
    auto bytes = read(from, 1000);
    INFO((bytes.ok() ? "" : bytes.error().describe()));
    REQUIRE(bytes.ok());
    if (bytes->empty()) break;
    for (ByteView left = *bytes; left.size() >= protocol::kRecordBatchHeaderSize;) {
      const auto header = header_of(left);
      if (header.size() > left.size()) break;
      all.insert(all.end(), left.begin(), left.begin() + static_cast<std::ptrdiff_t>(header.size()));
      from = header.next_offset().value;
      left = left.subspan(header.size());
    }
  }
  return all;
}

std::vector<std::int64_t> LogFixture::offsets(std::int64_t from) {
  std::vector<std::int64_t> found;
  for (const OwnedRecord& record : read_records(read_all(from))) found.push_back(record.offset);
  return found;
}

std::string LogFixture::file_name(std::int64_t base, const std::string& suffix) {
  return offset_file_name(Offset(base), suffix);
}

std::vector<std::string> LogFixture::names() {
  std::vector<std::string> found;
  const auto entries = disk.list_directory(kLogDirectory);
  REQUIRE(entries.ok());
  for (const DirectoryEntry& entry : *entries) found.push_back(entry.name);
  return found;
}

bool LogFixture::has(const std::string& name) {
  const auto there = disk.exists(path(name));
  REQUIRE(there.ok());
  return *there;
}

Bytes LogFixture::content(const std::string& name) {
  const auto text = read_file(disk, path(name), 1 << 30);
  INFO(name << (text.ok() ? "" : text.error().describe()));
  REQUIRE(text.ok());
  const ByteView bytes = as_bytes(*text);
  return Bytes(bytes.begin(), bytes.end());
}

void LogFixture::put(const std::string& name, const Bytes& bytes) {
  const auto file = disk.open(path(name), OpenMode::open_or_create);
  REQUIRE(file.ok());
  REQUIRE((*file)->truncate(FilePosition(0)).ok());
  const ByteView parts[] = {bytes};
  REQUIRE((*file)->write_at(FilePosition(0), parts).ok());
  REQUIRE((*file)->sync_data().ok());
  REQUIRE(disk.sync_directory(kLogDirectory).ok());
}

void LogFixture::remove(const std::string& name) { REQUIRE(disk.remove(path(name)).ok()); }

}  // namespace sillok::tests
