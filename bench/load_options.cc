#include "bench/load_options.h"

#include <boost/program_options.hpp>
#include <charconv>
#include <optional>
#include <sstream>

namespace sillok::bench {
namespace {

namespace po = boost::program_options;

Error bad(std::string text) { return Error{Errc::invalid_argument, std::move(text)}; }

constexpr double kEndToEndRate = 1000;
constexpr const char* kModes = "produce, fetch, consume, e2e, first-ack, idle or metadata";

struct Names {
  std::string mode;
  std::string brokers = "127.0.0.1:9092";
  std::string from = "begin";
  bool once = false;
  bool no_sessions = false;
  bool all_topics = false;
  std::vector<std::string> settings;
};

po::options_description describe(LoadOptions& options, Names& names) {
  po::options_description all("Options");
  const auto text = [](std::string& into) { return po::value(&into)->default_value(into); };
  const auto number = [](std::int64_t& into) { return po::value(&into)->default_value(into); };
  const auto real = [](double& into) { return po::value(&into)->default_value(into); };
  all.add_options()("help,h", "this page");
  all.add_options()("mode", po::value(&names.mode), kModes);
  all.add_options()("brokers,b", text(names.brokers),
                    "HOST:PORT of the server, on the loopback, or unix:///PATH");
  all.add_options()("topic", text(options.topic), "created where it does not exist");
  all.add_options()("partitions", number(options.partitions),
                    "each connection writes to all in turn, and reads one");
  all.add_options()("config", po::value(&names.settings),
                    "NAME=VALUE of a topic that is created; repeatable");
  all.add_options()("connections", number(options.connections), "at once");
  all.add_options()("in-flight", number(options.in_flight), "produce requests per connection");
  all.add_options()("records", number(options.records), "per produce request");
  all.add_options()("record-bytes", number(options.record_bytes), "of a record's value");
  all.add_options()("acks", number(options.acks), "0, 1 or -1 (all)");
  all.add_options()("seconds", real(options.seconds), "length of the run");
  all.add_options()("requests", number(options.requests), "end after so many requests; 0: by time only");
  all.add_options()("max-bytes", number(options.max_bytes), "of one fetch answer");
  all.add_options()("from", text(names.from), "fetch: begin, end (follow what is appended) or an offset");
  all.add_options()("once", po::bool_switch(&names.once),
                    "fetch: every partition once, up to the end that it had at the start");
  all.add_options()("no-sessions", po::bool_switch(&names.no_sessions),
                    "consume: name all partitions in each fetch");
  all.add_options()("stamp", po::bool_switch(&options.has_stamps),
                    "produce: put the send time into each batch, for `fetch --from end`");
  all.add_options()(
      "rate", real(options.rate),
      "produce, e2e, metadata: requests a second of all connections, latency counted from when each "
      "was due; 0: as the answers come (e2e: 1000)");
  all.add_options()("timeline-ms", number(options.timeline_ms),
                    "produce, fetch, e2e, metadata: latencies by intervals of this length, too");
  all.add_options()("all-topics", po::bool_switch(&names.all_topics), "metadata: ask for all of them");
  all.add_options()("exec", text(options.exec),
                    "first-ack: start the server with this command, measure from there");
  all.add_options()("keep", po::bool_switch(&options.keep_server),
                    "first-ack: do not stop the started server");
  all.add_options()("timeout", real(options.timeout_seconds), "first-ack: give up after so many seconds");
  return all;
}

std::optional<Mode> parse_mode(const std::string& name) {
  if (name == "produce") return Mode::produce;
  if (name == "fetch") return Mode::fetch;
  if (name == "consume") return Mode::consume;
  if (name == "first-ack") return Mode::first_ack;
  if (name == "e2e") return Mode::e2e;
  if (name == "idle") return Mode::idle;
  if (name == "metadata") return Mode::metadata;
  return std::nullopt;
}

Result<void> check_limits(const LoadOptions& options) {
  const auto within = [](std::int64_t value, std::int64_t low, std::int64_t high) {
    return low <= value && value <= high;
  };
  if (!within(options.connections, 1, kConnectionsMax)) return bad("--connections: 1 to 20000");
  if (!within(options.in_flight, 1, kInFlightMax)) return bad("--in-flight: 1 to 10000");
  if (!within(options.partitions, 1, kPartitionsMax)) return bad("--partitions: 1 to 20000");
  if (!within(options.records, 1, 1'000'000)) return bad("--records: 1 to 1000000");
  if (!within(options.record_bytes, 0, kRequestBytesMax)) return bad("--record-bytes: 0 to 64 MiB");
  if (options.records * (options.record_bytes + 32) > kRequestBytesMax)
    return bad("a request of over 64 MiB");
  if (!within(options.acks, -1, 1)) return bad("--acks: 0, 1 or -1");
  if (!(options.seconds > 0 && options.seconds <= kSecondsMax))
    return bad("--seconds: above 0, at most 3600");
  if (!(options.timeout_seconds > 0 && options.timeout_seconds <= kSecondsMax)) {
    return bad("--timeout: above 0, at most 3600");
  }
  if (options.requests < 0) return bad("--requests: not negative");
  if (!within(options.max_bytes, 1, kRequestBytesMax)) return bad("--max-bytes: 1 to 64 MiB");
  if (!(options.rate >= 0 && options.rate <= 1e6)) return bad("--rate: 0 to 1000000");
  if (options.mode == Mode::e2e && options.rate * options.seconds > kEndToEndRecordsMax) {
    return bad("e2e: --rate times --seconds of at most 50 million");
  }
  if (options.timeline_ms != 0 && !within(options.timeline_ms, kTimelineMsMin, 3'600'000)) {
    return bad("--timeline-ms: 0, or 10 to 3600000");
  }
  if (options.has_stamps && options.record_bytes < kStampBytes)
    return bad("--stamp: --record-bytes of 16 or more");
  if (options.mode == Mode::e2e && options.acks == 0) return bad("e2e: --acks must not be 0");
  if (options.mode == Mode::first_ack && options.acks == 0) return bad("first-ack: --acks must not be 0");
  return {};
}

Result<void> parse_from(LoadOptions& options, const Names& names) {
  options.reading = names.once ? Reading::once : Reading::repeated;
  if (names.from == "begin") {
    options.from = From::begin;
  } else if (names.from == "end") {
    options.from = From::end;
    if (names.once) return bad("--once: from the beginning or an offset");
  } else {
    options.from = From::offset;
    const char* end = names.from.data() + names.from.size();
    const auto parsed = std::from_chars(names.from.data(), end, options.from_offset);
    if (parsed.ec != std::errc() || parsed.ptr != end || options.from_offset < 0) {
      return bad("--from: begin, end or an offset");
    }
  }
  return {};
}

Result<void> finish(LoadOptions& options, const Names& names) {
  const auto mode = parse_mode(names.mode);
  if (!mode) return bad("unknown mode '" + names.mode + "': " + kModes);
  options.mode = *mode;
  options.broker = TRY(parse_local(names.brokers));
  for (const std::string& setting : names.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) return bad("--config " + setting + ": NAME=VALUE is expected");
    options.topic_settings.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
  }
  TRY(parse_from(options, names));
  options.sessions = names.no_sessions ? Sessions::none : Sessions::used;
  options.topics_asked = names.all_topics ? TopicsAsked::all : TopicsAsked::one;
  if (options.mode == Mode::e2e && options.rate == 0) options.rate = kEndToEndRate;
  return check_limits(options);
}

}  // namespace

Result<LoadOptions> parse_load_options(int argc, char** argv) {
  LoadOptions options;
  Names names;
  try {
    po::positional_options_description positional;
    positional.add("mode", 1);
    po::variables_map map;
    const auto described = describe(options, names);
    po::store(po::command_line_parser(argc, argv).options(described).positional(positional).run(), map);
    po::notify(map);
    if (map.count("help") != 0 || argc < 2) return bad("");
  } catch (const po::error& error) {
    return bad(error.what());
  }
  if (auto finished = finish(options, names); !finished.ok()) return finished.error();
  return options;
}

std::string load_usage() {
  LoadOptions options;
  Names names;
  std::ostringstream text;
  text
      << "sillok_load MODE [OPTIONS]: loads a Kafka-protocol server and prints one JSON object.\n\n"
         "  produce    pre-encoded requests, pipelined or at a fixed rate; prints rates and latencies\n"
         "  fetch      reads each partition from its beginning, again and again or once; or follows its end\n"
         "  consume    each connection reads all partitions from their ends, with a fetch session\n"
         "  first-ack  tries until one record is acknowledged; prints the milliseconds that it took\n"
         "  e2e        one record at a time at a fixed rate, and the time until a waiting fetch has it\n"
         "  idle       opens connections, and holds them until --seconds are over or stdin ends\n"
         "  metadata   asks for topics, again and again\n\n"
      << describe(options, names);
  return text.str();
}

}  // namespace sillok::bench
