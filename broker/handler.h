// What a request handler is given. One handler file per API family, in broker/handlers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/config.h"
#include "broker/executor.h"
#include "broker/pending_response.h"
#include "broker/reactor_port.h"
#include "protocol/headers.h"
#include "storage/clock.h"

namespace sillok::broker {

class BrokerConfigs;
class ResourceConfigs;
class FetchSessions;
class ClientTelemetry;
class MetadataStore;
class Topics;
class Partitions;
class PartitionsView;
class ProducerIds;

// The address that the connection came in by: metadata answers name it.
struct ConnectionInfo {
  std::string peer;  // "127.0.0.1:40312", "unix:pid=4711,uid=1000,gid=1000"
  // "unix:///path" and 0 on a Unix domain socket: a client is to stay on the one that it came by.
  std::string advertised_host;
  std::uint16_t advertised_port = 0;
};

// The parts of the broker that handlers use. One for the whole process; all parts are safe to use from any
// reactor.
struct Services {
  const Config& config;           // as the broker was started
  BrokerConfigs& broker_configs;  // as it was altered since
  ResourceConfigs& resource_configs;
  const storage::Clock& clock;
  Topics& topics;
  Partitions& partitions;
  ProducerIds& producer_ids;
  FetchSessions& fetch_sessions;
  Executor& control;  // one thread: changes of topics and of the metadata store, in order; may block
  Executor& io;       // the pool for reads of cold data and other work that may block
  const PartitionsView& partitions_view;  // `partitions`, as metadata answers see them
  const MetadataStore& metadata_store;    // for how far it is; what it holds is in the image of `topics`
  ClientTelemetry& client_telemetry;
};

// Lives through the handler's call, as do the views in the request: what parks copies what it keeps.
struct RequestContext {
  Services& services;
  ReactorPort& reactor;  // of the connection
  const ConnectionInfo& connection;
  const protocol::RequestHeader& header;
  MutableByteView
      frame;  // the whole request, whose bytes the handler may change (record batches get their offsets)
};

}  // namespace sillok::broker
