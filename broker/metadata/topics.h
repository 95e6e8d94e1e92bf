// The topics: what exists, and how it comes and goes.
//
// Non-obvious: folders come before the topic's record and go after it, so a crash in between leaves folders
// that belong to no topic. Taken for another broker's, they would come back as a topic at the next start. So
// each creation and deletion first says in the store which topic id is under way (metadata_records.h), and
// load() ends what a crash left: a deletion removes what is left of the topic, a creation goes on to the end.
// It is never undone then, since a store that lost its last transaction shows topics full of data as
// half-created.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/config.h"
#include "broker/config_changes.h"
#include "broker/metadata/image.h"
#include "broker/metadata/store.h"
#include "broker/move_recorder.h"
#include "broker/partition_host.h"
#include "protocol/base/result.h"
#include "protocol/error_code.h"

namespace sillok::broker {

struct KafkaMetadata;
struct KafkaTakeover;
struct KafkaTopic;
struct PlacementRecord;

inline constexpr std::size_t kTopicNameSizeMax = 249;
inline constexpr std::int32_t kPartitionsPerTopicMax = 10'000;
inline constexpr std::size_t kTopicsMax = 100'000;
inline constexpr std::size_t kPartitionsMax = 200'000;  // of all topics

struct TopicFault {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::string message;
};

struct NewTopic {
  std::string name;
  std::int32_t partition_count = -1;     // -1: num.partitions
  std::int16_t replication_factor = -1;  // -1: default.replication.factor
  std::map<std::string, std::string> configs;
  // What whoever asked for it has found wrong already. Told in Kafka's order: a fault of the name comes
  // first, then one of the configs, then one of where the partitions shall be.
  std::optional<TopicFault> config_fault{};
  std::optional<TopicFault> placement_fault{};
};

struct TopicOutcome {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::string message;  // for people; empty where there is no error
  // Where it exists now; with ValidateOnly::yes what it would be, its id all zero.
  std::shared_ptr<const TopicImage> topic;
};

enum class ValidateOnly { no, yes };

// Threading: image() from any thread; everything else on the control executor only, or before the broker
// serves. Durability: a topic exists once its folders and then its metadata are on disk; it is gone once its
// deletion is. Invariants: every topic of the image is in the store; partitions are served (or offline) for
// all of them.
class Topics final : public MoveRecorder {
 public:
  Topics(const Config& config, MetadataStore& store, PartitionHost& host);
  ~Topics() override;

  // For the next load(): what an Apache Kafka that ran on the log directory says of it. Its topics become
  // ours, configs and partition counts included. Where that leaves out data, because Kafka kept it elsewhere,
  // load() fails with Errc::invalid_config before anything is changed, unless sillok.adopt.incomplete.topics
  // allows it. `when_served` is called when all topics are served, and before it is recorded that this was
  // taken over: after a crash in between it is called again.
  using WhenServed =
      std::function<Result<void>(const KafkaMetadata& metadata, std::vector<std::string>& notes)>;
  void take_over(std::unique_ptr<KafkaTakeover> takeover, WhenServed when_served = {});

  // Reads the store, ends what a crash left half-done, adopts partition folders that the store does not know
  // (with their id; each topic gives a note), makes folders that are missing (empty, with a note; but not
  // those of partitions that Kafka kept elsewhere or put aside, nor any while a log directory is missing that
  // may have them: they are offline), opens all partitions, and records what is new. A partition that two
  // directories have is offline; where the topic's id tells which is right, the other is left alone. Nothing
  // found on disk is renamed or deleted because it is unknown.
  Result<void> load(std::vector<std::string>& notes);

  // After load(): whether something of a topic may be in this log directory, which is not there.
  bool may_be_in(const Uuid& directory) const { return lacks_unplaced_ || awaited_.contains(directory); }

  std::shared_ptr<const MetadataImage> image() const;

  // One outcome per topic, in order. Kafka's errors: 17 bad or colliding name, 36 exists, 37 partitions, 38
  // replication factor, 40 configs, 44 too many partitions in all, 56 the disk.
  std::vector<TopicOutcome> create(const std::vector<NewTopic>& topics, ValidateOnly validate_only);
  // 3 unknown. With 56 the topic is gone, but not all of its files: the next start tries again.
  TopicOutcome remove(std::string_view name);
  // 3 unknown, 37 where there are as many or more already, 44 too many partitions in all, 56 the disk. After
  // a crash in between, the next start makes the partitions.
  TopicOutcome add_partitions(std::string_view name, std::int32_t partition_count,
                              ValidateOnly validate_only);
  // In Kafka's order: 40 and 42 as apply_changes() has them, 42 no name, 17 bad name, 40 for values that
  // cannot be, 3 unknown, 56 the disk.
  TopicOutcome alter_configs(std::string_view name, const ConfigChanges& changes, ValidateOnly validate_only);
  // What topics have that set nothing themselves; for the topics that there are, too.
  void set_defaults(const storage::LogConfig& defaults);

  // MoveRecorder; topics_moves.cc has these.
  Result<void> record_move(const std::string& topic, const TopicId& topic_id, PartitionIndex partition,
                           const Uuid& from, const Uuid& to) override;
  Result<void> take_back(const std::string& topic, const TopicId& topic_id, PartitionIndex partition,
                         const Uuid& from) override;
  Result<void> end_move(const std::string& topic, const TopicId& topic_id, PartitionIndex partition) override;

 private:
  using TopicPointer = std::shared_ptr<const TopicImage>;
  using CollisionNames = std::unordered_map<std::string, std::string>;
  // What is to be, with the topics of the request so far.
  struct Plan {
    std::unordered_set<std::string> names;
    CollisionNames collision_names;
    std::size_t partition_count = 0;
  };
  struct Loading;  // what load() has found so far

  Result<void> read_store(Loading& loading);
  Result<void> find_folders(Loading& loading);
  // topics_directories.cc has these.
  void choose_among_directories(Loading& loading) const;
  void place_kafka_topics(Loading& loading) const;
  Result<void> settle_placements(Loading& loading);
  void settle_placement(Loading& loading, const TopicImage& topic);
  PlacementRecord placement_of(const TopicImage& topic) const;
  Result<PlacementRecord> stored_placement(const TopicId& id);
  // Partitions that `now` does not have stay as the store has them.
  Result<void> update_placement(const TopicId& id, const PlacementRecord& now);
  Result<void> store_placement(const TopicId& id, const PlacementRecord& record);
  // topics_moves.cc has these.
  Result<void> finish_moves(Loading& loading);
  bool finish_move(Loading& loading, const TopicImage& topic, std::int32_t partition, const Uuid& from);
  bool look_for_moved(Loading& loading, const TopicImage& topic, std::int32_t partition, const Uuid& from);
  void remove_sources(Loading& loading);
  Result<void> sort_futures(Loading& loading);
  Result<void> add_kafka_topics(Loading& loading);
  Result<void> add_kafka_topic(Loading& loading, const KafkaTopic& topic,
                               std::vector<std::string>& incomplete);
  void follow_kafka_deletions(Loading& loading);
  static bool has_taken_place(const Loading& loading, const KafkaTopic& kafkas, const TopicImage& ours);
  Result<void> sort_folders(Loading& loading);
  Result<void> resume_creations(Loading& loading, const std::vector<PartitionHost::Found>& folders);
  void sort_unknown(Loading& loading, const PartitionHost::Found& found);
  void leave_alone(Loading& loading, const std::string& topic, std::int32_t partition, std::string_view why);
  Result<void> finish_works(Loading& loading);
  Result<void> adopt_unknown(Loading& loading);
  Result<void> settle_records(Loading& loading);
  std::optional<std::string> offline_reason(const Loading& loading, const TopicImage& topic,
                                            std::int32_t partition) const;
  Result<void> serve(Loading& loading);
  Result<void> end_takeover(Loading& loading);
  Result<void> write_records(Loading& loading);

  Result<std::shared_ptr<TopicImage>> image_of(const std::string& name, const TopicId& id,
                                               std::int32_t partition_count,
                                               const std::map<std::string, std::string>& configs) const;
  TopicOutcome validate(const NewTopic& topic, const Plan& plan) const;
  std::optional<std::string> colliding_name(std::string_view name, const Plan& plan) const;
  Result<void> record(const TopicImage& before, const TopicImage& after);
  Result<void> make_partitions(const TopicImage& topic, std::int32_t first);
  void configure(const TopicImage& topic);
  static void log_configs(const TopicImage& topic, const Configs& before);
  Result<void> make(std::vector<std::shared_ptr<TopicImage>>& topics);
  void undo(const std::vector<std::shared_ptr<TopicImage>>& topics);
  // `before` is where the store had the partitions.
  Result<void> remove_folders(const TopicImage& topic, const PlacementRecord& before);
  void publish(std::shared_ptr<const MetadataImage> image);

  const Config& config_;
  storage::LogConfig defaults_;
  MetadataStore& store_;
  PartitionHost& host_;
  std::unique_ptr<KafkaTakeover> takeover_;
  WhenServed when_served_;
  mutable std::mutex mutex_;  // guards image_ only, for as long as the pointer is copied
  std::shared_ptr<const MetadataImage> image_;
  // Names of topics with '.' replaced by '_', of those that have either: what new names must not collide
  // with.
  CollisionNames collision_names_;
  // Partition folders that are not of the topics: nothing is made in their place, and they are not removed.
  std::set<std::pair<std::string, std::int32_t>> left_alone_;
  // Log directories that are not there and that have partitions; and whether there are partitions of which
  // nothing tells where they are.
  std::set<Uuid> awaited_;
  bool lacks_unplaced_ = false;
};

// Kafka's rule for topic names: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". nullopt: fine; else why not.
std::optional<std::string> topic_name_fault(std::string_view name);

}  // namespace sillok::broker
