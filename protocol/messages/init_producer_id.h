// InitProducerId: gives a producer its id and epoch.
// v2 is flexible, v3 lets a producer say the id and epoch that it had, v4 may answer PRODUCER_FENCED, v5
// TRANSACTION_ABORTABLE.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/api.h"
#include "protocol/base/ids.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct InitProducerIdRequest {
  static constexpr ApiKey kKey = ApiKey::init_producer_id;
  static constexpr VersionRange kVersions{0, 5};
  static constexpr VersionRange kFlexible = since(2);

  std::optional<std::string_view> transactional_id;
  std::int32_t transaction_timeout_ms = 0;
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch{-1};
  bool operator==(const InitProducerIdRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&InitProducerIdRequest::transactional_id>("TransactionalId"),
      field<&InitProducerIdRequest::transaction_timeout_ms>("TransactionTimeoutMs"),
      field<&InitProducerIdRequest::producer_id>("ProducerId", since(3)),
      field<&InitProducerIdRequest::producer_epoch>("ProducerEpoch", since(3)));
};

struct InitProducerIdResponse {
  static constexpr ApiKey kKey = ApiKey::init_producer_id;
  static constexpr VersionRange kVersions{0, 5};
  static constexpr VersionRange kFlexible = since(2);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch;
  bool operator==(const InitProducerIdResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&InitProducerIdResponse::throttle_time_ms>("ThrottleTimeMs", IfAbsent::drop),
      field<&InitProducerIdResponse::error_code>("ErrorCode"),
      field<&InitProducerIdResponse::producer_id>("ProducerId"),
      field<&InitProducerIdResponse::producer_epoch>("ProducerEpoch"));
};

}  // namespace sillok::protocol
