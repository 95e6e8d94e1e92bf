#include "client/cluster.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>

#include "protocol/messages/metadata.h"

namespace sillok::client {
namespace {

using protocol::MetadataRequest;
using protocol::MetadataResponse;

}  // namespace

Cluster::Cluster(boost::asio::io_context& io, ClusterOptions options)
    : io_(io), options_(std::move(options)) {}

Cluster::~Cluster() { close(); }

void Cluster::close() {
  for (auto& [address, slot] : std::exchange(slots_, {})) {
    if (slot.connection != nullptr) slot.connection->close({Errc::closed, "the client is closing"});
  }
}

void Cluster::connect(const Endpoint& endpoint, Connected done) {
  Slot& slot = slots_[endpoint.to_string()];
  if (slot.connection != nullptr && slot.connection->is_open()) {
    return boost::asio::post(io_,
                             [done = std::move(done), connection = slot.connection] { done(connection); });
  }
  slot.waiting.push_back(std::move(done));
  if (slot.waiting.size() > 1) return;
  slot.connection = Connection::create(io_, endpoint, options_.connection);
  slot.connection->open(
      [this, address = endpoint.to_string(), connection = slot.connection](Result<void> opened) {
        const auto found = slots_.find(address);
        if (found == slots_.end()) return;  // closed meanwhile
        const auto waiting = std::exchange(found->second.waiting, {});
        if (!opened.ok()) found->second.connection.reset();
        for (const Connected& one : waiting) {
          if (opened.ok()) {
            one(connection);
          } else {
            one(opened.error());
          }
        }
      });
}

void Cluster::any(Connected done) {
  for (const auto& [address, slot] : slots_) {
    if (slot.connection == nullptr || !slot.connection->is_open()) continue;
    return boost::asio::post(io_,
                             [done = std::move(done), connection = slot.connection] { done(connection); });
  }
  try_bootstrap(0, {Errc::invalid_argument, "no broker is named"}, std::move(done));
}

void Cluster::try_bootstrap(std::size_t index, Error last, Connected done) {
  if (index >= options_.bootstrap.size()) {
    return boost::asio::post(io_, [done = std::move(done), last = std::move(last)] { done(last); });
  }
  connect(options_.bootstrap[index], [this, index, done = std::move(done)](auto connection) {
    if (connection.ok()) return done(std::move(connection));
    try_bootstrap(index + 1, std::move(connection).error(), done);
  });
}

void Cluster::broker(BrokerId id, Connected done) {
  const auto found = metadata_.brokers().find(id);
  if (found == metadata_.brokers().end()) {
    return boost::asio::post(io_, [done = std::move(done), id] {
      done(Error{Errc::not_found, fmt::format("broker {} is not in the cluster's metadata", id.value)});
    });
  }
  connect(found->second, std::move(done));
}

void Cluster::leader(const TopicPartition& partition, Connected done) {
  if (const auto id = metadata_.leader(partition.topic, partition.partition))
    return broker(*id, std::move(done));
  boost::asio::post(io_, [done = std::move(done), partition] {
    done(Error{Errc::not_found,
               fmt::format("{}-{} has no leader", partition.topic, partition.partition.value)});
  });
}

void Cluster::refresh(const std::vector<std::string>& topics, AutoCreate auto_create, Done done) {
  any([this, topics, auto_create, done = std::move(done)](auto connection) {
    if (!connection.ok()) return done(std::move(connection).error());
    MetadataRequest request;
    request.topics.emplace();
    for (const std::string& topic : topics) request.topics->push_back({{}, topic});
    request.allow_auto_topic_creation = auto_create == AutoCreate::yes;
    (*connection)
        ->template call<MetadataRequest, MetadataResponse>(
            request, [this, done, asked = (*connection)->endpoint()](auto answer) {
              if (!answer.ok()) return done(std::move(answer).error());
              metadata_.update(answer->message, asked);
              done({});
            });
  });
}

void Cluster::refresh_all(Done done) {
  any([this, done = std::move(done)](auto connection) {
    if (!connection.ok()) return done(std::move(connection).error());
    (*connection)
        ->template call<MetadataRequest, MetadataResponse>(
            MetadataRequest{}, [this, done, asked = (*connection)->endpoint()](auto answer) {
              if (!answer.ok()) return done(std::move(answer).error());
              metadata_ = {};
              metadata_.update(answer->message, asked);
              done({});
            });
  });
}

}  // namespace sillok::client
