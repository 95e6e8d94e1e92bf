#include "broker/handlers/fetch_answer.h"

#include <vector>

#include "protocol/messages/fetch.h"

namespace sillok::broker {
namespace {

using namespace protocol;

// A slice up to this size is copied into the answer, which is one system call less than to send it from the
// file.
constexpr ByteCount kCopiedSliceBytes = 16 << 10;

// What a thread keeps of an answer for the next one.
constexpr std::size_t kKeptAnswerParts = 64;
constexpr std::size_t kKeptCopyBytes = 64 << 10;

// What an answer is made of, in memory that the thread keeps.
struct Answer {
  FetchResponse response;
  std::size_t topic_count = 0;
  std::size_t part_count = 0;
  std::vector<storage::FileSlice> slices;
  Bytes copied;  // of the small slices; one buffer, reserved so that views into it stay

  // Of the thread.
  static Answer& begin() {
    thread_local Answer answer;
    return answer;
  }
  void end() {
    if (topic_count + part_count > kKeptAnswerParts) response = {};
    topic_count = part_count = 0;
    slices.clear();
    copied.clear();
    if (slices.capacity() > kKeptAnswerParts) std::vector<storage::FileSlice>().swap(slices);
    if (copied.capacity() > kKeptCopyBytes) Bytes().swap(copied);
  }
};

std::size_t copied_size(const FetchParts& parts) {
  ByteCount size = 0;
  for (const FetchPart& part : parts.parts)
    size += part.slice.size <= kCopiedSliceBytes ? part.slice.size : 0;
  return static_cast<std::size_t>(size);
}

void describe(const FetchPart& part, FetchPartitionResponse& answer) {
  answer.index = part.target.index;
  answer.error_code = part.error;
  const bool has_offsets = part.error == ErrorCode::none;
  answer.high_watermark = has_offsets ? part.high_watermark : Offset(-1);
  if (!has_offsets) return;
  answer.last_stable_offset = part.high_watermark;  // no transactions: what is visible is stable
  answer.log_start_offset = part.log_start;
  if (part.diverging) {
    answer.diverging_epoch = {part.diverging->epoch, part.diverging->end_offset};
  }
}

void attach(const storage::FileSlice& slice, FetchPartitionResponse& answer, Answer& made) {
  Bytes& copied = made.copied;
  if (slice.size <= kCopiedSliceBytes) {
    const std::size_t start = copied.size();
    copied.resize(start + static_cast<std::size_t>(slice.size));
    const MutableByteView into = MutableByteView(copied).subspan(start);
    const auto read = slice.file->read_resident_at(slice.position, into);
    if (read.ok() && *read == into.size()) {
      answer.records = Records{into, 0};
      return;
    }
    copied.resize(start);
  }
  answer.records = Records{{}, static_cast<std::uint32_t>(slice.size)};
  made.slices.push_back(slice);
}

// The message's topic for the next partition. Arrays of earlier answers are used again.
FetchTopicResponse& topic_for(const FetchParts::Topic& topic, Answer& made) {
  auto& topics = made.response.responses;
  if (made.topic_count > 0) {
    FetchTopicResponse& last = topics[made.topic_count - 1];
    if (last.topic_id == topic.id && last.name == topic.name) return last;
  }
  if (made.topic_count == topics.size()) topics.emplace_back();
  FetchTopicResponse& next = topics[made.topic_count++];
  next.name = topic.name;
  next.topic_id = topic.id;
  next.partitions.clear();
  return next;
}

void add(const FetchPart& part, const FetchParts& parts, Answer& made) {
  FetchPartitionResponse& partition = topic_for(parts.topics[part.topic], made).partitions.emplace_back();
  ++made.part_count;
  describe(part, partition);
  // There are none. Kafka has an empty list, too, where it never came to look.
  const bool is_told = parts.isolation == IsolationLevel::read_committed && part.error == ErrorCode::none;
  if (is_told || part.missing != ErrorCode::none) partition.aborted_transactions.emplace();
  if (part.slice.size > 0) attach(part.slice, partition, made);
}

}  // namespace

void send_fetch_answer(PendingResponse& response, const FetchParts& parts, std::int32_t session_id) {
  Answer& made = Answer::begin();
  made.copied.reserve(copied_size(parts));
  bool has_unknown = false;
  for (const FetchPart& part : parts.parts) {
    has_unknown |= part.is_unknown();
    if (!part.is_left_out && !part.is_unknown()) add(part, parts, made);
  }
  if (has_unknown) {
    for (const FetchPart& part : parts.parts) {
      if (part.has_unknown_id()) add(part, parts, made);
    }
    for (const FetchPart& part : parts.parts) {
      if (part.is_unknown() && !part.has_unknown_id()) add(part, parts, made);
    }
  }
  made.response.responses.resize(made.topic_count);
  made.response.session_id = session_id;
  response.send(made.response, made.slices, made.copied.size());
  made.end();
}

void send_fetch_error(PendingResponse& response, ErrorCode error, std::int32_t session_id) {
  FetchResponse refusal;
  refusal.error_code = error;
  refusal.session_id = session_id;
  response.send(refusal);
}

}  // namespace sillok::broker
