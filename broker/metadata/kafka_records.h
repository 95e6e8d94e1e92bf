// The records of Apache Kafka's own metadata log (`__cluster_metadata-0`), as far as they say what a broker
// takes over: names, fields and versions are those of Kafka's definitions, up to Kafka 4.4. Every version is
// flexible.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/ids.h"
#include "protocol/base/uuid.h"
#include "protocol/wire/schema.h"

namespace sillok::broker::kafka {

using protocol::field;
using protocol::schema;
using protocol::since;
using protocol::tagged;
using protocol::VersionRange;

// The numbers of the records; those without a struct below are passed over.
enum class RecordKey : std::uint32_t {
  topic = 2,
  partition = 3,
  config = 4,
  partition_change = 5,
  remove_topic = 9,
  delegation_token = 10,
  user_scram_credential = 11,
  client_quota = 14,
  producer_ids = 15,
  access_control_entry = 18,
  begin_transaction = 23,
  end_transaction = 24,
  abort_transaction = 25,
  last_known = 29,  // of Kafka 4.4
};

struct TopicRecord {
  static constexpr RecordKey kKey = RecordKey::topic;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = since(0);

  std::string_view name;
  TopicId topic_id;
  static constexpr auto kSchema =
      schema(field<&TopicRecord::name>("Name"), field<&TopicRecord::topic_id>("TopicId"));
};

// v1 adds the directories, v2 the eligible leader replicas.
struct PartitionRecord {
  static constexpr RecordKey kKey = RecordKey::partition;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(0);

  PartitionIndex index{-1};
  TopicId topic_id;
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> isr;
  std::vector<BrokerId> removing_replicas;
  std::vector<BrokerId> adding_replicas;
  BrokerId leader{-1};
  std::int8_t leader_recovery_state = 0;
  LeaderEpoch leader_epoch{-1};
  std::int32_t partition_epoch = -1;
  std::vector<Uuid> directories;  // one for each of the replicas
  std::optional<std::vector<BrokerId>> eligible_leader_replicas;
  std::optional<std::vector<BrokerId>> last_known_elr;
  static constexpr auto kSchema = schema(  //
      field<&PartitionRecord::index>("PartitionId"), field<&PartitionRecord::topic_id>("TopicId"),
      field<&PartitionRecord::replicas>("Replicas"), field<&PartitionRecord::isr>("Isr"),
      field<&PartitionRecord::removing_replicas>("RemovingReplicas"),
      field<&PartitionRecord::adding_replicas>("AddingReplicas"), field<&PartitionRecord::leader>("Leader"),
      field<&PartitionRecord::leader_recovery_state>("LeaderRecoveryState", tagged(0, since(0))),
      field<&PartitionRecord::leader_epoch>("LeaderEpoch"),
      field<&PartitionRecord::partition_epoch>("PartitionEpoch"),
      field<&PartitionRecord::directories>("Directories", since(1)),
      field<&PartitionRecord::eligible_leader_replicas>("EligibleLeaderReplicas", tagged(1, since(2))),
      field<&PartitionRecord::last_known_elr>("LastKnownElr", tagged(2, since(2))));
};

// What is null did not change.
struct PartitionChangeRecord {
  static constexpr RecordKey kKey = RecordKey::partition_change;
  static constexpr VersionRange kVersions{0, 2};
  static constexpr VersionRange kFlexible = since(0);
  static constexpr BrokerId kLeaderUnchanged{-2};

  PartitionIndex index{-1};
  TopicId topic_id;
  std::optional<std::vector<BrokerId>> isr;
  BrokerId leader = kLeaderUnchanged;  // any other value, and the leader epoch rises by 1
  std::optional<std::vector<BrokerId>> replicas;
  std::optional<std::vector<BrokerId>> removing_replicas;
  std::optional<std::vector<BrokerId>> adding_replicas;
  std::int8_t leader_recovery_state = -1;
  std::optional<std::vector<Uuid>> directories;
  std::optional<std::vector<BrokerId>> eligible_leader_replicas;
  std::optional<std::vector<BrokerId>> last_known_elr;
  static constexpr auto kSchema = schema(  //
      field<&PartitionChangeRecord::index>("PartitionId"), field<&PartitionChangeRecord::topic_id>("TopicId"),
      field<&PartitionChangeRecord::isr>("Isr", tagged(0, since(0))),
      field<&PartitionChangeRecord::leader>("Leader", tagged(1, since(0))),
      field<&PartitionChangeRecord::replicas>("Replicas", tagged(2, since(0))),
      field<&PartitionChangeRecord::removing_replicas>("RemovingReplicas", tagged(3, since(0))),
      field<&PartitionChangeRecord::adding_replicas>("AddingReplicas", tagged(4, since(0))),
      field<&PartitionChangeRecord::leader_recovery_state>("LeaderRecoveryState", tagged(5, since(0))),
      field<&PartitionChangeRecord::directories>("Directories", tagged(8, since(1))),
      field<&PartitionChangeRecord::eligible_leader_replicas>("EligibleLeaderReplicas", tagged(6, since(2))),
      field<&PartitionChangeRecord::last_known_elr>("LastKnownElr", tagged(7, since(2))));
};

struct ConfigRecord {
  static constexpr RecordKey kKey = RecordKey::config;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = since(0);
  static constexpr std::int8_t kOfTopic = 2;
  static constexpr std::int8_t kOfBroker = 4;

  std::int8_t resource_type = 0;
  std::string_view resource_name;  // a topic, a node id, or empty: every broker
  std::string_view name;
  std::optional<std::string_view> value;   // null: no longer set
  static constexpr auto kSchema = schema(  //
      field<&ConfigRecord::resource_type>("ResourceType"),
      field<&ConfigRecord::resource_name>("ResourceName"), field<&ConfigRecord::name>("Name"),
      field<&ConfigRecord::value>("Value"));
};

struct RemoveTopicRecord {
  static constexpr RecordKey kKey = RecordKey::remove_topic;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = since(0);

  TopicId topic_id;
  static constexpr auto kSchema = schema(field<&RemoveTopicRecord::topic_id>("TopicId"));
};

struct ProducerIdsRecord {
  static constexpr RecordKey kKey = RecordKey::producer_ids;
  static constexpr VersionRange kVersions{0, 0};
  static constexpr VersionRange kFlexible = since(0);

  BrokerId broker_id;
  std::int64_t broker_epoch = -1;
  std::int64_t next_producer_id = 0;       // the first that nobody has
  static constexpr auto kSchema = schema(  //
      field<&ProducerIdsRecord::broker_id>("BrokerId"),
      field<&ProducerIdsRecord::broker_epoch>("BrokerEpoch"),
      field<&ProducerIdsRecord::next_producer_id>("NextProducerId"));
};

// ---- control records, whose key is a version and one of these numbers ----

enum class ControlType : std::int16_t { leader_change = 2, snapshot_header = 3, snapshot_footer = 4 };

// v1 adds the directory.
struct Voter {
  BrokerId id;
  Uuid directory_id;
  static constexpr auto kSchema = schema(  //
      field<&Voter::id>("VoterId"), field<&Voter::directory_id>("VoterDirectoryId", since(1)));
};

// Its first field is the version that it is written in.
struct LeaderChangeMessage {
  static constexpr VersionRange kVersions{0, 1};
  static constexpr VersionRange kFlexible = since(0);

  std::int16_t version = 0;
  BrokerId leader_id;
  std::vector<Voter> voters;
  std::vector<Voter> granting_voters;
  static constexpr auto kSchema = schema(  //
      field<&LeaderChangeMessage::version>("Version"), field<&LeaderChangeMessage::leader_id>("LeaderId"),
      field<&LeaderChangeMessage::voters>("Voters"),
      field<&LeaderChangeMessage::granting_voters>("GrantingVoters"));
};

}  // namespace sillok::broker::kafka
