// DescribeCluster: the brokers, which is this one.
#include <optional>
#include <string_view>

#include "broker/handlers/authorized_operations.h"
#include "broker/handlers/handlers.h"

namespace sillok::broker {

void handle_describe_cluster(const RequestContext& context, const protocol::DescribeClusterRequest& request,
                             PendingResponse response) {
  const Config& config = context.services.config;
  protocol::DescribeClusterResponse answer;
  if (request.endpoint_type != protocol::EndpointType::brokers) {
    answer.error_code = request.endpoint_type == protocol::EndpointType::controllers
                            ? protocol::ErrorCode::mismatched_endpoint_type
                            : protocol::ErrorCode::unsupported_endpoint_type;
    answer.error_message = "This is a broker: it answers for brokers only.";
    return response.send(answer);
  }
  answer.endpoint_type = request.endpoint_type;
  std::optional<std::string_view> rack;
  if (!config.rack.empty()) rack = config.rack;
  answer.cluster_id = config.cluster_id;
  answer.controller_id = config.node_id;
  answer.brokers = {
      {config.node_id, context.connection.advertised_host, context.connection.advertised_port, rack, false}};
  if (request.include_cluster_authorized_operations)
    answer.cluster_authorized_operations = kClusterOperations;
  response.send(answer);
}

}  // namespace sillok::broker
