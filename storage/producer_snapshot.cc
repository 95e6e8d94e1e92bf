#include "storage/producer_snapshot.h"

#include <unordered_set>

#include "protocol/base/crc32c.h"
#include "storage/format.h"

namespace sillok::storage {
namespace {

constexpr std::int16_t kVersion = 1;
constexpr std::size_t kCrcPosition = 2;
constexpr std::size_t kCheckedPosition = 6;  // the CRC covers everything from here on
constexpr std::size_t kHeaderSize = 10;
constexpr std::size_t kEntrySize = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8;
static_assert(kEntrySize == 46);

Error corrupt(std::string detail) { return {Errc::corrupt, std::move(detail)}; }

class EntryWriter {
 public:
  explicit EntryWriter(std::byte* to) : to_(to) {}
  template <class T>
  void put(T value) {
    store_big_endian(to_, value);
    to_ += sizeof value;
  }

 private:
  std::byte* to_;
};

class EntryReader {
 public:
  explicit EntryReader(const std::byte* from) : from_(from) {}
  template <class T>
  T take() {
    const T value = load_big_endian<T>(from_);
    from_ += sizeof value;
    return value;
  }

 private:
  const std::byte* from_;
};

bool is_sound(const ProducerSnapshotEntry& entry) {
  if (entry.producer_id.value < 0 || entry.epoch.value < 0) return false;
  if (entry.coordinator_epoch < -1 || entry.open_transaction_offset.value < -1) return false;
  if (entry.last_offset.value == -1) return entry.last_sequence >= -1;
  return entry.last_sequence >= 0 && entry.offset_delta >= 0 && entry.last_offset.value >= entry.offset_delta;
}

}  // namespace

Bytes serialize_producer_snapshot(std::span<const ProducerSnapshotEntry> entries) {
  Bytes file(kHeaderSize + entries.size() * kEntrySize);
  store_big_endian(file.data(), kVersion);
  EntryWriter writer(file.data() + kCheckedPosition);
  writer.put(static_cast<std::int32_t>(entries.size()));
  for (const ProducerSnapshotEntry& entry : entries) {
    writer.put(entry.producer_id.value);
    writer.put(entry.epoch.value);
    writer.put(entry.last_sequence);
    writer.put(entry.last_offset.value);
    writer.put(entry.offset_delta);
    writer.put(entry.timestamp);
    writer.put(entry.coordinator_epoch);
    writer.put(entry.open_transaction_offset.value);
  }
  store_big_endian(file.data() + kCrcPosition, crc32c(ByteView(file).subspan(kCheckedPosition)));
  return file;
}

Result<std::vector<ProducerSnapshotEntry>> parse_producer_snapshot(ByteView file) {
  if (file.size() < kHeaderSize) return corrupt("ends inside the header");
  const auto version = load_big_endian<std::int16_t>(file.data());
  if (version != kVersion) {
    return Error{Errc::unsupported_version, "version " + std::to_string(version) + ", only 1 is known"};
  }
  if (load_big_endian<std::uint32_t>(file.data() + kCrcPosition) != crc32c(file.subspan(kCheckedPosition))) {
    return corrupt("the checksum does not fit");
  }
  const auto count = load_big_endian<std::int32_t>(file.data() + kCheckedPosition);
  if (count < 0 || static_cast<std::uint64_t>(count) * kEntrySize != file.size() - kHeaderSize) {
    return corrupt(std::to_string(count) + " entries do not make " + std::to_string(file.size()) + " bytes");
  }
  std::vector<ProducerSnapshotEntry> entries;
  entries.reserve(static_cast<std::size_t>(count));
  std::unordered_set<ProducerId> seen;
  EntryReader reader(file.data() + kHeaderSize);
  for (std::int32_t i = 0; i < count; ++i) {
    ProducerSnapshotEntry entry;
    entry.producer_id = ProducerId(reader.take<std::int64_t>());
    entry.epoch = ProducerEpoch(reader.take<std::int16_t>());
    entry.last_sequence = reader.take<std::int32_t>();
    entry.last_offset = Offset(reader.take<std::int64_t>());
    entry.offset_delta = reader.take<std::int32_t>();
    entry.timestamp = reader.take<std::int64_t>();
    entry.coordinator_epoch = reader.take<std::int32_t>();
    entry.open_transaction_offset = Offset(reader.take<std::int64_t>());
    if (!is_sound(entry) || !seen.insert(entry.producer_id).second) {
      return corrupt("entry " + std::to_string(i) + " cannot be");
    }
    entries.push_back(entry);
  }
  return entries;
}

Result<std::vector<ProducerSnapshotEntry>> read_producer_snapshot(FileSystem& file_system,
                                                                  const std::string& directory,
                                                                  Offset offset) {
  const std::string path = join_path(directory, offset_file_name(offset, kSnapshotSuffix));
  auto file = read_file(file_system, path, kProducerSnapshotSizeMax);
  if (!file.ok() && file.error().code == Errc::too_large) file.error().code = Errc::corrupt;
  const std::string content = TRY(std::move(file));
  auto entries = parse_producer_snapshot(as_bytes(content));
  if (!entries.ok()) entries.error().detail.insert(0, path + ": ");
  return entries;
}

Result<void> write_producer_snapshot(FileSystem& file_system, const std::string& directory, Offset offset,
                                     std::span<const ProducerSnapshotEntry> entries) {
  const Bytes file = serialize_producer_snapshot(entries);
  return replace_file(file_system, join_path(directory, offset_file_name(offset, kSnapshotSuffix)),
                      as_text(file));
}

}  // namespace sillok::storage
