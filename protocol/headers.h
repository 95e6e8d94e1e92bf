// The headers before request and response bodies. Flexible requests have header version 2 and flexible
// responses header version 1 (with tagged fields); ApiVersions answers always have response header version 0,
// since a client reads them before it knows what the broker can do.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/api.h"
#include "protocol/wire/schema.h"

namespace sillok::protocol {

struct RequestHeader {
  std::int16_t api_key = 0;
  Version api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string_view> client_id;  // has a 16-bit length even in flexible versions

  bool operator==(const RequestHeader&) const = default;
};

struct ResponseHeader {
  std::int32_t correlation_id = 0;

  bool operator==(const ResponseHeader&) const = default;
};

}  // namespace sillok::protocol
