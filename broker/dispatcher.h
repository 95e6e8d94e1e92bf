// From a request's key and version to its handler. ApiVersions is answered from the same table, so that what
// is advertised is what is there.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "broker/handler.h"
#include "broker/response_sink.h"
#include "protocol/api.h"
#include "protocol/wire/schema.h"

namespace sillok::broker {

struct ApiEntry {
  protocol::ApiKey key;
  protocol::VersionRange advertised;
  protocol::VersionRange served;
  protocol::VersionRange flexible;
  // False where the body is not one of the version.
  bool (*handle)(const RequestContext& context, protocol::Decoder& body, PendingResponse response);
  // The setting that must be true for it to be there; null: none.
  bool Config::* switch_of_its_own = nullptr;

  bool is_on(const Config& config) const { return switch_of_its_own == nullptr || config.*switch_of_its_own; }
};

// By rising key. Those that are switched off are in it.
std::span<const ApiEntry> api_table();

// Takes one request, which is answered in `slot` of `sink`, now or later. False, and logged, where the frame
// cannot be answered, for which the connection must be closed.
bool dispatch(Services& services, ReactorPort& reactor, const ConnectionInfo& connection,
              MutableByteView frame, std::shared_ptr<ResponseSink> sink, std::uint64_t slot);

}  // namespace sillok::broker
