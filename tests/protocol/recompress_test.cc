#include "protocol/recompress.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/batches.h"

namespace sillok::tests {
namespace {

using namespace protocol;

BatchMaker sample() {
  return batch()
      .producer(7, 3, 11)
      .record("k", std::string(2000, 'v'), 5)
      .tombstone("t", 9)
      .header("h", std::nullopt);
}

Result<Bytes> in_codec(ByteView batch, Codec codec, std::optional<int> level = std::nullopt) {
  const RecordBatchHeader header = header_of(batch);
  const PlainRecords records = TRY(plain_records(header, batch));
  return recompress(header, batch.first(kRecordBatchHeaderSize), records.view, codec, level);
}

TEST_CASE("recompress: every codec to every codec keeps records, producer and timestamps") {
  for (int from = 0; from <= 4; ++from) {
    for (int to = 0; to <= 4; ++to) {
      INFO("codec " << from << " to " << to);
      const Bytes before = sample().codec(static_cast<Codec>(from));
      const RecordBatchHeader header = header_of(before);
      const auto made = in_codec(before, static_cast<Codec>(to));
      REQUIRE(made.ok());
      const RecordBatchHeader after = header_of(*made);
      CHECK(after.codec() == static_cast<Codec>(to));
      CHECK(after.size() == made->size());
      CHECK(check_crc(after, *made).ok());
      CHECK(read_records(*made) == read_records(before));
      CHECK(after.producer_id == header.producer_id);
      CHECK(after.base_sequence == header.base_sequence);
      CHECK(after.max_timestamp == header.max_timestamp);
      CHECK(after.record_count == header.record_count);
    }
  }
}

TEST_CASE("recompress: attributes other than the codec stay") {
  const Bytes before = sample().codec(Codec::zstd).transactional().log_append_time();
  const auto made = in_codec(before, Codec::gzip, 1);
  REQUIRE(made.ok());
  CHECK(header_of(*made).is_transactional());
  CHECK(header_of(*made).timestamp_type() == TimestampType::log_append_time);
}

TEST_CASE("recompress: what does not decompress is an error") {
  Bytes bytes = sample().codec(Codec::gzip);
  bytes[kRecordBatchHeaderSize + 12] ^= std::byte{0x55};
  CHECK_FALSE(in_codec(bytes, Codec::none).ok());
}

}  // namespace
}  // namespace sillok::tests
