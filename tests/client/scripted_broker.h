// A broker inside the test: it answers what the test says, on a loopback port of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "client/endpoint.h"
#include "protocol/frame.h"
#include "protocol/messages/api_versions.h"
#include "protocol/messages/metadata.h"

namespace sillok::tests {

struct ScriptedRequest {
  int connection;  // which one, in the order of their opening
  protocol::ApiKey key;
  protocol::Version version;
  std::int32_t correlation_id;
  Bytes body;

  // Views `body`.
  template <protocol::Message Request>
  Request decode() const {
    Request request;
    protocol::Decoder in(body);
    const auto decoded = protocol::decode(in, request, version);
    if (!decoded.ok()) throw std::runtime_error(decoded.error().describe());
    return request;
  }

  template <protocol::Message Response>
  Bytes answer(const Response& response) const {
    Bytes frame;
    protocol::Encoder encoder(frame);
    const auto encoded = protocol::encode_response_frame(encoder, frame, response, correlation_id, version);
    if (!encoded.ok()) throw std::runtime_error(encoded.error().describe());
    return frame;
  }
};

// What the broker does after a request: sends frames, then perhaps closes the connection.
struct Reaction {
  std::vector<Bytes> frames;
  bool closes = false;

  static Reaction send(Bytes frame) { return {{std::move(frame)}, false}; }
  static Reaction silence() { return {}; }
  static Reaction close() { return {{}, true}; }
};

// Threading: the script runs on the broker's thread, one request at a time.
class ScriptedBroker {
 public:
  using Script = std::function<Reaction(const ScriptedRequest&)>;

  ScriptedBroker() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    REQUIRE(::pipe(wake_) == 0);
    offer(protocol::ApiKey::api_versions, 0, 3);
    on(protocol::ApiKey::api_versions, [this](const ScriptedRequest& request) {
      protocol::ApiVersionsResponse response;
      for (const auto& [key, range] : versions_) response.api_keys.push_back({key, range.first, range.last});
      return Reaction::send(request.answer(response));
    });
  }
  ~ScriptedBroker() {
    stop();
    for (const auto& [descriptor, number] : connections_) ::close(descriptor);
    ::close(listener_);
    ::close(wake_[0]);
    ::close(wake_[1]);
  }
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  // The script does not run any more: what it noted may be read.
  void stop() {
    if (!thread_.joinable()) return;
    const char byte = 0;
    const auto ignored = ::write(wake_[1], &byte, 1);
    static_cast<void>(ignored);
    thread_.join();
  }

  client::Endpoint endpoint() const { return {"127.0.0.1", port_}; }

  // Before start().
  void offer(protocol::ApiKey key, protocol::Version first, protocol::Version last) {
    versions_[key] = {first, last};
  }
  void on(protocol::ApiKey key, Script script) { scripts_[key] = std::move(script); }
  // Metadata that names this broker, id 1, as the leader of everything.
  void lead(std::string topic, std::int32_t partition_count) {
    offer(protocol::ApiKey::metadata, 0, 12);
    on(protocol::ApiKey::metadata,
       [this, topic = std::move(topic), partition_count](const ScriptedRequest& request) {
         protocol::MetadataResponse response;
         response.brokers.push_back({BrokerId(1), "127.0.0.1", port_, std::nullopt});
         protocol::MetadataTopic one;
         one.name = topic;
         for (std::int32_t i = 0; i < partition_count; ++i) {
           protocol::MetadataPartition partition;
           partition.index = PartitionIndex(i);
           partition.leader_id = BrokerId(1);
           one.partitions.push_back(partition);
         }
         response.topics.push_back(one);
         return Reaction::send(request.answer(response));
       });
  }
  void start() {
    thread_ = std::thread([this] { serve(); });
  }

 private:
  void serve() {
    for (;;) {
      std::vector<pollfd> polled = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto& [descriptor, number] : connections_) polled.push_back({descriptor, POLLIN, 0});
      ::poll(polled.data(), polled.size(), -1);
      if (polled[0].revents != 0) return;
      for (std::size_t i = 2; i < polled.size(); ++i) {
        if (polled[i].revents == 0 || serve_one(polled[i].fd)) continue;
        ::close(polled[i].fd);
        connections_.erase(polled[i].fd);
      }
      if (polled[1].revents != 0) connections_[::accept(listener_, nullptr, nullptr)] = next_connection_++;
    }
  }

  // One request and the reaction to it. False where the connection is over.
  bool serve_one(int descriptor) {
    std::int32_t size = 0;
    if (::recv(descriptor, &size, sizeof size, MSG_WAITALL) != sizeof size) return false;
    Bytes frame(ntohl(static_cast<std::uint32_t>(size)));
    if (::recv(descriptor, frame.data(), frame.size(), MSG_WAITALL) != static_cast<ssize_t>(frame.size()))
      return false;
    protocol::Decoder in(frame);
    const auto header = protocol::decode_request_header(in, [](std::int16_t key, protocol::Version version) {
      using protocol::ApiKey;
      static const std::map<ApiKey, protocol::Version> kFlexible = {
          {ApiKey::produce, 9},       {ApiKey::fetch, 12},          {ApiKey::list_offsets, 6},
          {ApiKey::metadata, 9},      {ApiKey::api_versions, 3},    {ApiKey::create_topics, 5},
          {ApiKey::delete_topics, 4}, {ApiKey::init_producer_id, 2}};
      return version >= kFlexible.at(static_cast<ApiKey>(key));
    });
    ScriptedRequest request{connections_[descriptor], static_cast<protocol::ApiKey>(header.api_key),
                            header.api_version, header.correlation_id,
                            Bytes(in.left().begin(), in.left().end())};
    const Reaction reaction = scripts_.at(request.key)(request);
    for (const Bytes& answer : reaction.frames) {
      if (::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(answer.size())) {
        return false;
      }
    }
    return !reaction.closes;
  }

  int listener_;
  int wake_[2];
  std::uint16_t port_;
  std::map<protocol::ApiKey, protocol::VersionRange> versions_;
  std::map<protocol::ApiKey, Script> scripts_;
  std::map<int, int> connections_;  // descriptor to number
  int next_connection_ = 0;
  std::thread thread_;
};

}  // namespace sillok::tests
