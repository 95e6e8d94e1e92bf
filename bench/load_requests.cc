#include "bench/load_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "bench/load_clock.h"
#include "protocol/base/crc32c.h"
#include "protocol/base/varint.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/fetch.h"
#include "protocol/messages/list_offsets.h"
#include "protocol/messages/metadata.h"
#include "protocol/messages/produce.h"
#include "protocol/record_batch_builder.h"

namespace sillok::bench {
namespace {

using protocol::ErrorCode;

constexpr std::int32_t kProduceTimeoutMs = 30'000;
constexpr std::int64_t kLeaderWaitNs = 120'000'000'000;
constexpr std::int32_t kCreateTimeoutMs = 110'000;
constexpr std::string_view kStampMark = "sillok@:";
constexpr std::string_view kClientId = "sillok_load";

template <protocol::Message Request>
Result<Bytes> encode_frame(const Request& request, protocol::Version version) {
  Bytes bytes;
  const protocol::RequestHeader header{static_cast<std::int16_t>(Request::kKey), version, 0, kClientId};
  TRY(protocol::encode_request_frame(bytes, request, header));
  return bytes;
}

// Printable and not constant, so that a codec or a file system that compresses meets something like text.
std::string record_value(std::int64_t record, std::size_t size) {
  std::string value;
  value.reserve(size);
  auto state = static_cast<std::uint64_t>(record) + 0x9e3779b97f4a7c15ULL;
  while (value.size() < size) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    value.push_back(static_cast<char>('a' + (state >> 33) % 26));
  }
  return value;
}

Result<Bytes> encode_batch(const LoadOptions& options) {
  protocol::RecordBatchBuilder builder;
  const TimestampMs now = wall_clock_ms();
  for (std::int64_t i = 0; i < options.records; ++i) {
    std::string value = record_value(i, static_cast<std::size_t>(options.record_bytes));
    if (options.has_stamps && i == 0) value.replace(0, kStampMark.size(), kStampMark);
    builder.append(now, std::nullopt, as_bytes(value));
  }
  return builder.build();
}

// Where two encodings that differ in one integer do so.
std::size_t first_difference(const Bytes& a, const Bytes& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

// Differs from 0 in every byte.
constexpr std::int32_t kOtherPartition = 0x01010101;
constexpr Offset kOtherOffset{0x0101010101010101};

Result<Bytes> encode_produce_frame(const LoadOptions& options, ByteView batch, std::int32_t partition) {
  protocol::ProduceRequest request;
  request.acks = static_cast<std::int16_t>(options.acks);
  request.timeout_ms = kProduceTimeoutMs;
  protocol::ProducePartition part;
  part.index = PartitionIndex(partition);
  part.records = protocol::Records{batch, 0};
  request.topics.push_back({options.topic, {}, {part}});
  return encode_frame(request, kProduceVersion);
}

protocol::FetchRequest fetch_request(const LoadOptions& options, std::int32_t partition, FetchWait wait,
                                     Offset offset) {
  protocol::FetchRequest request;
  request.max_wait_ms = wait.max_wait_ms;
  request.min_bytes = wait.min_bytes;
  request.max_bytes = static_cast<std::int32_t>(options.max_bytes);
  protocol::FetchPartition wanted;
  wanted.index = PartitionIndex(partition);
  wanted.fetch_offset = offset;
  wanted.max_bytes = static_cast<std::int32_t>(options.max_bytes);
  request.topics.push_back({options.topic, {}, {wanted}});
  return request;
}

Result<bool> has_leaders(Socket& socket, const LoadOptions& options) {
  protocol::MetadataRequest request;
  request.topics.emplace().push_back({{}, options.topic});
  request.allow_auto_topic_creation = false;
  protocol::MetadataResponse response;
  Bytes frame;
  TRY(call(socket, request, kMetadataVersion, response, frame));
  if (response.topics.size() != 1 || response.topics[0].error_code != ErrorCode::none) return false;
  const auto& partitions = response.topics[0].partitions;
  if (static_cast<std::int64_t>(partitions.size()) < options.partitions) {
    return Error{Errc::invalid_argument,
                 fmt::format("topic {} has {} partitions only", options.topic, partitions.size())};
  }
  for (const auto& partition : partitions) {
    if (partition.error_code != ErrorCode::none || partition.leader_id.value < 0) return false;
  }
  return true;
}

}  // namespace

Result<ProduceRequestBytes> encode_produce(const LoadOptions& options) {
  const Bytes batch = TRY(encode_batch(options));
  ProduceRequestBytes request;
  request.bytes = TRY(encode_produce_frame(options, batch, 0));
  request.partition_position =
      first_difference(request.bytes, TRY(encode_produce_frame(options, batch, kOtherPartition)));
  request.batch_size = batch.size();
  request.batch_position = static_cast<std::size_t>(
      std::search(request.bytes.begin(), request.bytes.end(), batch.begin(), batch.end()) -
      request.bytes.begin());
  if (options.has_stamps) {
    const std::string_view text = as_text(request.bytes);
    request.stamp_position =
        text.find(kStampMark, request.batch_position + protocol::kRecordBatchHeaderSize) + kStampMark.size();
  }
  return request;
}

void ProduceRequestBytes::set_stamp(std::int64_t time_ns) {
  SILLOK_CHECK(stamp_position > 0);
  store_big_endian(bytes.data() + stamp_position, time_ns);
  const MutableByteView batch = MutableByteView(bytes).subspan(batch_position, batch_size);
  store_big_endian(batch.data() + protocol::kCrcPosition,
                   crc32c(batch.subspan(protocol::kAttributesPosition)));
}

std::optional<std::int64_t> read_stamp(ByteView batch) {
  // Length, attributes, deltas and a key of null stand before the first value: a few bytes.
  constexpr std::size_t kBeforeMax = 32;
  const std::size_t end = protocol::kRecordBatchHeaderSize + kBeforeMax + kStampMark.size();
  const std::size_t mark =
      as_text(batch.first(std::min(batch.size(), end))).find(kStampMark, protocol::kRecordBatchHeaderSize);
  if (mark == std::string_view::npos) return std::nullopt;
  const std::size_t position = mark + kStampMark.size();
  if (batch.size() - position < sizeof(std::int64_t)) return std::nullopt;
  return load_big_endian<std::int64_t>(batch.data() + position);
}

Result<ProduceAnswer> read_produce_answer(ByteView frame, std::size_t topic_size) {
  // correlation id, tags, one topic, its name, one partition, its index; then error code and base offset.
  const std::size_t name = 4 + 1 + 1;
  const std::size_t index = name + unsigned_varint_size(topic_size + 1) + topic_size + 1;
  if (frame.size() < index + 4 + 2 + 8 || frame[4] != std::byte{0} || frame[5] != std::byte{2} ||
      frame[index - 1] != std::byte{2}) {
    return Error{Errc::malformed, "a produce answer of another form"};
  }
  ProduceAnswer answer;
  answer.correlation_id = load_big_endian<std::int32_t>(frame.data());
  answer.error = static_cast<ErrorCode>(load_big_endian<std::int16_t>(frame.data() + index + 4));
  answer.base_offset = Offset(load_big_endian<std::int64_t>(frame.data() + index + 6));
  return answer;
}

Result<FetchRequestBytes> encode_fetch(const LoadOptions& options, FetchWait wait) {
  const auto encoded = [&](std::int32_t partition, Offset offset) {
    return encode_frame(fetch_request(options, partition, wait, offset), kFetchVersion);
  };
  FetchRequestBytes request;
  request.bytes = TRY(encoded(0, Offset(0)));
  request.partition_position = first_difference(request.bytes, TRY(encoded(kOtherPartition, Offset(0))));
  request.offset_position = first_difference(request.bytes, TRY(encoded(0, kOtherOffset)));
  return request;
}

Result<Bytes> encode_metadata(const LoadOptions& options) {
  protocol::MetadataRequest request;
  if (options.topics_asked == TopicsAsked::one) request.topics.emplace().push_back({{}, options.topic});
  request.allow_auto_topic_creation = false;
  return encode_frame(request, kMetadataVersion);
}

Result<ErrorCode> read_metadata_error(ByteView frame) {
  protocol::Decoder in(frame);
  protocol::decode_response_header<protocol::MetadataResponse>(in, kMetadataVersion);
  protocol::MetadataResponse response;
  TRY(protocol::decode(in, response, kMetadataVersion));
  for (const protocol::MetadataTopic& topic : response.topics) {
    if (topic.error_code != ErrorCode::none) return topic.error_code;
  }
  return ErrorCode::none;
}

Result<FetchAnswer> read_fetch_answer(ByteView frame) {
  protocol::Decoder in(frame);
  FetchAnswer answer;
  answer.correlation_id =
      protocol::decode_response_header<protocol::FetchResponse>(in, kFetchVersion).correlation_id;
  protocol::FetchResponse response;
  TRY(protocol::decode(in, response, kFetchVersion));
  answer.error = response.error_code;
  if (answer.error != ErrorCode::none) return answer;
  if (response.responses.size() != 1 || response.responses[0].partitions.size() != 1) {
    return Error{Errc::malformed, "a fetch answer of another form"};
  }
  const auto& partition = response.responses[0].partitions[0];
  answer.error = partition.error_code;
  answer.high_watermark = partition.high_watermark;
  if (partition.records) answer.records = partition.records->bytes;
  return answer;
}

Result<BatchesSeen> walk_batches(ByteView records, const SeeBatch& see) {
  BatchesSeen seen;
  while (records.size() >= protocol::kRecordBatchHeaderSize) {
    const auto size = load_big_endian<std::int32_t>(records.data() + protocol::kBatchLengthPosition);
    const auto header = TRY(protocol::parse_record_batch_header(records));
    if (size < 0 || header.last_offset_delta < 0) return Error{Errc::malformed, "a batch header"};
    if (header.size() > records.size()) break;
    if (see) see(records.first(header.size()));
    ++seen.batches;
    seen.records += header.record_count;
    seen.next_offset = header.next_offset();
    records = records.subspan(header.size());
  }
  return seen;
}

Result<ErrorCode> create_topic(Socket& socket, const LoadOptions& options) {
  protocol::CreateTopicsRequest request;
  protocol::CreateTopicsTopic topic;
  topic.name = options.topic;
  topic.num_partitions = static_cast<std::int32_t>(options.partitions);
  topic.replication_factor = 1;
  for (const TopicSetting& setting : options.topic_settings)
    topic.configs.push_back({setting.name, setting.value});
  request.topics.push_back(topic);
  request.timeout_ms = kCreateTimeoutMs;
  protocol::CreateTopicsResponse response;
  Bytes frame;
  TRY(call(socket, request, kCreateTopicsVersion, response, frame));
  if (response.topics.size() != 1) return Error{Errc::malformed, "a CreateTopics answer of another form"};
  const ErrorCode code = response.topics[0].error_code;
  return code == ErrorCode::topic_already_exists ? ErrorCode::none : code;
}

Result<void> prepare_topic(Socket& socket, const LoadOptions& options) {
  const ErrorCode created = TRY(create_topic(socket, options));
  if (created != ErrorCode::none) {
    return Error{Errc::broker_error,
                 fmt::format("topic {}: {}", options.topic, protocol::to_string(created))};
  }
  const std::int64_t give_up = steady_clock_ns() + kLeaderWaitNs;
  while (!TRY(has_leaders(socket, options))) {
    if (steady_clock_ns() > give_up) return Error{Errc::timed_out, "no leader for " + options.topic};
    pause_ns(1'000'000);
  }
  // A leader may be known before it serves.
  for (auto ends = list_offsets(socket, options, protocol::kLatestTimestamp); !ends.ok();
       ends = list_offsets(socket, options, protocol::kLatestTimestamp)) {
    if (ends.error().code != Errc::broker_error || steady_clock_ns() > give_up) return ends.error();
    pause_ns(1'000'000);
  }
  return {};
}

Result<std::vector<Offset>> list_offsets(Socket& socket, const LoadOptions& options, TimestampMs timestamp) {
  protocol::ListOffsetsRequest request;
  request.replica_id = BrokerId(-1);
  auto& topic = request.topics.emplace_back();
  topic.name = options.topic;
  for (std::int32_t i = 0; i < options.partitions; ++i) {
    topic.partitions.push_back({PartitionIndex(i), LeaderEpoch(-1), timestamp});
  }
  protocol::ListOffsetsResponse response;
  Bytes frame;
  TRY(call(socket, request, kListOffsetsVersion, response, frame));
  if (response.topics.size() != 1) return Error{Errc::malformed, "a ListOffsets answer of another form"};
  std::vector<Offset> offsets(topic.partitions.size(), Offset(-1));
  for (const auto& answer : response.topics[0].partitions) {
    if (answer.error_code != ErrorCode::none) {
      return Error{Errc::broker_error,
                   fmt::format("ListOffsets: {}", protocol::to_string(answer.error_code))};
    }
    const auto index = static_cast<std::size_t>(answer.index.value);
    if (index < offsets.size()) offsets[index] = answer.offset;
  }
  const bool has_all = std::find(offsets.begin(), offsets.end(), Offset(-1)) == offsets.end();
  if (!has_all) return Error{Errc::malformed, "a ListOffsets answer without all partitions"};
  return offsets;
}

}  // namespace sillok::bench
