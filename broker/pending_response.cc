#include "broker/pending_response.h"

#include <spdlog/spdlog.h>

namespace sillok::broker {

void report_unsayable(protocol::ApiKey key, protocol::Version version, const Error& error) {
  spdlog::error("no answer to {} version {}, which closes the connection: {}", protocol::to_string(key),
                version, error.describe());
}

}  // namespace sillok::broker
