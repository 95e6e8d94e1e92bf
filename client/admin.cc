#include "client/admin.h"

#include <fmt/format.h>

#include <functional>

#include "client/io_thread.h"
#include "client/offsets.h"
#include "protocol/messages/create_topics.h"
#include "protocol/messages/delete_topics.h"
#include "protocol/messages/describe_configs.h"

namespace sillok::client {
namespace {

using protocol::ErrorCode;

constexpr std::int32_t kTimeoutMs = 30'000;
// Names up to here; version 6 can say ids, too, in another form.
constexpr protocol::Version kDeleteTopicsVersionMax = 5;

Result<void> outcome(ErrorCode code, const std::optional<std::string_view>& message) {
  if (code == ErrorCode::none) return {};
  const std::string_view name = protocol::to_string(code);
  if (message && !message->empty()) return Error{Errc::broker_error, fmt::format("{}: {}", name, *message)};
  return Error{Errc::broker_error, std::string(name)};
}

}  // namespace

struct Admin::State {
  explicit State(ClusterOptions options) : cluster(io.context(), std::move(options)) {}

  // One request to any broker, and its answer.
  template <protocol::Message Request, protocol::Message Response>
  Result<Answer<Response>> call(const Request& request, CallOptions options = {}) {
    using Reply = Result<Answer<Response>>;
    using Done = std::function<void(std::shared_ptr<Reply>)>;
    // Held by pointer: an answer views its own frame, and is not for copying.
    const auto reply = io.await<std::shared_ptr<Reply>>([&](Done done) {
      cluster.any([&request, options, done = std::move(done)](auto connection) {
        if (!connection.ok()) return done(std::make_shared<Reply>(std::move(connection).error()));
        (*connection)
            ->template call<Request, Response>(
                request, [done](Reply answer) { done(std::make_shared<Reply>(std::move(answer))); }, options);
      });
    });
    return std::move(*reply);
  }

  IoThread io;
  Cluster cluster;
};

Admin::Admin(ClusterOptions cluster) : state_(std::make_unique<State>(std::move(cluster))) {}

Admin::~Admin() { state_->io.stop(); }

Result<std::vector<TopicResult>> Admin::create_topics(const std::vector<NewTopic>& topics) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = kTimeoutMs;
  for (const NewTopic& topic : topics) {
    protocol::CreateTopicsTopic wanted;
    wanted.name = topic.name;
    wanted.num_partitions = topic.partitions;
    wanted.replication_factor = topic.replication_factor;
    for (const auto& [name, value] : topic.configs) wanted.configs.push_back({name, value});
    request.topics.push_back(std::move(wanted));
  }
  const auto answer =
      TRY((state_->call<protocol::CreateTopicsRequest, protocol::CreateTopicsResponse>(request)));
  std::vector<TopicResult> results;
  for (const auto& topic : answer.message.topics) {
    results.push_back({std::string(topic.name), outcome(topic.error_code, topic.error_message),
                       topic.topic_id, topic.num_partitions});
  }
  return results;
}

Result<std::vector<TopicResult>> Admin::delete_topics(const std::vector<std::string>& names) {
  protocol::DeleteTopicsRequest request;
  request.timeout_ms = kTimeoutMs;
  for (const std::string& name : names) request.topic_names.emplace_back(name);
  const auto answer = TRY((state_->call<protocol::DeleteTopicsRequest, protocol::DeleteTopicsResponse>(
      request, {std::nullopt, kDeleteTopicsVersionMax})));
  std::vector<TopicResult> results;
  for (const auto& topic : answer.message.responses) {
    results.push_back(
        {std::string(topic.name.value_or("")), outcome(topic.error_code, topic.error_message), {}, -1});
  }
  return results;
}

Result<std::vector<TopicInfo>> Admin::list_topics() {
  TRY(state_->io.await<Result<void>>([this](auto done) { state_->cluster.refresh_all(std::move(done)); }));
  std::vector<TopicInfo> topics;
  state_->io.run([&] {
    for (const auto& [name, topic] : state_->cluster.metadata().topics()) topics.push_back(topic);
  });
  return topics;
}

Result<TopicDescription> Admin::describe_topic(const std::string& name) {
  TRY(state_->io.await<Result<void>>(
      [&](auto done) { state_->cluster.refresh({name}, AutoCreate::no, std::move(done)); }));
  TopicDescription description;
  std::vector<TopicPartition> partitions;
  state_->io.run([&] {
    if (const TopicInfo* topic = state_->cluster.metadata().topic(name)) description.info = *topic;
  });
  TRY(outcome(description.info.error, std::nullopt));
  for (std::size_t i = 0; i < description.info.partitions.size(); ++i) {
    partitions.push_back({name, PartitionIndex(static_cast<std::int32_t>(i))});
  }
  const auto offsets = [&](TimestampMs time) {
    return state_->io.await<Result<Offsets>>(
        [&](auto done) { list_offsets(state_->cluster, partitions, time, std::move(done)); });
  };
  auto beginnings = TRY(offsets(kBeginningOfPartition));
  auto ends = TRY(offsets(kEndOfPartition));
  for (const TopicPartition& where : partitions) {
    description.offsets.push_back({beginnings[where].offset, ends[where].offset});
  }

  protocol::DescribeConfigsRequest request;
  request.resources.push_back({protocol::ConfigResourceType::topic, name, std::nullopt});
  const auto answer =
      TRY((state_->call<protocol::DescribeConfigsRequest, protocol::DescribeConfigsResponse>(request)));
  for (const auto& result : answer.message.results) {
    TRY(outcome(result.error_code, result.error_message));
    for (const auto& config : result.configs) {
      ConfigEntry entry{std::string(config.name), std::nullopt, config.config_source};
      if (config.value) entry.value = std::string(*config.value);
      description.configs.push_back(std::move(entry));
    }
  }
  return description;
}

}  // namespace sillok::client
