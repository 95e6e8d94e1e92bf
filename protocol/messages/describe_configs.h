// DescribeConfigs: the settings of topics and brokers, with their source.
// v3 adds types and documentation, v4 is flexible.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/api.h"
#include "protocol/error_code.h"
#include "protocol/messages/values.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

enum class ConfigType : std::int8_t {
  unknown = 0,
  boolean = 1,
  string = 2,
  int32 = 3,
  int16 = 4,
  int64 = 5,
  float64 = 6,
  list = 7,
  class_name = 8,
  password = 9,
};

struct DescribeConfigsResource {
  ConfigResourceType resource_type{};
  std::string_view resource_name;
  std::optional<std::vector<std::string_view>> configuration_keys;
  bool operator==(const DescribeConfigsResource&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeConfigsResource::resource_type>("ResourceType"),
      field<&DescribeConfigsResource::resource_name>("ResourceName"),
      field<&DescribeConfigsResource::configuration_keys>("ConfigurationKeys"));
};

struct DescribeConfigsRequest {
  static constexpr ApiKey kKey = ApiKey::describe_configs;
  static constexpr VersionRange kVersions{1, 4};
  static constexpr VersionRange kFlexible = since(4);

  std::vector<DescribeConfigsResource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;
  bool operator==(const DescribeConfigsRequest&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeConfigsRequest::resources>("Resources"),
      field<&DescribeConfigsRequest::include_synonyms>("IncludeSynonyms", since(1)),
      field<&DescribeConfigsRequest::include_documentation>("IncludeDocumentation", since(3)));
};

struct DescribeConfigsSynonym {
  std::string_view name;
  std::optional<std::string_view> value;
  ConfigSource source{};
  bool operator==(const DescribeConfigsSynonym&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeConfigsSynonym::name>("Name"), field<&DescribeConfigsSynonym::value>("Value"),
      field<&DescribeConfigsSynonym::source>("Source"));
};

struct DescribeConfigsEntry {
  std::string_view name;
  std::optional<std::string_view> value;
  bool read_only = false;
  ConfigSource config_source{-1};
  bool is_sensitive = false;
  std::vector<DescribeConfigsSynonym> synonyms;
  ConfigType config_type{};
  std::optional<std::string_view> documentation;
  bool operator==(const DescribeConfigsEntry&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeConfigsEntry::name>("Name"), field<&DescribeConfigsEntry::value>("Value"),
      field<&DescribeConfigsEntry::read_only>("ReadOnly"),
      field<&DescribeConfigsEntry::config_source>("ConfigSource", since(1), IfAbsent::drop),
      field<&DescribeConfigsEntry::is_sensitive>("IsSensitive"),
      field<&DescribeConfigsEntry::synonyms>("Synonyms", since(1), IfAbsent::drop),
      field<&DescribeConfigsEntry::config_type>("ConfigType", since(3), IfAbsent::drop),
      field<&DescribeConfigsEntry::documentation>("Documentation", since(3), IfAbsent::drop));
};

struct DescribeConfigsResult {
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string_view> error_message;
  ConfigResourceType resource_type{};
  std::string_view resource_name;
  std::vector<DescribeConfigsEntry> configs;
  bool operator==(const DescribeConfigsResult&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeConfigsResult::error_code>("ErrorCode"),
      field<&DescribeConfigsResult::error_message>("ErrorMessage"),
      field<&DescribeConfigsResult::resource_type>("ResourceType"),
      field<&DescribeConfigsResult::resource_name>("ResourceName"),
      field<&DescribeConfigsResult::configs>("Configs"));
};

struct DescribeConfigsResponse {
  static constexpr ApiKey kKey = ApiKey::describe_configs;
  static constexpr VersionRange kVersions{1, 4};
  static constexpr VersionRange kFlexible = since(4);

  std::int32_t throttle_time_ms = 0;
  std::vector<DescribeConfigsResult> results;
  bool operator==(const DescribeConfigsResponse&) const = default;
  static constexpr auto kSchema = schema(  //
      field<&DescribeConfigsResponse::throttle_time_ms>("ThrottleTimeMs"),
      field<&DescribeConfigsResponse::results>("Results"));
};

}  // namespace sillok::protocol
