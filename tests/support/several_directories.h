// A broker with three log directories on a real disk, that stops and starts while one of them is away.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/messages/alter_replica_log_dirs.h"
#include "protocol/messages/delete_topics.h"
#include "protocol/messages/describe_log_dirs.h"
#include "protocol/messages/incremental_alter_configs.h"
#include "storage/meta_properties.h"
#include "storage/posix_file_system.h"
#include "tests/support/batches.h"
#include "tests/support/running_server.h"

namespace sillok::tests {

class SeveralDirectories {
 public:
  explicit SeveralDirectories(std::vector<broker::NameValue> settings = {})
      : settings_(std::move(settings)) {}

  std::string path(std::string_view name) const { return root_.path() + "/" + std::string(name); }
  std::string all() const { return path("a") + "," + path("b") + "," + path("c"); }

  void start() { start(all()); }
  void start(const std::string& log_dirs) {
    std::vector<broker::NameValue> settings = settings_;
    settings.emplace_back("log.dirs", log_dirs);
    server_.emplace(root_, settings);
  }
  void stop() { server_.reset(); }
  // A partition could not be opened, so not all is closed as it should be.
  void stop_after_faults() {
    CHECK_FALSE(server_->server->stop().ok());
    server_.reset();
  }
  // For the next start.
  void set(const std::string& name, const std::string& value) { settings_.emplace_back(name, value); }
  // The error of a start that is refused.
  std::string refusal(const std::string& log_dirs) const {
    std::vector<broker::NameValue> settings = settings_;
    settings.emplace_back("listeners", "PLAINTEXT://127.0.0.1:0");
    settings.emplace_back("log.dirs", log_dirs);
    auto loaded = broker::load_config({"", {}, settings});
    REQUIRE(loaded.ok());
    const auto started = broker::Server(std::move(loaded).value()).start();
    return started.ok() ? "" : started.error().describe();
  }

  // The disk of a directory goes: its mount point is there and empty, or cannot be read at all.
  enum class Away { empty, unreadable };
  void take_away(std::string_view name, Away away) const {
    std::filesystem::rename(path(name), path("away"));
    if (away == Away::unreadable) std::ofstream(path(name)) << "no directory";
  }
  void bring_back(std::string_view name) const {
    std::filesystem::remove_all(path(name));
    std::filesystem::rename(path("away"), path(name));
  }
  // At the next start.
  void start_with(std::string_view name) {
    stop();
    bring_back(name);
    start();
  }
  bool has_folder(std::string_view directory, const std::string& topic) const {
    return std::filesystem::exists(path(directory) + "/" + topic + "-0");
  }

  ErrorCode create(const std::string& topic) {
    RawClient client(server_->port);
    CreateTopicsRequest request;
    auto& wanted = request.topics.emplace_back();
    wanted.name = topic;
    wanted.num_partitions = 1;
    wanted.replication_factor = 1;
    client.send(request, 5, 1);
    Bytes kept;
    return client.receive<CreateTopicsResponse>(5, 1, kept).topics.at(0).error_code;
  }
  bool create_with_record(const std::string& topic) {
    return create(topic) == ErrorCode::none && produce(topic) == ErrorCode::none;
  }
  // Of meta.properties, which is there.
  std::string cluster_id(std::string_view name) const { return identity(name).cluster_id; }
  std::string directory_id(std::string_view name) const { return identity(name).directory_id->to_string(); }
  // A directory that says no more than whose it is.
  void write_identity(std::string_view name, const std::string& cluster_id) const {
    std::filesystem::create_directories(path(name));
    std::ofstream(path(name) + "/meta.properties")
        << "version=1\nnode.id=1\ncluster.id=" << cluster_id << "\n";
  }
  ErrorCode remove(const std::string& topic) {
    RawClient client(server_->port);
    DeleteTopicsRequest request;
    request.topics = {{topic, {}}};
    client.send(request, 6, 1);
    Bytes kept;
    return client.receive<DeleteTopicsResponse>(6, 1, kept).responses.at(0).error_code;
  }
  ErrorCode produce(const std::string& topic) {
    RawClient client(server_->port);
    return produce_one(client, topic, batch().record("k", topic), -1);
  }
  // The error, and where the log ends. After an unclean stop what it has is seen once it is on disk.
  std::pair<ErrorCode, std::int64_t> end_of(const std::string& topic) {
    RawClient client(server_->port);
    client.send(fetch_of(topic, Offset(0), 500), kFetchVersion, 1);
    Bytes kept;
    const auto response = client.receive<FetchResponse>(kFetchVersion, 1, kept);
    const auto& partition = response.responses.at(0).partitions.at(0);
    return {partition.error_code, partition.high_watermark.value};
  }
  struct Described {
    std::string path;
    ErrorCode error;
    std::size_t topic_count;
    bool is_cordoned;
  };
  std::vector<Described> described() {
    RawClient client(server_->port);
    client.send(DescribeLogDirsRequest{}, 5, 1);
    Bytes kept;
    std::vector<Described> all;
    for (const auto& one : client.receive<DescribeLogDirsResponse>(5, 1, kept).results)
      all.push_back({std::string(one.log_dir), one.error_code, one.topics.size(), one.is_cordoned});
    return all;
  }
  // Whether the partition shall be in that directory.
  ErrorCode move(const std::string& topic, std::string_view directory) {
    RawClient client(server_->port);
    const std::string wanted = path(directory);
    AlterReplicaLogDirsRequest request;
    request.dirs = {{wanted, {{topic, {PartitionIndex(0)}}}}};
    client.send(request, 2, 1);
    Bytes kept;
    return client.receive<AlterReplicaLogDirsResponse>(2, 1, kept).results.at(0).partitions.at(0).error_code;
  }
  bool is_moving() {
    RawClient client(server_->port);
    client.send(DescribeLogDirsRequest{}, 5, 1);
    Bytes kept;
    for (const auto& one : client.receive<DescribeLogDirsResponse>(5, 1, kept).results) {
      for (const auto& topic : one.topics) {
        if (std::ranges::any_of(topic.partitions, &DescribeLogDirsPartitionResponse::is_future_key))
          return true;
      }
    }
    return false;
  }
  // A setting of the running broker, which lasts.
  ErrorCode alter(std::string_view name, std::string_view value) {
    RawClient client(server_->port);
    IncrementalAlterConfigsRequest request;
    request.resources = {{ConfigResourceType::broker, "", {{name, ConfigOperation::set, value}}}};
    client.send(request, 1, 1);
    Bytes kept;
    return client.receive<IncrementalAlterConfigsResponse>(1, 1, kept).responses.at(0).error_code;
  }
  std::uint16_t port() const { return server_->port; }

 private:
  storage::MetaProperties identity(std::string_view name) const {
    const auto meta = storage::read_meta_properties(*storage::make_posix_file_system(), path(name));
    REQUIRE(meta.ok());
    return meta->value();
  }

  const TempDir root_;
  std::vector<broker::NameValue> settings_;
  std::optional<RunningServer> server_;
};

}  // namespace sillok::tests
