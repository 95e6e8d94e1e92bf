#include "broker/metadata/kafka_metadata_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "protocol/record_batch_view.h"
#include "protocol/wire/decode.h"
#include "storage/batch_walk.h"
#include "storage/format.h"
#include "storage/good_batch.h"
#include "storage/text_file.h"

namespace sillok::broker {
namespace {

using storage::BatchPlace;
using storage::BatchWalk;
using storage::FileSystem;
using storage::IoMode;

constexpr std::string_view kSnapshotSuffix = ".checkpoint";
constexpr std::size_t kSnapshotEpochDigits = 10;

struct Snapshot {
  Offset end;
  std::int32_t epoch = 0;
  std::string name;
};

struct Segment {
  Offset base;
  std::string name;
};

struct Files {
  std::optional<Snapshot> snapshot;  // the newest
  std::vector<Segment> segments;     // by base
};

// "00000000000000000100-0000000002.checkpoint". Others (`.part`, `.deleted`) are not whole, or not wanted.
std::optional<Snapshot> parse_snapshot_name(const std::string& name) {
  constexpr std::size_t kSize =
      storage::kOffsetNameDigits + 1 + kSnapshotEpochDigits + kSnapshotSuffix.size();
  if (name.size() != kSize || name[storage::kOffsetNameDigits] != '-' || !name.ends_with(kSnapshotSuffix)) {
    return std::nullopt;
  }
  const std::string_view text = name;
  const auto parse_padded = []<class T>(std::string_view digits, T) {
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return storage::parse_decimal<T>(digits);
  };
  const auto end = parse_padded(text.substr(0, storage::kOffsetNameDigits), std::int64_t{});
  const auto epoch =
      parse_padded(text.substr(storage::kOffsetNameDigits + 1, kSnapshotEpochDigits), std::int32_t{});
  if (!end || !epoch) return std::nullopt;
  return Snapshot{Offset(*end), *epoch, name};
}

Result<Files> list_files(FileSystem& file_system, const std::string& folder) {
  Files files;
  for (const storage::DirectoryEntry& entry : TRY(file_system.list_directory(folder))) {
    if (entry.is_directory) continue;
    if (auto snapshot = parse_snapshot_name(entry.name)) {
      const bool is_newer = !files.snapshot || std::pair(files.snapshot->end, files.snapshot->epoch) <
                                                   std::pair(snapshot->end, snapshot->epoch);
      if (is_newer) files.snapshot = std::move(snapshot);
    } else if (const auto name = storage::parse_offset_file_name(entry.name)) {
      if (name->suffix == storage::kLogSuffix) files.segments.push_back({name->base, entry.name});
    }
  }
  std::ranges::sort(files.segments, {}, &Segment::base);
  return files;
}

Error corrupt(const std::string& path, std::string_view what) {
  return {Errc::corrupt, fmt::format("{}: {}", path, what)};
}

// Where a file begins to be none, and why.
struct Damage {
  FilePosition position;
  std::string what;
};

class Reader {
 public:
  Reader(FileSystem& file_system, std::string folder, std::vector<std::string>& notes)
      : file_system_(file_system), folder_(std::move(folder)), notes_(notes) {}

  Result<KafkaMetadata> read() {
    const Files files = TRY(list_files(file_system_, folder_));
    if (files.snapshot) TRY(read_snapshot(*files.snapshot));
    TRY(read_log(files.segments));
    if (voter_count_ > 1) {
      notes_.push_back(
          fmt::format("{}: Kafka's metadata was agreed on by {} voters; the last changes in this copy may be "
                      "such as they "
                      "had not agreed on yet",
                      folder_, voter_count_));
    }
    return std::move(replay_).finish();
  }

 private:
  Result<void> read_snapshot(const Snapshot& snapshot) {
    const std::string path = storage::join_path(folder_, snapshot.name);
    const auto file = TRY(file_system_.open(path, storage::OpenMode::read));
    const FilePosition size = TRY(file->size());
    if (size > FilePosition(kKafkaSnapshotSizeMax)) return corrupt(path, "is too large");
    BatchWalk walk(*file, FilePosition(0), size, IoMode::may_block);
    bool is_whole = false;
    for (;;) {
      const auto place = walk.next();
      if (!place.ok()) return corrupt(path, place.error().detail);
      if (!*place) break;
      if (const auto fault = TRY(load(*file, **place))) return corrupt(path, *fault);
      is_whole = TRY(apply_batch(path, (*place)->header)) == kafka::ControlType::snapshot_footer;
    }
    if (!is_whole) return corrupt(path, "ends without its last record");
    next_ = snapshot.end;
    return {};
  }

  Result<void> read_log(const std::vector<Segment>& segments) {
    if (segments.empty()) return {};
    // The last one that begins at or below the first offset that is wanted.
    auto first = std::ranges::upper_bound(segments, next_, {}, &Segment::base);
    if (first == segments.begin()) {
      return corrupt(storage::join_path(folder_, first->name),
                     fmt::format("the records from offset {} on are missing before it", next_.value));
    }
    --first;
    Offset expected = first->base;
    for (auto segment = first; segment != segments.end(); ++segment) {
      const std::string path = storage::join_path(folder_, segment->name);
      if (segment->base != expected) {
        return corrupt(path,
                       fmt::format("the records from offset {} on are missing before it", expected.value));
      }
      const auto file = TRY(file_system_.open(path, storage::OpenMode::read));
      const auto damage = TRY(read_segment(*file, path, expected));
      if (damage) TRY(judge(*file, path, *damage, segment + 1 == segments.end()));
    }
    return {};
  }

  // `expected` moves on to the end. The log of a quorum has no gaps.
  Result<std::optional<Damage>> read_segment(const storage::File& file, const std::string& path,
                                             Offset& expected) {
    const FilePosition size = TRY(file.size());
    BatchWalk walk(file, FilePosition(0), size, IoMode::may_block);
    for (;;) {
      const FilePosition at = walk.position();
      const auto place = walk.next();
      if (!place.ok() && place.error().code != Errc::corrupt) return place.error();
      if (!place.ok()) return std::optional(Damage{at, place.error().detail});
      if (!*place) return std::optional<Damage>();
      const protocol::RecordBatchHeader& header = (*place)->header;
      if (header.base_offset != expected) {
        return std::optional(
            Damage{at, fmt::format("offset {} where {} was due", header.base_offset.value, expected.value)});
      }
      if (auto fault = TRY(load(file, **place))) return std::optional(Damage{at, *std::move(fault)});
      (void)TRY(apply_batch(path, header));
      expected = header.next_offset();
    }
  }

  // Into batch_; what is wrong with it, or nullopt.
  Result<std::optional<std::string>> load(const storage::File& file, const BatchPlace& place) {
    const std::size_t size = place.header.size();
    if (size > static_cast<std::size_t>(kKafkaMetadataBatchSizeMax)) {
      return std::optional(fmt::format("a batch of {} bytes at {}", size, place.position.value));
    }
    batch_.resize(size);
    if (TRY(file.read_at(place.position, batch_)) < size) {
      return std::optional(fmt::format("the batch at {} is cut off", place.position.value));
    }
    if (const auto good = protocol::check_crc(place.header, batch_); !good.ok()) {
      return std::optional(fmt::format("the batch at {}: {}", place.position.value, good.error().detail));
    }
    return std::optional<std::string>();
  }

  // The type of the last control record in it, if any.
  Result<std::optional<kafka::ControlType>> apply_batch(const std::string& path,
                                                        const protocol::RecordBatchHeader& header) {
    std::optional<kafka::ControlType> type;
    auto reader = protocol::RecordReader::open(header, batch_);
    protocol::Record record;
    while (reader.ok()) {
      const auto more = reader->next(record);
      if (!more.ok()) return corrupt(path, more.error().detail);
      if (!*more) return type;
      if (header.is_control()) {
        type = apply_control(record);
        continue;
      }
      if (record.offset < next_) continue;  // the snapshot has it
      const auto applied = replay_.apply(record.value.value_or(ByteView()));
      if (!applied.ok()) {
        return Error{applied.error().code, fmt::format("{}: the record at offset {}: {}", path,
                                                       record.offset.value, applied.error().detail)};
      }
    }
    return corrupt(path, reader.error().detail);
  }

  kafka::ControlType apply_control(const protocol::Record& record) {
    protocol::Decoder key(record.key.value_or(ByteView()));
    (void)key.integer<std::int16_t>();  // the version
    const auto type = static_cast<kafka::ControlType>(key.integer<std::int16_t>());
    if (type != kafka::ControlType::leader_change) return type;
    const ByteView value = record.value.value_or(ByteView());
    const auto version = protocol::Decoder(value).integer<std::int16_t>();
    protocol::Decoder in(value);
    kafka::LeaderChangeMessage message;
    if (protocol::decode(in, message, version).ok()) voter_count_ = message.voters.size();
    return type;
  }

  // Of the last segment damage is a torn tail, if nothing good comes behind it.
  Result<void> judge(const storage::File& file, const std::string& path, const Damage& damage, bool is_last) {
    const std::string what = fmt::format("damaged from byte {} on ({})", damage.position.value, damage.what);
    if (!is_last) return corrupt(path, what + ", and later segments follow");
    const ByteCount left = TRY(file.size()) - damage.position;
    if (left <= 0) return {};
    if (left > kKafkaMetadataBatchSizeMax || TRY(has_good_batch_behind(file, damage.position, left))) {
      return corrupt(path, what + ", and more than a torn batch follows");
    }
    notes_.push_back(fmt::format("{}: {}; what comes before is taken, as Kafka would", path, what));
    return {};
  }

  Result<bool> has_good_batch_behind(const storage::File& file, FilePosition from, ByteCount size) {
    Bytes bytes(static_cast<std::size_t>(size));
    bytes.resize(TRY(file.read_at(from, bytes)));
    return storage::has_good_batch_inside(bytes);
  }

  FileSystem& file_system_;
  const std::string folder_;
  std::vector<std::string>& notes_;
  KafkaMetadataReplay replay_;
  Offset next_{0};  // the first offset that the snapshot does not cover
  std::size_t voter_count_ = 0;
  Bytes batch_;
};

}  // namespace

Result<KafkaMetadata> read_kafka_metadata(FileSystem& file_system, const std::string& folder,
                                          std::vector<std::string>& notes) {
  return Reader(file_system, folder, notes).read();
}

Result<std::string> kafka_metadata_state(FileSystem& file_system, const std::string& folder) {
  const Files files = TRY(list_files(file_system, folder));
  std::string state = files.snapshot ? files.snapshot->name : "no snapshot";
  if (files.segments.empty()) return state;
  const std::string& last = files.segments.back().name;
  const auto file = TRY(file_system.open(storage::join_path(folder, last), storage::OpenMode::read));
  return fmt::format("{} {} {}", state, last, TRY(file->size()).value);
}

}  // namespace sillok::broker
