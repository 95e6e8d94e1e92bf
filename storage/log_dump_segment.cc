// The segments of log_dump.h, and the indexes beside them.
#include <fmt/format.h>

#include <algorithm>

#include "storage/batch_walk.h"
#include "storage/format.h"
#include "storage/log_dump.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"

namespace sillok::storage {
namespace {

using protocol::RecordBatchHeader;

constexpr std::size_t kHeaderSize = protocol::kRecordBatchHeaderSize;
// Of a key or value, as much is printed.
constexpr std::size_t kShownSizeMax = 1024;

std::string quoted(const std::optional<ByteView>& bytes) {
  if (!bytes) return "null";
  std::string text = "\"";
  for (const std::byte byte : bytes->first(std::min(bytes->size(), kShownSizeMax))) {
    const char c = static_cast<char>(byte);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  text += '"';
  if (bytes->size() > kShownSizeMax) text += fmt::format("...({} bytes)", bytes->size());
  return text;
}

std::string show(const RecordBatchHeader& header, FilePosition position) {
  std::string text = fmt::format(
      "batch position={} offsets={}..{} count={} size={} leader_epoch={} codec={} {}={} max_timestamp={}",
      position.value, header.base_offset.value, header.last_offset().value, header.record_count,
      header.size(), header.leader_epoch.value, header.attributes & 7,
      header.timestamp_type() == protocol::TimestampType::create_time ? "create_time" : "append_time",
      header.base_timestamp, header.max_timestamp);
  if (header.has_producer_id()) {
    text += fmt::format(" producer={} producer_epoch={} sequence={}..{}", header.producer_id.value,
                        header.producer_epoch.value, header.base_sequence, header.last_sequence());
  }
  if (header.is_transactional()) text += " transactional";
  if (header.is_control()) text += " control";
  return text + fmt::format(" crc={:08x}", header.crc);
}

bool is_all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

// The header at `position`; where there is none, what is wrong.
std::optional<RecordBatchHeader> header_at(const File& file, FilePosition position, FilePosition end,
                                           std::string& what) {
  std::byte buffer[kHeaderSize];
  const auto size = file.read_at(position, buffer);
  if (!size.ok()) {
    what = size.error().describe();
    return std::nullopt;
  }
  const ByteView bytes(buffer, *size);
  const auto header = protocol::parse_record_batch_header(bytes);
  if (!header.ok()) {
    what = is_all_zero(bytes) ? "zeros" : "no batch header: " + header.error().describe();
  } else if (!is_plausible(*header)) {
    what = "an implausible batch header";
  } else if (static_cast<std::int64_t>(header->size()) > end - position) {
    what = fmt::format("a batch of {} bytes crosses the end", header->size());
  } else {
    return *header;
  }
  return std::nullopt;
}

std::string log_path_of(const std::string& path, std::string_view suffix) {
  return path.substr(0, path.size() - suffix.size()) + std::string(kLogSuffix);
}

}  // namespace

void LogDump::dump_log(const std::string& path) {
  const auto name = parse_offset_file_name(path.substr(path.rfind('/') + 1));
  const Offset base = name ? name->base : Offset(0);
  const auto file = file_system_.open(path, OpenMode::read);
  if (!file.ok()) return problem("segment " + path, file.error());
  const auto end = (*file)->size();
  if (!end.ok()) return problem("segment " + path, end.error());
  title(fmt::format("segment {} size={}", path, end->value));
  FilePosition position;
  Offset next = base;
  std::int64_t batch_count = 0;
  std::int64_t record_count = 0;
  std::string what;
  while (position < *end) {
    const auto header = header_at(**file, position, *end, what);
    if (!header) break;
    if (header->base_offset < next) {
      line(DumpDetail::problems, show(*header, position),
           fmt::format("offsets go back: {} was next", next.value));
    } else {
      dump_batch(**file, *header, position);
    }
    next = std::max(next, header->next_offset());
    position += static_cast<std::int64_t>(header->size());
    ++batch_count;
    record_count += header->record_count;
  }
  if (position < *end)
    line(DumpDetail::problems, fmt::format("tail position={} size={}", position.value, *end - position),
         what);
  line(DumpDetail::batches,
       fmt::format("end next_offset={} batches={} records={}", next.value, batch_count, record_count));
}

void LogDump::dump_batch(const File& file, const RecordBatchHeader& header, FilePosition position) {
  const std::string shown = show(header, position);
  Bytes batch(header.size());
  const auto size = file.read_at(position, batch);
  if (!size.ok()) return problem(shown, size.error());
  if (*size != batch.size()) return line(DumpDetail::problems, shown, "the file became shorter");
  if (const auto checked = check_crc(header, batch); !checked.ok())
    return problem(shown + " (bad)", checked.error());
  line(DumpDetail::batches, shown + " (ok)");
  if (reads_records()) dump_records(header, batch);
}

void LogDump::dump_records(const RecordBatchHeader& header, ByteView batch) {
  const std::string where =
      fmt::format("records offsets={}..{}", header.base_offset.value, header.last_offset().value);
  auto reader = protocol::RecordReader::open(header, batch);
  if (!reader.ok()) return problem(where, reader.error());
  protocol::Record record;
  TimestampMs greatest = kNoTimestamp;
  for (;;) {
    const auto next = reader->next(record);
    if (!next.ok()) return problem(where, next.error());
    if (!*next) break;
    greatest = std::max(greatest, record.timestamp);
    if (detail_ != DumpDetail::records) continue;
    std::string text = fmt::format("record offset={} timestamp={} key={} value={}", record.offset.value,
                                   record.timestamp, quoted(record.key), quoted(record.value));
    for (const protocol::RecordHeader& each : record.headers) {
      text += fmt::format(" header={}:{}", quoted(as_bytes(each.key)), quoted(each.value));
    }
    line(DumpDetail::records, text);
  }
  if (greatest != header.max_timestamp) {
    line(DumpDetail::problems, where,
         fmt::format("the greatest timestamp is {}, not {}", greatest, header.max_timestamp));
  }
}

LogDump::SeenSegment LogDump::read_segment(const std::string& log_path) {
  SeenSegment seen;
  seen.log_path = log_path;
  const auto file = file_system_.open(log_path, OpenMode::read);
  if (!file.ok()) return seen;
  const auto end = (*file)->size();
  if (!end.ok()) return seen;
  seen.is_readable = true;
  std::string what;
  for (FilePosition position; position < *end;) {
    const auto header = header_at(**file, position, *end, what);
    if (!header) break;
    seen.batches.push_back({position.value, header->last_offset().value, header->max_timestamp});
    position += static_cast<std::int64_t>(header->size());
  }
  return seen;
}

const LogDump::SeenSegment& LogDump::segment_of(const std::string& log_path) {
  if (seen_.log_path != log_path) seen_ = read_segment(log_path);
  return seen_;
}

void LogDump::dump_offset_index(const std::string& path) {
  const auto content = read_file(file_system_, path, kIndexFileSizeMax);
  if (!content.ok()) return problem("index " + path, content.error());
  const std::size_t count = content->size() / kOffsetIndexEntrySize;
  const bool is_whole = content->size() % kOffsetIndexEntrySize == 0;
  line(DumpDetail::problems, fmt::format("index {} entries={}", path, count),
       is_whole ? "" : "half an entry at the end");
  const std::int64_t base = parse_offset_file_name(path.substr(path.rfind('/') + 1))->base.value;
  const SeenSegment& log = segment_of(log_path_of(path, kOffsetIndexSuffix));
  if (!log.is_readable) line(DumpDetail::problems, "index", "its .log cannot be read");
  OffsetIndexEntry before;
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = OffsetIndexEntry::decode(as_bytes(*content).data() + i * kOffsetIndexEntrySize);
    const auto found =
        std::lower_bound(log.batches.begin(), log.batches.end(), entry.position,
                         [](const SeenBatch& batch, std::int64_t wanted) { return batch.position < wanted; });
    std::string what;
    if (i > 0 && (entry.relative_offset <= before.relative_offset || entry.position <= before.position)) {
      what = "not past the entry before";
    } else if (log.is_readable && (found == log.batches.end() || found->position != entry.position)) {
      what = "no batch begins there";
    } else if (log.is_readable && found->last_offset != base + entry.relative_offset) {
      what = fmt::format("the batch there ends with offset {}", found->last_offset);
    }
    line(DumpDetail::batches,
         fmt::format("entry offset={} position={}", base + entry.relative_offset, entry.position), what);
    before = entry;
  }
}

void LogDump::dump_time_index(const std::string& path) {
  const auto content = read_file(file_system_, path, kIndexFileSizeMax);
  if (!content.ok()) return problem("time index " + path, content.error());
  const std::size_t count = content->size() / kTimeIndexEntrySize;
  const bool is_whole = content->size() % kTimeIndexEntrySize == 0;
  line(DumpDetail::problems, fmt::format("time index {} entries={}", path, count),
       is_whole ? "" : "half an entry at the end");
  const std::int64_t base = parse_offset_file_name(path.substr(path.rfind('/') + 1))->base.value;
  const SeenSegment& log = segment_of(log_path_of(path, kTimeIndexSuffix));
  if (!log.is_readable) line(DumpDetail::problems, "time index", "its .log cannot be read");
  TimeIndexEntry before;
  auto batch = log.batches.begin();
  TimestampMs greatest = kNoTimestamp;  // of the batches before `batch`
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = TimeIndexEntry::decode(as_bytes(*content).data() + i * kTimeIndexEntrySize);
    const std::int64_t offset = base + entry.relative_offset;
    std::string what;
    if (i > 0 && (entry.timestamp <= before.timestamp || entry.relative_offset <= before.relative_offset)) {
      what = "not past the entry before";
    } else if (log.is_readable) {
      for (; batch != log.batches.end() && batch->last_offset < offset; ++batch) {
        greatest = std::max(greatest, batch->max_timestamp);
      }
      if (batch == log.batches.end() || batch->last_offset != offset) {
        what = "no batch ends with that offset";
      } else if (batch->max_timestamp != entry.timestamp) {
        what = fmt::format("the batch there has the greatest timestamp {}", batch->max_timestamp);
      } else if (greatest >= entry.timestamp) {
        what = fmt::format("a batch before it has the timestamp {}", greatest);
      }
    }
    line(DumpDetail::batches, fmt::format("entry timestamp={} offset={}", entry.timestamp, offset), what);
    before = entry;
  }
}

}  // namespace sillok::storage
