// The brokers of one cluster: a connection to each that is needed, and what is known of topics.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/connection.h"
#include "client/metadata_cache.h"

namespace sillok::client {

enum class AutoCreate { no, yes };

struct ClusterOptions {
  std::vector<Endpoint> bootstrap = {{"localhost", kDefaultPort}};
  ConnectionOptions connection;
};

// Threading: all on the io_context's thread; callbacks come from it.
// Failure: a broken connection is dropped and opened anew by the next that asks for it. Nothing is retried
// here.
class Cluster {
 public:
  using Connected = std::function<void(Result<std::shared_ptr<Connection>>)>;
  using Done = std::function<void(Result<void>)>;

  Cluster(boost::asio::io_context& io, ClusterOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // A connection that is open, whichever, or a new one to the first bootstrap address that answers.
  void any(Connected done);
  // Requires nothing: an unknown broker is Errc::not_found.
  void broker(BrokerId id, Connected done);
  // The leader of a partition by what is known, without asking: Errc::not_found.
  void leader(const TopicPartition& partition, Connected done);

  // Asks for these topics. No topics at all: asks for the brokers only.
  void refresh(const std::vector<std::string>& topics, AutoCreate auto_create, Done done);
  void refresh_all(Done done);

  const MetadataCache& metadata() const { return metadata_; }
  void close();

 private:
  struct Slot {
    std::shared_ptr<Connection> connection;
    std::vector<Connected> waiting;  // while it opens
  };

  void connect(const Endpoint& endpoint, Connected done);
  void try_bootstrap(std::size_t index, Error last, Connected done);

  boost::asio::io_context& io_;
  ClusterOptions options_;
  MetadataCache metadata_;
  std::map<std::string, Slot> slots_;  // by address
};

}  // namespace sillok::client
