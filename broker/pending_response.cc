#include "broker/pending_response.h"

#include <spdlog/spdlog.h>

namespace sillok::broker {
namespace {

// A longer list is not kept.
constexpr std::size_t kKeptHolesMax = 1024;

std::vector<protocol::Encoder::Hole>& kept_holes() {
  thread_local std::vector<protocol::Encoder::Hole> holes;
  return holes;
}

}  // namespace

HoleList::HoleList() : holes_(kept_holes()) {}

HoleList::~HoleList() {
  if (holes_.capacity() > kKeptHolesMax) std::vector<protocol::Encoder::Hole>().swap(holes_);
}

void report_unsayable(protocol::ApiKey key, protocol::Version version, const Error& error) {
  spdlog::error("no answer to {} version {}, which closes the connection: {}", protocol::to_string(key),
                version, error.describe());
}

}  // namespace sillok::broker
