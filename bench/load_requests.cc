#include "bench/load_requests.h"

#include <fmt/format.h>

#include <string>

#include "bench/load_clock.h"
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
constexpr std::int64_t kLeaderWaitNs = 30'000'000'000;
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
    const std::string value = record_value(i, static_cast<std::size_t>(options.record_bytes));
    builder.append(now, std::nullopt, as_bytes(value));
  }
  return builder.build();
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

Result<Bytes> encode_produce(const LoadOptions& options, std::int32_t partition) {
  const Bytes batch = TRY(encode_batch(options));
  protocol::ProduceRequest request;
  request.acks = static_cast<std::int16_t>(options.acks);
  request.timeout_ms = kProduceTimeoutMs;
  protocol::ProducePartition part;
  part.index = PartitionIndex(partition);
  part.records = protocol::Records{batch, 0};
  request.topics.push_back({options.topic, {}, {part}});
  return encode_frame(request, kProduceVersion);
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

Result<FetchRequestBytes> encode_fetch(const LoadOptions& options, std::int32_t partition, FetchWait wait) {
  // Two encodings that differ in the offset alone show where it stands.
  FetchRequestBytes request;
  request.bytes = TRY(encode_frame(fetch_request(options, partition, wait, Offset(0)), kFetchVersion));
  const Offset marked(0x0101010101010101);
  const Bytes other = TRY(encode_frame(fetch_request(options, partition, wait, marked), kFetchVersion));
  while (request.bytes[request.offset_position] == other[request.offset_position]) ++request.offset_position;
  return request;
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

Result<BatchesSeen> walk_batches(ByteView records) {
  BatchesSeen seen;
  while (records.size() >= protocol::kRecordBatchHeaderSize) {
    const auto size = load_big_endian<std::int32_t>(records.data() + protocol::kBatchLengthPosition);
    const auto header = TRY(protocol::parse_record_batch_header(records));
    if (size < 0 || header.last_offset_delta < 0) return Error{Errc::malformed, "a batch header"};
    if (header.size() > records.size()) break;
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
  request.timeout_ms = 30'000;
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
  for (std::int32_t partition = 0; partition < options.partitions; ++partition) {
    for (auto end = end_offset(socket, options, partition); !end.ok();
         end = end_offset(socket, options, partition)) {
      if (end.error().code != Errc::broker_error || steady_clock_ns() > give_up) return end.error();
      pause_ns(1'000'000);
    }
  }
  return {};
}

Result<Offset> end_offset(Socket& socket, const LoadOptions& options, std::int32_t partition) {
  protocol::ListOffsetsRequest request;
  request.replica_id = BrokerId(-1);
  protocol::ListOffsetsPartition wanted;
  wanted.index = PartitionIndex(partition);
  wanted.timestamp = protocol::kLatestTimestamp;
  request.topics.push_back({options.topic, {wanted}});
  protocol::ListOffsetsResponse response;
  Bytes frame;
  TRY(call(socket, request, kListOffsetsVersion, response, frame));
  if (response.topics.size() != 1 || response.topics[0].partitions.size() != 1) {
    return Error{Errc::malformed, "a ListOffsets answer of another form"};
  }
  const auto& answer = response.topics[0].partitions[0];
  if (answer.error_code != ErrorCode::none) {
    return Error{Errc::broker_error, fmt::format("ListOffsets: {}", protocol::to_string(answer.error_code))};
  }
  return answer.offset;
}

}  // namespace sillok::bench
