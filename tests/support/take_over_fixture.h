// Topics on a log directory on which an Apache Kafka has run: "orders", with two partitions.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/metadata/kafka_takeover.h"
#include "tests/support/topics_fixture.h"

namespace sillok::tests {

using broker::KafkaMetadata;
using broker::KafkaPartition;
using broker::KafkaTakeover;
using broker::KafkaTopic;

inline constexpr BrokerId kNode{7};
inline const Uuid kDirectory = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAQ");
inline const Uuid kOtherDirectory = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAg");
inline const TopicId kId = *Uuid::parse("AAAAAAAAQACAAAAAAAAAAw");
inline const TopicId kOtherId = *Uuid::parse("AAAAAAAAQACAAAAAAAAABA");

inline KafkaPartition partition_on(std::vector<BrokerId> brokers) {
  KafkaPartition partition;
  partition.directories.assign(brokers.size(), kDirectory);
  partition.in_sync = brokers;
  partition.replicas = std::move(brokers);
  partition.leader_epoch = LeaderEpoch(4);
  return partition;
}

struct TakeOverFixture : TopicsFixture {
  TakeOverFixture() {
    KafkaTopic topic;
    topic.name = "orders";
    topic.id = kId;
    topic.partitions = {{0, partition_on({kNode})}, {1, partition_on({kNode})}};
    kafka.topics[kId] = topic;
    host.add_folder("orders", 0, kId);
    host.add_folder("orders", 1, kId);
  }
  KafkaTopic& orders() { return kafka.topics.at(kId); }

  enum class Takeover { none, kafka };
  Result<void> try_start(Takeover which = Takeover::kafka) {
    topics.reset();
    store.reset();
    notes.clear();
    host.restart();
    store = broker::LocalStore::open({&files, &clock, "/data"}, notes).value();
    topics = std::make_unique<broker::Topics>(config, *store, host);
    if (which == Takeover::kafka) {
      topics->take_over(std::make_unique<KafkaTakeover>(KafkaTakeover{kafka, "state", kNode, kDirectory}),
                        when_served);
    }
    return topics->load(notes);
  }
  void start(Takeover which = Takeover::kafka) {
    const auto started = try_start(which);
    INFO((started.ok() ? std::string() : started.error().describe()));
    REQUIRE(started.ok());
  }
  bool has_note(std::string_view part) const {
    return std::ranges::any_of(notes,
                               [&](const std::string& note) { return note.find(part) != std::string::npos; });
  }
  const broker::TopicImage* find(std::string_view name) {
    image = topics->image();
    return image->find(name);
  }

  KafkaMetadata kafka;
  broker::Topics::WhenServed when_served;
  std::shared_ptr<const broker::MetadataImage> image;
};

}  // namespace sillok::tests
