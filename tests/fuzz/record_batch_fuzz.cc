// A record batch, as a producer or a fetch answer brings it: header, judgement, records. The first byte says
// whether its checksum is made to fit, and by which rules it is judged.
#include "protocol/record_batch_validator.h"
#include "protocol/record_batch_view.h"
#include "tests/fuzz/target.h"
#include "tests/support/batches.h"

namespace sillok::fuzz {
namespace {

using namespace protocol;

constexpr std::size_t kDecompressedMax = 1 << 20;

void read_all(const RecordBatchHeader& header, ByteView batch) {
  auto reader = RecordReader::open(header, batch, kDecompressedMax);
  if (!reader.ok()) return;
  Record record;
  std::int64_t count = 0;
  for (;;) {
    const auto more = reader->next(record);
    if (!more.ok()) return;
    if (!*more) break;
    ++count;
    CHECK(count <= header.record_count);
  }
  CHECK(count == header.record_count);
}

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const bool fits = choices.flip();
  const bool is_accepted = choices.flip();
  const KeyRule keys = choices.flip() ? KeyRule::required : KeyRule::optional;
  Bytes bytes(choices.rest().begin(), choices.rest().end());
  if (fits) renew_batch_crcs(bytes);
  BatchRules rules;
  if (is_accepted) rules.timestamp_after_max_ms = rules.timestamp_before_max_ms;
  const auto judged = check_batch(bytes, rules, tests::kBatchTimestamp);
  if (judged.ok()) {
    CHECK(judged->size() == bytes.size());
    if (const auto records = plain_records(*judged, bytes); records.ok())
      (void)check_records(*judged, records->view, rules, keys, tests::kBatchTimestamp);
  }
  const auto header = parse_record_batch_header(bytes);
  if (!header.ok() || header->size() > bytes.size()) return;
  const MutableByteView batch = MutableByteView(bytes).first(header->size());
  (void)header->last_sequence();
  (void)header->next_offset();
  if (check_crc(*header, batch).ok()) read_all(*header, batch);
  // What the broker writes into it leaves it as sound as it was.
  set_base_offset(batch, Offset(1000));
  set_leader_epoch(batch, LeaderEpoch(3));
  set_log_append_time(batch, 5);
  const auto stamped = parse_record_batch_header(batch);
  CHECK(stamped.ok());
  CHECK(check_crc(*stamped, batch).ok());
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all;
  for (const Golden& golden : golden_files("protocol/golden_batches", "")) {
    all.push_back(with_choices({0, 1, 0}, golden.bytes));
    all.push_back(with_choices({1, 1, 1}, golden.bytes));
  }
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    all.push_back(with_choices({1, 1, 0}, tests::batch().records(5).header("h", "v").codec(codec).bytes()));
    all.push_back(
        with_choices({1, 0, 0}, tests::batch().producer(9, 1, 4).null_record().codec(codec).bytes()));
  }
  return all;
}

}  // namespace sillok::fuzz
