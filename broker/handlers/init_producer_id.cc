// InitProducerId: an id for an idempotent producer. Transactions are refused.
#include <memory>
#include <utility>

#include "broker/handlers/handlers.h"
#include "broker/producer_ids.h"

namespace sillok::broker {
namespace {

using protocol::ErrorCode;

void refuse(ErrorCode error, PendingResponse response) {
  protocol::InitProducerIdResponse answer;
  answer.error_code = error;
  answer.producer_epoch = kNoProducerEpoch;
  response.send(answer);
}

void give(ProducerId id, PendingResponse response) {
  protocol::InitProducerIdResponse answer;
  answer.producer_id = id;
  answer.producer_epoch = ProducerEpoch(0);
  response.send(answer);
}

// Why there is no id for this request, or none.
ErrorCode fault_of(const protocol::InitProducerIdRequest& request) {
  if (request.transactional_id) {
    return request.transactional_id->empty() ? ErrorCode::invalid_request : ErrorCode::invalid_txn_state;
  }
  const bool has_id = request.producer_id != kNoProducerId;
  const bool has_epoch = request.producer_epoch != kNoProducerEpoch;
  return has_id == has_epoch ? ErrorCode::none : ErrorCode::invalid_request;
}

}  // namespace

// An id and epoch that the producer had do not matter: without a transactional id it gets a new one, as in
// Kafka.
void handle_init_producer_id(const RequestContext& context, const protocol::InitProducerIdRequest& request,
                             PendingResponse response) {
  if (const ErrorCode fault = fault_of(request); fault != ErrorCode::none)
    return refuse(fault, std::move(response));
  Services& services = context.services;
  if (const auto id = services.producer_ids.try_next()) return give(*id, std::move(response));
  auto shared_response = std::make_shared<PendingResponse>(std::move(response));
  services.control.post([&services, shared_response]() {
    const auto id = services.producer_ids.next();
    // Clients try again after this error.
    if (!id.ok()) return refuse(ErrorCode::coordinator_not_available, std::move(*shared_response));
    give(*id, std::move(*shared_response));
  });
}

}  // namespace sillok::broker
