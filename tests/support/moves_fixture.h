// A broker with three log directories in memory, without network and topics, whose moves a test steps
// through; and what the start after a crash does with them.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/move_recorder.h"
#include "broker/partition_moves.h"
#include "broker/partitions.h"
#include "storage/meta_properties.h"
#include "storage/text_file.h"
#include "tests/support/memory_log_dir.h"
#include "tests/support/partition_fixture.h"

namespace sillok::tests {

inline constexpr const char* kTopic = "orders";
inline const TopicId kOrdersId = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");

// Keeps the record of one partition in a file of the disk.
class FileMoveRecorder final : public broker::MoveRecorder {
 public:
  explicit FileMoveRecorder(storage::FileSystem& files) : files_(files) {}

  Result<void> record_move(const std::string& topic, const TopicId& topic_id, PartitionIndex partition,
                           const Uuid& from, const Uuid& to) override {
    calls.push_back("record " + topic + "-" + std::to_string(partition.value));
    CHECK(topic_id == kOrdersId);
    if (fails && !is_there_all_the_same) return Error{Errc::io_error, "made to fail by the test"};
    TRY(storage::replace_file(files_, "/record", from.to_string() + to.to_string()));
    if (fails) return Error{Errc::io_error, "made to fail by the test"};
    return {};
  }
  Result<void> take_back(const std::string& topic, const TopicId& /*topic_id*/, PartitionIndex partition,
                         const Uuid& /*from*/) override {
    calls.push_back("take back " + topic + "-" + std::to_string(partition.value));
    if (take_back_error) return *take_back_error;
    return drop();
  }
  Result<void> end_move(const std::string& topic, const TopicId& /*topic_id*/,
                        PartitionIndex partition) override {
    calls.push_back("end " + topic + "-" + std::to_string(partition.value));
    return drop();
  }
  // From, and to.
  std::optional<std::pair<Uuid, Uuid>> recorded() const {
    const auto text = storage::read_file(files_, "/record", 100);
    if (!text.ok()) return std::nullopt;
    return std::pair(*Uuid::parse(text->substr(0, 22)), *Uuid::parse(text->substr(22)));
  }
  std::vector<std::string> calls;
  bool fails = false;
  bool is_there_all_the_same = false;
  std::optional<Error> take_back_error;

 private:
  Result<void> drop() {
    TRY(files_.remove("/record"));
    return files_.sync_directory("/");
  }
  storage::FileSystem& files_;
};

class MovesFixture {
 public:
  MovesFixture() { start(); }
  ~MovesFixture() {
    for (const auto& directory : directories) directory->flusher.stop();
  }

  struct Directory {
    explicit Directory(const storage::Clock& clock)
        : flusher(1, clock), device(clock, flusher, writer, 1 << 30) {}
    std::unique_ptr<storage::LogDir> log_dir;
    Uuid id;
    storage::Flusher flusher;
    HeldExecutor writer;
    broker::Device device;
  };

  // The directory `away` is not there: missing, or given up for good.
  enum class Away { missing, lost };
  void start(std::string_view away = "", Away how = Away::missing) {
    broker::Partitions::Places places;
    for (const char* path : {"/a", "/b", "/c"}) {
      if (path == away) {
        const auto meta = storage::read_meta_properties(files, path);
        if (how == Away::missing) places.missing.push_back(*meta.value()->directory_id);
        continue;
      }
      auto directory = std::make_unique<Directory>(clock);
      directory->log_dir = open_log_dir(files, clock, path);
      directory->id = directory->log_dir->require_directory_id().value();
      places.open.push_back({directory->log_dir.get(), &directory->device, directory->id});
      directories.push_back(std::move(directory));
    }
    places.are_several = true;
    partitions = std::make_unique<broker::Partitions>(std::move(places), 1);
    moves = std::make_unique<broker::PartitionMoves>(*partitions, clock, background, control);
    moves->use(recorder);
    partitions->use(*moves);
    REQUIRE(partitions->find().ok());
  }
  // The process is killed, with what it had under way; nothing fails any more.
  void crash(std::uint64_t seed, CrashMode mode) {
    memory.crash(seed, mode);
    files.clear();
    background.drop_all();
    control.drop_all();
    moves.reset();
    partitions.reset();
    for (const auto& directory : directories) directory->flusher.stop();
    directories.clear();
  }

  broker::PartitionHost::Opening opening(std::optional<std::size_t> directory = std::nullopt) const {
    return {kTopic, PartitionIndex(0), kOrdersId, config, LeaderEpoch(0), directory};
  }
  void create() {
    REQUIRE(partitions->create({opening()}).ok());
    moves->run();
  }
  // What the start does: the record says where the partition is, and which folder is to go; a copy that is
  // not recorded is dropped.
  void open() {
    const auto recorded = recorder.recorded();
    const auto is_in = [&](std::size_t p) {
      return directories[p]->log_dir->has_folder({kTopic, PartitionIndex(0)});
    };
    if (recorded) {
      const std::size_t from = directory_with(recorded->first);
      const std::size_t to = directory_with(recorded->second);
      const auto promoted = partitions->promote_future(kTopic, PartitionIndex(0), to);
      CHECK((promoted.ok() || promoted.error().code == Errc::not_found));
      if (is_in(to) && is_in(from))
        REQUIRE(directories[from]->log_dir->delete_log({kTopic, PartitionIndex(0)}).ok());
      REQUIRE(recorder.end_move(kTopic, kOrdersId, PartitionIndex(0)).ok());
    }
    const auto futures = partitions->find_futures();
    for (const auto& future : *futures)
      REQUIRE(partitions->drop_future(future.topic, future.partition, future.directory).ok());
    std::optional<std::size_t> where;
    for (std::size_t p = 0; p < directories.size(); ++p) {
      if (!is_in(p)) continue;
      CHECK_FALSE(where.has_value());
      where = p;
    }
    REQUIRE(where.has_value());
    REQUIRE(partitions->open({opening(where)}).ok());
    // Consumers see what is recovered once that is on disk.
    REQUIRE(partition()->pause().ok());
    partition()->resume();
    moves->run();
  }
  std::size_t directory_with(const Uuid& id) const {
    for (std::size_t p = 0; p < directories.size(); ++p) {
      if (directories[p]->id == id) return p;
    }
    FAIL("no directory with that id");
    return 0;
  }

  // The served one.
  std::shared_ptr<broker::Partition> partition() const {
    auto found = partitions->find(kTopic, PartitionIndex(0));
    REQUIRE(found.partition != nullptr);
    return found.partition;
  }
  std::string path() const { return partitions->path(partitions->place_of(*partition())); }
  std::shared_ptr<RecordingSink> append(Bytes bytes, broker::Acks acks = broker::Acks::leader) const {
    return append_to(*partition(), std::move(bytes), acks);
  }
  static std::shared_ptr<RecordingSink> append_to(broker::Partition& partition, Bytes bytes,
                                                  broker::Acks acks = broker::Acks::leader) {
    auto sink = std::make_shared<RecordingSink>();
    const auto header = header_of(bytes);
    partition.append({bytes, header, acks, sink, 0});
    return sink;
  }
  // A batch of some size, with as many bytes as one step copies where it says so.
  void append_large(int count = 1) const {
    for (int i = 0; i < count; ++i) {
      CHECK(append(batch().sized(broker::kMoveStepBytes)).get()->told().at(0).result.error ==
            protocol::ErrorCode::none);
    }
  }
  protocol::ErrorCode move_to(const std::string& to) {
    return partitions->move(kTopic, PartitionIndex(0), to);
  }
  // To the end, or to where it is given up.
  void finish() {
    while (background.run_all() + control.run_all() > 0) {
    }
  }
  // What was left to them.
  void run_writers() const {
    for (const auto& directory : directories) directory->writer.run_all();
  }
  // Another partition of the same name, to hand over to.
  std::shared_ptr<broker::Partition> empty_copy_in(std::size_t place) const {
    Directory& directory = *directories[place];
    auto log = directory.log_dir->begin_future({kTopic, PartitionIndex(0)}, kOrdersId, config, Offset(0));
    REQUIRE(log.ok());
    auto copy = std::make_shared<broker::Partition>(kTopic, PartitionIndex(0), std::move(log).value(),
                                                    directory.device, config);
    REQUIRE(copy->lead(LeaderEpoch(0)).ok());
    return copy;
  }
  bool has_future(std::size_t directory) const {
    return directories[directory]->log_dir->has_future({kTopic, PartitionIndex(0)});
  }
  // All that a consumer finds.
  std::vector<OwnedRecord> records() const {
    const auto served = partition();
    std::vector<OwnedRecord> all;
    Offset from = served->log().log_start();
    while (from < served->high_watermark().offset) {
      const auto slice = served->log().read(from, served->high_watermark(), 1 << 20,
                                            storage::Log::FirstBatch::whole, storage::IoMode::may_block);
      REQUIRE(slice.ok());
      REQUIRE(slice->size > 0);
      Bytes bytes(static_cast<std::size_t>(slice->size));
      REQUIRE(slice->file->read_at(slice->position, bytes).ok());
      const auto header = protocol::parse_record_batch_header(bytes);
      REQUIRE(header.ok());
      for (auto& record : read_records(ByteView(bytes).first(header->size()))) {
        if (record.offset >= served->log().log_start().value) all.push_back(std::move(record));
      }
      from = header->next_offset();
    }
    return all;
  }

  ManualClock clock;
  MemFileSystem memory;
  FaultFileSystem files{memory};
  FileMoveRecorder recorder{files};
  storage::LogConfig config;
  HeldExecutor background;
  HeldExecutor control;
  std::vector<std::unique_ptr<Directory>> directories;
  std::unique_ptr<broker::Partitions> partitions;
  std::unique_ptr<broker::PartitionMoves> moves;
};

}  // namespace sillok::tests
