// Kafka's API keys, by the names that Kafka uses.
#pragma once

#include <cstdint>

namespace sillok::protocol {

enum class ApiKey : std::int16_t {
  produce = 0,
  fetch = 1,
  list_offsets = 2,
  metadata = 3,
  offset_commit = 8,
  offset_fetch = 9,
  find_coordinator = 10,
  sasl_handshake = 17,
  api_versions = 18,
  create_topics = 19,
  delete_topics = 20,
  init_producer_id = 22,
  offset_for_leader_epoch = 23,
  describe_configs = 32,
  describe_cluster = 60,
};

// "Produce"; "key 99" has no name here and gives "Unknown".
const char* to_string(ApiKey key);

}  // namespace sillok::protocol
