// Produce and Fetch, read and answered where their fields must stand: one topic, one partition a request.
#include <unistd.h>

#include <algorithm>

#include "bench/floor_server.h"
#include "bench/load_clock.h"
#include "protocol/wire/encoder.h"

namespace sillok::bench {
namespace {

constexpr std::size_t kCopiedMax = 16 << 10;  // up to here a read and one send cost less than sendfile
constexpr std::uint32_t kOneElement = 2;      // of a compact array

// The only partition that a request names.
struct Target {
  FloorTopic* topic;
  std::int32_t index;
  FloorPartition* partition;
};

std::string_view read_string(protocol::Decoder& in) {
  return as_text(in.bytes(in.string_size(true).value_or(0)));
}

Target read_target(protocol::Decoder& in, FloorTopics& topics) {
  must(in.unsigned_varint() == kOneElement, "a request of one topic");
  const std::string_view name = read_string(in);
  must(in.unsigned_varint() == kOneElement, "a request of one partition");
  const auto index = in.integer<std::int32_t>();
  FloorTopic* topic = topics.find(name);
  if (topic == nullptr) topic = &topics.create(name, 1);
  must(in.ok() && static_cast<std::size_t>(index) < topic->partitions.size(), "a partition that is there");
  return {topic, index, topic->partitions[static_cast<std::size_t>(index)].get()};
}

void write_target(protocol::Encoder& out, std::string_view topic, std::int32_t index) {
  out.unsigned_varint(kOneElement);
  out.string_size(true, topic.size());
  out.bytes(as_bytes(topic));
  out.unsigned_varint(kOneElement);
  out.integer(index);
  out.integer(std::int16_t{0});  // no error
}

void close_frame(Bytes& out, std::size_t start, std::size_t more) {
  const std::size_t size = out.size() - start - sizeof(std::int32_t) + more;
  store_big_endian(out.data() + start, static_cast<std::int32_t>(size));
}

}  // namespace

void FloorServer::produce(FloorConnection& connection, protocol::Decoder& in, std::int32_t correlation_id,
                          MutableByteView frame) {
  read_string(in);  // the transactional id
  const auto acks = in.integer<std::int16_t>();
  in.integer<std::int32_t>();  // the time limit
  const Target target = read_target(in, topics_);
  const ByteView records = in.bytes(in.unsigned_varint() - 1);
  must(in.ok(), "a produce request of another form");
  const MutableByteView batch =
      frame.subspan(static_cast<std::size_t>(records.data() - frame.data()), records.size());
  const Offset base = target.partition->append(batch);
  if (!target.partition->waiters.empty()) woken_.push_back(target.partition);
  if (acks == 0) return;
  Bytes& bytes = connection.out;
  const std::size_t start = bytes.size();
  if (acks < 0 && flusher_.mode() != FlushMode::none) {
    const std::uint64_t hand_over = flusher_.add(*target.partition, batch);
    if (connection.gates.empty()) gated_.push_back(&connection);
    if (connection.gates.empty() || connection.gates.back().hand_over != hand_over) {
      connection.gates.push_back({hand_over, start});
    }
  }
  {
    protocol::Encoder out(bytes);
    out.integer(std::int32_t{0});  // the size
    out.integer(correlation_id);
    out.unsigned_varint(0);
    write_target(out, target.topic->name, target.index);
    out.integer(base.value);
    out.integer(std::int64_t{-1});  // the append time
    out.integer(std::int64_t{0});   // the log start
    out.unsigned_varint(1);         // no record errors
    out.unsigned_varint(0);         // no message
    out.unsigned_varint(0);
    out.unsigned_varint(0);
    out.integer(std::int32_t{0});  // the throttle time
    out.unsigned_varint(0);
  }
  close_frame(bytes, start, 0);
}

void FloorServer::fetch(FloorConnection& connection, protocol::Decoder& in, std::int32_t correlation_id) {
  FloorFetch& fetch = connection.fetch;
  fetch.correlation_id = correlation_id;
  in.integer<std::int32_t>();  // the replica
  fetch.max_wait_ms = in.integer<std::int32_t>();
  in.integer<std::int32_t>();  // the least bytes: one
  in.integer<std::int32_t>();  // the most of all partitions, which are one
  in.integer<std::int8_t>();
  in.integer<std::int64_t>();  // the session
  const Target target = read_target(in, topics_);
  fetch.topic = target.topic->name;
  fetch.index = target.index;
  fetch.partition = target.partition;
  in.integer<std::int32_t>();  // the epoch
  fetch.offset = Offset(in.integer<std::int64_t>());
  in.integer<std::int32_t>();
  in.integer<std::int64_t>();
  fetch.max_bytes = in.integer<std::int32_t>();
  must(in.ok() && fetch.offset <= fetch.partition->end().offset, "a fetch within the log");
  if (fetch.offset < fetch.partition->end().offset || fetch.max_wait_ms <= 0) return answer_fetch(connection);
  connection.fetch_waits = true;
  connection.give_up_ms = clock_ns(CLOCK_MONOTONIC) / 1'000'000 + fetch.max_wait_ms;
  next_give_up_ms_ =
      waiting_.empty() ? connection.give_up_ms : std::min(next_give_up_ms_, connection.give_up_ms);
  waiting_.push_back(&connection);
  fetch.partition->waiters.push_back(&connection);
}

void FloorServer::answer_fetch(FloorConnection& connection) {
  const FloorFetch& fetch = connection.fetch;
  FloorPartition& partition = *fetch.partition;
  const Place log_end = partition.end();
  Place from = log_end;
  if (fetch.offset < log_end.offset) {
    const bool follows =
        connection.last_partition == &partition && connection.last_end.offset == fetch.offset;
    from = follows ? connection.last_end : partition.find(fetch.offset);
  }
  const Place end = from.offset < log_end.offset ? partition.end_of_answer(from, fetch.max_bytes) : from;
  connection.last_partition = &partition;
  connection.last_end = end;
  const auto size = static_cast<std::size_t>(end.position - from.position);
  Bytes& bytes = connection.out;
  const std::size_t start = bytes.size();
  {
    protocol::Encoder out(bytes);
    out.integer(std::int32_t{0});  // the size
    out.integer(fetch.correlation_id);
    out.unsigned_varint(0);
    out.integer(std::int32_t{0});  // the throttle time
    out.integer(std::int16_t{0});
    out.integer(std::int32_t{0});  // no session
    write_target(out, fetch.topic, fetch.index);
    out.integer(log_end.offset.value);
    out.integer(log_end.offset.value);
    out.integer(std::int64_t{0});   // the log start
    out.unsigned_varint(0);         // no aborted transactions
    out.integer(std::int32_t{-1});  // no other replica
    out.unsigned_varint(static_cast<std::uint32_t>(size + 1));
  }
  close_frame(bytes, start, size + kFloorTailSize);
  if (size > kCopiedMax) {
    connection.slice_descriptor = partition.descriptor();
    connection.slice_position = from.position.value;
    connection.slice_left = size;
    connection.tail_left = kFloorTailSize;
    return;
  }
  const std::size_t records = bytes.size();
  bytes.resize(records + size + kFloorTailSize);
  const ssize_t read = ::pread(partition.descriptor(), bytes.data() + records, size, from.position.value);
  must(read == static_cast<ssize_t>(size), "pread");
}

void FloorServer::end_wait(FloorConnection& connection) {
  connection.fetch_waits = false;
  std::erase(waiting_, &connection);
  std::erase(connection.fetch.partition->waiters, &connection);
}

void FloorServer::answer_woken() {
  while (!woken_.empty()) {
    FloorPartition& partition = *woken_.back();
    woken_.pop_back();
    while (!partition.waiters.empty()) {
      FloorConnection& connection = *partition.waiters.back();
      end_wait(connection);
      answer_fetch(connection);
      serve(connection);
    }
  }
}

void FloorServer::give_up_waits() {
  const std::int64_t now = clock_ns(CLOCK_MONOTONIC) / 1'000'000;
  std::vector<FloorConnection*> late;
  next_give_up_ms_ = now + 3'600'000;
  for (FloorConnection* connection : waiting_) {
    if (connection->give_up_ms <= now) {
      late.push_back(connection);
    } else {
      next_give_up_ms_ = std::min(next_give_up_ms_, connection->give_up_ms);
    }
  }
  for (FloorConnection* connection : late) {
    if (!connection->fetch_waits) continue;
    end_wait(*connection);
    answer_fetch(*connection);
    serve(*connection);
  }
}

}  // namespace sillok::bench
