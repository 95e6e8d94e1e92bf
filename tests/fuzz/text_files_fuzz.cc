// The small text files of a log directory. The first byte says which. What is read and written again reads
// the same.
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/stored_length.h"
#include "storage/checkpoint_file.h"
#include "storage/clean_shutdown.h"
#include "storage/leader_epochs.h"
#include "storage/meta_properties.h"
#include "storage/partition_metadata.h"
#include "tests/fuzz/disk.h"
#include "tests/support/mem_file_system.h"

namespace sillok::fuzz {
namespace {

using namespace storage;

void read_checkpoint(std::string_view text) {
  const auto entries = parse_offset_checkpoint(text);
  if (!entries.ok()) return;
  const auto again = parse_offset_checkpoint(serialize_offset_checkpoint(*entries));
  CHECK(again.ok());
  CHECK(*again == *entries);
}

void read_epochs(std::string_view text) {
  const auto epochs = LeaderEpochs::parse(text);
  if (!epochs.ok()) return;
  epochs->check_invariants();
  const auto again = LeaderEpochs::parse(epochs->serialize());
  CHECK(again.ok());
  CHECK(again->entries() == epochs->entries());
  LeaderEpochs changed = *epochs;
  (void)changed.end_offset_for(LeaderEpoch(5), Offset(100));
  changed.truncate_from_start(Offset(10));
  changed.assign(LeaderEpoch(7), Offset(50));
  changed.truncate_from_end(Offset(40));
  changed.check_invariants();
}

void read_mark(std::string_view text) {
  const auto mark = parse_clean_shutdown_mark(text);
  if (!mark.ok()) return;
  const auto again = parse_clean_shutdown_mark(serialize_clean_shutdown_mark(*mark));
  CHECK(again.ok());
  CHECK(*again == *mark);
}

void read_metadata(std::string_view text) {
  const auto id = parse_partition_metadata(text);
  if (!id.ok()) return;
  CHECK(*parse_partition_metadata(serialize_partition_metadata(*id)) == *id);
}

void read_properties(std::string_view text) {
  const auto properties = parse_meta_properties(text);
  if (properties.ok()) CHECK(parse_meta_properties(serialize_meta_properties(*properties)).ok());
}

void read_length(std::string_view text) {
  tests::MemFileSystem disk;
  put_file(disk, "/length", as_bytes(text));
  const auto length = broker::read_stored_length(disk, "/length");
  if (length.ok()) CHECK(*length >= 0);
}

void read_records(std::string_view text) {
  if (const auto record = broker::decode_topic_record("topic/t", text); record.ok()) {
    CHECK(broker::decode_topic_record("topic/t", broker::encode(*record)).ok());
  }
  if (const auto record = broker::decode_unfinished_record("unfinished/u", text); record.ok()) {
    CHECK(broker::decode_unfinished_record("unfinished/u", broker::encode(*record)).ok());
  }
  if (const auto next = broker::decode_next_producer_id(text); next.ok()) CHECK(*next >= 0);
}

constexpr void (*kReaders[])(std::string_view) = {read_checkpoint, read_epochs, read_mark,   read_metadata,
                                                  read_properties, read_length, read_records};

}  // namespace

void run(ByteView input) {
  Choices choices(input);
  const std::size_t reader = choices.choose(std::size(kReaders));
  kReaders[reader](as_text(choices.rest()));
}

std::vector<Bytes> seeds() {
  const auto text = [](std::uint8_t reader, std::string_view content) {
    return with_choices({reader}, as_bytes(content));
  };
  const std::vector<PartitionOffset> offsets = {{"orders", PartitionIndex(0), Offset(12)},
                                                {"a.b-c", PartitionIndex(11), Offset(9'000'000'000)}};
  LeaderEpochs epochs;
  epochs.assign(LeaderEpoch(0), Offset(0));
  epochs.assign(LeaderEpoch(3), Offset(20));
  tests::MemFileSystem disk;
  CHECK(broker::write_stored_length(disk, "/length", 4711).ok());
  const TopicId id{{1, 2, 3}};
  const Bytes length = content_of(disk, "/length");
  return {
      text(0, serialize_offset_checkpoint(offsets)),
      text(0, "0\n0\n"),
      text(1, epochs.serialize()),
      text(2, serialize_clean_shutdown_mark({5, 17})),
      text(2, serialize_clean_shutdown_mark({-1, std::nullopt})),
      text(3, serialize_partition_metadata(id)),
      text(4,
           "#Sat Nov 28 16:00:00 UTC "
           "2026\ncluster.id=abc\nversion=1\nnode.id=1\ndirectory.id=AAAAAAAAQACAAAAAAAAAAQ\n"),
      text(5, as_text(length)),
      text(6, broker::encode(broker::TopicRecord{id, 3, {{"retention.ms", "1000"}}})),
      text(6, broker::encode(broker::UnfinishedRecord{"t", 1, {}, broker::UnfinishedRecord::Work::deletion})),
      text(6, broker::encode_next_producer_id(1000)),
  };
}

}  // namespace sillok::fuzz
