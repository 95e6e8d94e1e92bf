#include "bench/floor_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "protocol/base/crc32c.h"
#include "protocol/record_batch_view.h"

namespace sillok::bench {
namespace {

constexpr ByteCount kIndexDistance = 4096;
// As the server reserves: nothing below the first, then doubling up to the second.
constexpr ByteCount kReserveSizeMin = 1 << 20;
constexpr ByteCount kReserveStepMax = 64 << 20;
constexpr std::size_t kLastOffsetDeltaPosition = 23;

}  // namespace

void must(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::_Exit(1);
}

FloorPartition::FloorPartition(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  must(descriptor_ >= 0, path.c_str());
}

FloorPartition::~FloorPartition() {
  if (reserved_ > end_.position) must(::ftruncate(descriptor_, end_.position.value) == 0, "ftruncate");
  ::close(descriptor_);
}

void FloorPartition::reserve(FilePosition end) {
  const ByteCount step = std::min(end_.position.value, kReserveStepMax);
  if (end <= reserved_ || step < kReserveSizeMin) return;
  reserved_ = std::max(end, end_.position + step);
  const off_t start = end_.position.value;
  must(::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, start, reserved_.value - start) == 0, "fallocate");
}

Offset FloorPartition::append(MutableByteView batch) {
  const std::byte* head = batch.data();
  const std::uint32_t crc = crc32c(batch.subspan(protocol::kAttributesPosition));
  must(crc == load_big_endian<std::uint32_t>(head + protocol::kCrcPosition), "a batch with another CRC");
  const auto last_delta = load_big_endian<std::int32_t>(head + kLastOffsetDeltaPosition);
  store_big_endian(batch.data() + protocol::kBaseOffsetPosition, end_.offset.value);
  store_big_endian(batch.data() + protocol::kLeaderEpochPosition, std::int32_t{0});
  const auto size = static_cast<ByteCount>(batch.size());
  reserve(end_.position + size);
  must(::pwrite(descriptor_, batch.data(), batch.size(), end_.position.value) == size, "pwrite");
  if (index_.empty() || end_.position - index_.back().position >= kIndexDistance) index_.push_back(end_);
  const Offset base = end_.offset;
  end_ = {base + last_delta + 1, end_.position + size};
  return base;
}

Place FloorPartition::find(Offset offset) const {
  auto after = std::upper_bound(index_.begin(), index_.end(), offset,
                                [](Offset wanted, const Place& place) { return wanted < place.offset; });
  Place place = *--after;
  std::byte head[protocol::kRecordBatchHeaderSize];
  for (;;) {
    must(::pread(descriptor_, head, sizeof head, place.position.value) == sizeof head, "pread");
    const Offset next = place.offset + load_big_endian<std::int32_t>(head + kLastOffsetDeltaPosition) + 1;
    if (next > offset) return place;
    const auto size = load_big_endian<std::int32_t>(head + protocol::kBatchLengthPosition);
    place = {next, place.position + (size + static_cast<ByteCount>(protocol::kRecordBatchOverhead))};
  }
}

Place FloorPartition::end_of_answer(Place from, ByteCount size) const {
  if (end_.position - from.position <= size) return end_;
  const auto by_position = [](FilePosition wanted, const Place& place) { return wanted < place.position; };
  const auto after = std::upper_bound(index_.begin(), index_.end(), from.position + size, by_position);
  if (const Place last = *(after - 1); last.position > from.position) return last;
  return after == index_.end() ? end_ : *after;
}

FloorTopic* FloorTopics::find(std::string_view name) {
  // Requests mostly name the topic that the last one named.
  if (last_found_ != nullptr && last_found_->name == name) return last_found_;
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : last_found_ = found->second;
}

FloorTopic& FloorTopics::create(std::string_view name, std::int32_t partitions) {
  FloorTopic& topic = *topics_.emplace_back(std::make_unique<FloorTopic>());
  topic.name = name;
  for (std::int32_t i = 0; i < partitions; ++i) {
    const std::string path = fmt::format("{}/{}-{}.log", directory_, name, i);
    topic.partitions.push_back(std::make_unique<FloorPartition>(path));
  }
  by_name_[topic.name] = &topic;
  return topic;
}

}  // namespace sillok::bench
