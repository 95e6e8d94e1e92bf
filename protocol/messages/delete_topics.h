// DeleteTopics.
// v4 is flexible, v5 adds error messages, v6 names topics by name or by id, in `topics` in place of
// `topic_names`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/base/uuid.h"
#include "protocol/error_code.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct DeleteTopicsTopic {
  std::optional<std::string_view> name;
  TopicId topic_id;
  bool operator==(const DeleteTopicsTopic&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteTopicsTopic::name>("Name"), field<&DeleteTopicsTopic::topic_id>("TopicId"));
};

struct DeleteTopicsRequest {
  static constexpr ApiKey kKey = ApiKey::delete_topics;
  static constexpr VersionRange kVersions{1, 6};
  static constexpr VersionRange kFlexible = since(4);

  std::vector<DeleteTopicsTopic> topics;
  std::vector<std::string_view> topic_names;
  std::int32_t timeout_ms = 0;
  bool operator==(const DeleteTopicsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteTopicsRequest::topics>("Topics", since(6)),
      field<&DeleteTopicsRequest::topic_names>("TopicNames", until(5), IfAbsent::drop),
      field<&DeleteTopicsRequest::timeout_ms>("TimeoutMs"));
};

struct DeleteTopicsTopicResponse {
  std::optional<std::string_view> name;
  TopicId topic_id;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  bool operator==(const DeleteTopicsTopicResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteTopicsTopicResponse::name>("Name", nullable(since(6))),
      field<&DeleteTopicsTopicResponse::topic_id>("TopicId", since(6), IfAbsent::drop),
      field<&DeleteTopicsTopicResponse::error_code>("ErrorCode"),
      field<&DeleteTopicsTopicResponse::error_message>("ErrorMessage", since(5), IfAbsent::drop));
};

struct DeleteTopicsResponse {
  static constexpr ApiKey kKey = ApiKey::delete_topics;
  static constexpr VersionRange kVersions{1, 6};
  static constexpr VersionRange kFlexible = since(4);

  std::int32_t throttle_time_ms = 0;
  std::vector<DeleteTopicsTopicResponse> responses;
  bool operator==(const DeleteTopicsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DeleteTopicsResponse::throttle_time_ms>("ThrottleTimeMs", since(1), IfAbsent::drop),
      field<&DeleteTopicsResponse::responses>("Responses"));
};

}  // namespace sillok::protocol
