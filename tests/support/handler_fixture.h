// A broker without network and logs, for tests of the handlers of metadata and topics.
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker_configs.h"
#include "broker/client_telemetry.h"
#include "broker/fetch_sessions.h"
#include "broker/handlers/handlers.h"
#include "broker/metadata/local_store.h"
#include "broker/metadata/topics.h"
#include "broker/producer_ids.h"
#include "broker/resource_configs.h"
#include "tests/support/fake_partition_host.h"
#include "tests/support/fake_reactor.h"
#include "tests/support/fake_response_sink.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mem_file_system.h"

namespace sillok::tests {

// Work that runs when the test says so.
class ManualExecutor final : public broker::Executor {
 public:
  std::vector<std::function<void()>> waiting;
  bool stopped = false;
  bool post(std::function<void()> work) override {
    if (stopped) return false;
    waiting.push_back(std::move(work));
    return true;
  }
  void run_all() {
    while (!waiting.empty()) {
      const auto now = std::exchange(waiting, {});
      for (const auto& work : now) work();
    }
  }
};

class HandlerFixture {
 public:
  HandlerFixture() : HandlerFixture(std::initializer_list<broker::NameValue>{}) {}
  // With these settings: HandlerFixture fixture{{"num.partitions", "4"}};
  HandlerFixture(std::initializer_list<broker::NameValue> overrides) {
    auto loaded = broker::load_config({"", {}, overrides});
    REQUIRE(loaded.ok());
    settings = std::move(loaded).value();
    settings.config.cluster_id = "the-cluster";
    REQUIRE(memory.make_directories("/data").ok());
    std::vector<std::string> notes;
    auto opened = broker::LocalStore::open({&files, &clock, "/data"}, notes);
    REQUIRE(opened.ok());
    store = std::move(opened).value();
    producer_ids = std::make_unique<broker::ProducerIds>(*store);
    topics = std::make_unique<broker::Topics>(settings.config, *store, host);
    REQUIRE(topics->load(notes).ok());
    broker_configs = std::make_unique<broker::BrokerConfigs>(settings, *store);
    REQUIRE(broker_configs->load(notes).ok());
    broker_configs->when_changed([this](const broker::LoadedConfig&, const broker::LoadedConfig& now) {
      topics->set_defaults(now.config.log_defaults);
    });
    resource_configs = std::make_unique<broker::ResourceConfigs>(*store);
    REQUIRE(resource_configs->load().ok());
    client_telemetry = std::make_unique<broker::ClientTelemetry>(clock, settings.config.telemetry_bytes_max);
    serve(no_partitions(), host);
  }

  // What handlers find.
  void serve(broker::Partitions& partitions, broker::PartitionsView& view) {
    services = std::make_unique<broker::Services>(broker::Services{
        .config = settings.config,
        .broker_configs = *broker_configs,
        .resource_configs = *resource_configs,
        .clock = clock,
        .topics = *topics,
        .partitions = partitions,
        .producer_ids = *producer_ids,
        .fetch_sessions = fetch_sessions,
        .control = control,
        .io = io,
        .partitions_view = view,
        .metadata_store = *store,
        .client_telemetry = *client_telemetry,
    });
  }

  // Calls the handler, and runs what it leaves to the control thread.
  template <class Response, class Request>
  Response ask(void (*handle)(const broker::RequestContext&, const Request&, broker::PendingResponse),
               const Request& request, protocol::Version version) {
    start(handle, request, version);
    control.run_all();
    return read<Response>(version);
  }
  // Calls the handler only.
  template <class Request>
  void start(void (*handle)(const broker::RequestContext&, const Request&, broker::PendingResponse),
             const Request& request, protocol::Version version) {
    ++slot;
    const protocol::RequestHeader header{static_cast<std::int16_t>(Request::kKey), version, kCorrelationId,
                                         "test"};
    const broker::RequestContext context{*services, reactor, connection, header, {}};
    handle(context, request, broker::PendingResponse(sink, slot, kCorrelationId, version));
  }
  // The answer to the last request.
  template <class Response>
  Response read(protocol::Version version) const {
    return sink->read<Response>(slot, kCorrelationId, version);
  }
  bool is_answered() const { return sink->answers.contains(slot); }

  broker::TopicOutcome make_topic(const std::string& name, std::int32_t partition_count = 1,
                                  std::map<std::string, std::string> configs = {}) {
    return topics->create({{name, partition_count, 1, std::move(configs)}}, broker::ValidateOnly::no).front();
  }

  static constexpr std::int32_t kCorrelationId = 4711;
  ManualClock clock;
  MemFileSystem memory;
  FaultFileSystem files{memory};
  FakePartitionHost host;
  ManualExecutor control;
  ManualExecutor io;
  FakeReactor reactor;
  broker::ConnectionInfo connection{"127.0.0.1:50000", "here", 9092};
  broker::LoadedConfig settings;
  std::unique_ptr<broker::LocalStore> store;
  std::unique_ptr<broker::ProducerIds> producer_ids;
  std::unique_ptr<broker::Topics> topics;
  std::unique_ptr<broker::BrokerConfigs> broker_configs;
  std::unique_ptr<broker::ResourceConfigs> resource_configs;
  // Ids count up.
  std::uint32_t last_session_id = 0;
  broker::FetchSessions fetch_sessions{clock, 1000, [this] { return ++last_session_id; }};
  std::unique_ptr<broker::ClientTelemetry> client_telemetry;
  std::unique_ptr<broker::Services> services;
  std::shared_ptr<FakeResponseSink> sink = std::make_shared<FakeResponseSink>();
  std::uint64_t slot = 0;

 private:
  // These handlers see partitions through the view only; nothing reads this.
  static broker::Partitions& no_partitions() {
    alignas(std::max_align_t) static std::byte nothing[1];
    return reinterpret_cast<broker::Partitions&>(nothing);
  }
};

}  // namespace sillok::tests
