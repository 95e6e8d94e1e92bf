#include "storage/recovery_points.h"

#include <cstring>
#include <unordered_set>

#include "protocol/base/check.h"
#include "protocol/base/crc32c.h"

namespace sillok::storage {
namespace {

constexpr std::int16_t kVersion = 2;
constexpr std::size_t kCrcPosition = 2;
constexpr std::size_t kCheckedPosition = 6;  // the CRC covers everything from here on
constexpr std::size_t kHeaderSize = 10;
constexpr std::size_t kTopicSizeMax = 249;  // Kafka's limit on names
// An entry without the bytes of its topic.
constexpr std::size_t kEntrySizeMin = 2 + 4 + 16 + 3 * 8 + 4 + 2 * (4 + 4);
static_assert(kEntrySizeMin == 66);

Error corrupt(std::string detail) { return {Errc::corrupt, std::move(detail)}; }

class Writer {
 public:
  explicit Writer(std::byte* to) : to_(to) {}
  template <class T>
  void put(T value) {
    store_big_endian(to_, value);
    to_ += sizeof value;
  }
  void put(std::string_view text) {
    put(static_cast<std::int16_t>(text.size()));
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }
  void put(const TopicId& id) {
    std::memcpy(to_, id.bytes.data(), id.bytes.size());
    to_ += id.bytes.size();
  }
  void put(const IndexPrefix& prefix) {
    put(prefix.entry_count);
    put(prefix.crc);
  }

 private:
  std::byte* to_;
};

// Requires of every call: that many bytes are left.
class Reader {
 public:
  explicit Reader(ByteView from) : left_(from) {}
  std::size_t size() const { return left_.size(); }
  template <class T>
  T take() {
    const T value = load_big_endian<T>(left_.data());
    left_ = left_.subspan(sizeof value);
    return value;
  }
  std::string_view peek_text(std::size_t size) const { return as_text(left_.first(size)); }
  void skip(std::size_t size) { left_ = left_.subspan(size); }
  TopicId take_id() {
    TopicId id;
    std::memcpy(id.bytes.data(), left_.data(), id.bytes.size());
    skip(id.bytes.size());
    return id;
  }
  IndexPrefix take_index() {
    IndexPrefix prefix;
    prefix.entry_count = take<std::int32_t>();
    prefix.crc = take<std::uint32_t>();
    return prefix;
  }

 private:
  ByteView left_;
};

bool is_sound(const PartitionRecoveryPoint& entry) {
  const RecoveryPoint& point = entry.point;
  return entry.partition.value >= 0 && point.segment_base.value >= 0 && point.offset >= point.segment_base &&
         point.position.value >= 0 && point.leader_epoch >= kNoLeaderEpoch &&
         point.offset_index.entry_count >= 0 && point.time_index.entry_count >= 0;
}

}  // namespace

Bytes serialize_recovery_points(std::span<const PartitionRecoveryPoint> points) {
  std::size_t size = kHeaderSize;
  for (const PartitionRecoveryPoint& entry : points) {
    CHECK(!entry.topic.empty() && entry.topic.size() <= kTopicSizeMax);
    size += kEntrySizeMin + entry.topic.size();
  }
  Bytes file(size);
  store_big_endian(file.data(), kVersion);
  Writer writer(file.data() + kCheckedPosition);
  writer.put(static_cast<std::int32_t>(points.size()));
  for (const PartitionRecoveryPoint& entry : points) {
    writer.put(std::string_view(entry.topic));
    writer.put(entry.partition.value);
    writer.put(entry.topic_id);
    writer.put(entry.point.offset.value);
    writer.put(entry.point.segment_base.value);
    writer.put(entry.point.position.value);
    writer.put(entry.point.leader_epoch.value);
    writer.put(entry.point.offset_index);
    writer.put(entry.point.time_index);
  }
  store_big_endian(file.data() + kCrcPosition, crc32c(ByteView(file).subspan(kCheckedPosition)));
  return file;
}

Result<std::vector<PartitionRecoveryPoint>> parse_recovery_points(ByteView file) {
  if (file.size() < kHeaderSize) return corrupt("ends inside the header");
  const auto version = load_big_endian<std::int16_t>(file.data());
  if (version != kVersion) {
    return Error{Errc::unsupported_version, "version " + std::to_string(version) + ", only 2 is known"};
  }
  if (load_big_endian<std::uint32_t>(file.data() + kCrcPosition) != crc32c(file.subspan(kCheckedPosition))) {
    return corrupt("the checksum does not fit");
  }
  Reader reader(file.subspan(kCheckedPosition));
  const auto count = reader.take<std::int32_t>();
  if (count < 0 || static_cast<std::uint64_t>(count) > reader.size() / kEntrySizeMin) {
    return corrupt(std::to_string(count) + " entries do not fit in " + std::to_string(file.size()) +
                   " bytes");
  }
  std::vector<PartitionRecoveryPoint> points;
  points.reserve(static_cast<std::size_t>(count));
  std::unordered_set<std::string_view> seen;  // the bytes of topic and partition, which are side by side
  seen.reserve(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; i < count; ++i) {
    const std::string place = "entry " + std::to_string(i);
    if (reader.size() < kEntrySizeMin) return corrupt(place + " is cut off");
    const auto topic_size = static_cast<std::size_t>(reader.take<std::uint16_t>());
    if (topic_size == 0 || topic_size > kTopicSizeMax || reader.size() < kEntrySizeMin - 2 + topic_size) {
      return corrupt(place + ": a topic of " + std::to_string(topic_size) + " bytes");
    }
    if (!seen.insert(reader.peek_text(topic_size + sizeof(std::int32_t))).second) {
      return corrupt(place + " is of a partition that came before");
    }
    PartitionRecoveryPoint entry;
    entry.topic = reader.peek_text(topic_size);
    reader.skip(topic_size);
    entry.partition = PartitionIndex(reader.take<std::int32_t>());
    entry.topic_id = reader.take_id();
    entry.point.offset = Offset(reader.take<std::int64_t>());
    entry.point.segment_base = Offset(reader.take<std::int64_t>());
    entry.point.position = FilePosition(reader.take<std::int64_t>());
    entry.point.leader_epoch = LeaderEpoch(reader.take<std::int32_t>());
    entry.point.offset_index = reader.take_index();
    entry.point.time_index = reader.take_index();
    if (!is_sound(entry)) return corrupt(place + " cannot be");
    points.push_back(std::move(entry));
  }
  if (reader.size() != 0) return corrupt("bytes follow the last entry");
  return points;
}

Result<std::vector<PartitionRecoveryPoint>> read_recovery_points(FileSystem& file_system,
                                                                 const std::string& directory) {
  const std::string path = join_path(directory, kRecoveryPointsName);
  auto file = read_file(file_system, path, kRecoveryPointsFileSizeMax);
  if (!file.ok() && file.error().code == Errc::not_found) return std::vector<PartitionRecoveryPoint>{};
  if (!file.ok() && file.error().code == Errc::too_large) file.error().code = Errc::corrupt;
  const std::string content = TRY(std::move(file));
  auto points = parse_recovery_points(as_bytes(content));
  if (!points.ok()) points.error().detail.insert(0, path + ": ");
  return points;
}

Result<void> write_recovery_points(FileSystem& file_system, const std::string& directory,
                                   std::span<const PartitionRecoveryPoint> points) {
  const Bytes file = serialize_recovery_points(points);
  return replace_file(file_system, join_path(directory, kRecoveryPointsName), as_text(file));
}

}  // namespace sillok::storage
