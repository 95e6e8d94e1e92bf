#include "broker/dispatcher.h"

#include <array>
#include <utility>

#include "broker/handlers/handlers.h"
#include "broker/rate_limited_log.h"
#include "protocol/frame.h"

namespace sillok::broker {
namespace {

using namespace protocol;

// Requests are decoded into an object that its thread keeps, so that the arrays in it are allocated once. No
// more memory than this can have gathered in it before it is made anew.
constexpr std::size_t kReusedArrayBytes = 4 << 20;

template <class Request, void (*kHandler)(const RequestContext&, const Request&, PendingResponse)>
bool decode_and_handle(const RequestContext& context, Decoder& body, PendingResponse response) {
  thread_local Request request;
  thread_local std::size_t array_bytes = 0;
  const std::size_t budget = body.budget_left();
  const bool decoded = decode(body, request, response.version(), TrailingBytes::ignored).ok();
  array_bytes += budget - body.budget_left();
  if (decoded) kHandler(context, request, std::move(response));
  if (array_bytes > kReusedArrayBytes) {
    request = Request();
    array_bytes = 0;
  }
  return decoded;
}

template <class Request, void (*kHandler)(const RequestContext&, const Request&, PendingResponse)>
constexpr ApiEntry entry(VersionRange advertised = Request::kVersions) {
  return {Request::kKey, advertised, Request::kVersions, Request::kFlexible,
          &decode_and_handle<Request, kHandler>};
}

template <class Request, void (*kHandler)(const RequestContext&, const Request&, PendingResponse)>
constexpr ApiEntry entry_if(bool Config::* setting) {
  ApiEntry switched = entry<Request, kHandler>();
  switched.switch_of_its_own = setting;
  return switched;
}

constexpr std::array kApis{
    // Old librdkafka compresses only where it sees version 0 of Produce offered.
    entry<ProduceRequest, handle_produce>({0, ProduceRequest::kVersions.last}),
    entry<FetchRequest, handle_fetch>(),
    entry<ListOffsetsRequest, handle_list_offsets>(),
    entry<MetadataRequest, handle_metadata>(),
    entry<ApiVersionsRequest, handle_api_versions>(),
    entry<CreateTopicsRequest, handle_create_topics>(),
    entry<DeleteTopicsRequest, handle_delete_topics>(),
    entry<DeleteRecordsRequest, handle_delete_records>(),
    entry<InitProducerIdRequest, handle_init_producer_id>(),
    entry<OffsetForLeaderEpochRequest, handle_offset_for_leader_epoch>(),
    entry<DescribeConfigsRequest, handle_describe_configs>(),
    entry<AlterConfigsRequest, handle_alter_configs>(),
    entry<AlterReplicaLogDirsRequest, handle_alter_replica_log_dirs>(),
    entry<DescribeLogDirsRequest, handle_describe_log_dirs>(),
    entry<CreatePartitionsRequest, handle_create_partitions>(),
    entry<ElectLeadersRequest, handle_elect_leaders>(),
    entry<IncrementalAlterConfigsRequest, handle_incremental_alter_configs>(),
    entry<AlterPartitionReassignmentsRequest, handle_alter_partition_reassignments>(),
    entry<ListPartitionReassignmentsRequest, handle_list_partition_reassignments>(),
    entry<DescribeQuorumRequest, handle_describe_quorum>(),
    entry<UpdateFeaturesRequest, handle_update_features>(),
    entry<DescribeClusterRequest, handle_describe_cluster>(),
    entry<DescribeProducersRequest, handle_describe_producers>(),
    entry_if<GetTelemetrySubscriptionsRequest, handle_get_telemetry_subscriptions>(
        &Config::client_telemetry_enable),
    entry_if<PushTelemetryRequest, handle_push_telemetry>(&Config::client_telemetry_enable),
    entry<ListConfigResourcesRequest, handle_list_config_resources>(),
    entry<DescribeTopicPartitionsRequest, handle_describe_topic_partitions>(),
};

constexpr std::size_t kKeyMax = 127;

constexpr auto kIndexByKey = [] {
  std::array<std::int8_t, kKeyMax + 1> index{};
  for (auto& value : index) value = -1;
  for (std::size_t i = 0; i < kApis.size(); ++i) {
    index[static_cast<std::size_t>(kApis[i].key)] = static_cast<std::int8_t>(i);
  }
  return index;
}();

const ApiEntry* find_api(std::int16_t key, const Config& config) {
  if (key < 0 || static_cast<std::size_t>(key) > kKeyMax) return nullptr;
  const std::int8_t index = kIndexByKey[static_cast<std::size_t>(key)];
  if (index < 0) return nullptr;
  const ApiEntry& api = kApis[static_cast<unsigned char>(index)];
  return api.is_on(config) ? &api : nullptr;
}

}  // namespace

std::span<const ApiEntry> api_table() { return kApis; }

bool dispatch(Services& services, ReactorPort& reactor, const ConnectionInfo& connection,
              MutableByteView frame, std::shared_ptr<ResponseSink> sink, std::uint64_t slot) {
  Decoder in(frame);
  const ApiEntry* api = nullptr;
  const RequestHeader header = decode_request_header(in, [&](std::int16_t key, Version version) {
    api = find_api(key, services.config);
    return api != nullptr && api->served.contains(version) && api->flexible.contains(version);
  });
  PendingResponse response(std::move(sink), slot, header.correlation_id, header.api_version);
  const auto refuse = [&](const char* why) {
    log_rate_limited("request refused: {} (api key {}, version {}, client id \"{}\", {})", why,
                     header.api_key, header.api_version, escape_for_log(header.client_id.value_or("")),
                     connection.peer);
    response.disconnect();
    return false;
  };
  if (!in.ok()) return refuse("the header is cut short or malformed");
  if (api == nullptr) return refuse("an unknown api key");
  if (!api->served.contains(header.api_version)) {
    if (api->key != ApiKey::api_versions) return refuse("a version that is not served");
    answer_unsupported_api_versions(std::move(response));
    return true;
  }
  const RequestContext context{services, reactor, connection, header, frame};
  // A body that does not decode leaves the response unanswered, which closes the connection in its turn.
  const bool decoded = api->handle(context, in, std::move(response));
  if (!decoded) {
    log_rate_limited("request refused: a malformed {} version {} from client id \"{}\", {}",
                     to_string(api->key), header.api_version, escape_for_log(header.client_id.value_or("")),
                     connection.peer);
  }
  return decoded;
}

}  // namespace sillok::broker
