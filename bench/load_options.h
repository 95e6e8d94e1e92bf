// What a load run is asked to do. Every run is bounded in time or count, and stays on this machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/load_endpoint.h"
#include "protocol/base/result.h"

namespace sillok::bench {

inline constexpr double kSecondsMax = 3600;
inline constexpr std::int64_t kConnectionsMax = 20'000;
inline constexpr std::int64_t kPartitionsMax = 20'000;
inline constexpr std::int64_t kInFlightMax = 10'000;
inline constexpr std::int64_t kRequestBytesMax = 64 << 20;
inline constexpr double kEndToEndRecordsMax = 50e6;  // whose send times are kept
inline constexpr std::int64_t kTimelineMsMin = 10;
inline constexpr std::int64_t kStampBytes = 16;  // of a record's value

enum class Mode { produce, fetch, consume, first_ack, e2e, idle, metadata };
enum class From { begin, end, offset };
enum class Reading { repeated, once };
enum class TopicsAsked { one, all };
enum class Sessions { used, none };

struct TopicSetting {
  std::string name;
  std::string value;
};

struct LoadOptions {
  Mode mode = Mode::produce;
  Endpoint broker;
  std::string topic = "load";
  std::int64_t partitions = 1;
  std::vector<TopicSetting> topic_settings;
  std::int64_t connections = 1;
  std::int64_t in_flight = 5;
  std::int64_t records = 1;
  std::int64_t record_bytes = 100;
  std::int64_t acks = 1;
  double seconds = 10;
  std::int64_t requests = 0;  // 0: bounded by the seconds alone
  std::int64_t max_bytes = 1 << 20;
  From from = From::begin;
  std::int64_t from_offset = 0;
  Reading reading = Reading::repeated;
  Sessions sessions = Sessions::used;
  bool has_stamps = false;       // produce: the send time in each request
  double rate = 0;               // requests a second; 0: as the answers come, and kEndToEndRate for e2e
  std::int64_t timeline_ms = 0;  // 0: none
  TopicsAsked topics_asked = TopicsAsked::one;
  std::string exec;  // first-ack: the server's command line
  double timeout_seconds = 120;
  bool keep_server = false;  // first-ack: leave the started server running
};

// Errc::invalid_argument says what is wrong with the command line; an empty text asks for the help.
Result<LoadOptions> parse_load_options(int argc, char** argv);
std::string load_usage();

}  // namespace sillok::bench
