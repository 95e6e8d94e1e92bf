// sillok produce TOPIC
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <boost/program_options/value_semantic.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>

#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/line_reader.h"
#include "client/cli/suggest.h"
#include "client/producer.h"

namespace sillok::client {
namespace {

namespace po = boost::program_options;
using protocol::Codec;

constexpr std::size_t kLineSizeMax = 64 << 20;
constexpr std::size_t kErrorsShownMax = 5;

struct ProduceCommand {
  std::string topic;
  std::string key_delimiter;
  std::vector<Header> headers;
  std::optional<PartitionIndex> partition;
  ProducerOptions options;
  bool has_tombstones = false;
  bool is_quiet = false;
};

// What the delivery reports say, counted.
class Tally {
 public:
  void add(const Delivery& delivery, std::size_t size) {
    const std::lock_guard lock(mutex_);
    if (delivery.result.ok()) {
      ++delivered_;
      bytes_ += size;
      return;
    }
    ++failed_;
    const std::string& text = delivery.result.error().detail;
    if (errors_.size() < kErrorsShownMax || errors_.find(text) != errors_.end()) ++errors_[text];
  }

  bool all_ok() const { return failed_ == 0; }
  // Requires: no more reports come.
  void print(double seconds) const {
    for (const auto& [text, count] : errors_) fmt::print(stderr, "{} x {}\n", count, text);
    const double rate = static_cast<double>(bytes_) / 1e6 / (seconds > 0 ? seconds : 1e-9);
    fmt::print(stderr, "{} records delivered, {} failed, {} bytes in {:.3f} s ({:.1f} MB/s)\n", delivered_,
               failed_, bytes_, seconds, rate);
  }

 private:
  std::mutex mutex_;
  std::int64_t delivered_ = 0;
  std::int64_t failed_ = 0;
  std::size_t bytes_ = 0;
  std::map<std::string, std::int64_t> errors_;
};

CommandLine describe() {
  CommandLine line{
      "sillok produce",
      "TOPIC [OPTIONS]",
      "Sends each line of stdin as a record; a summary comes on stderr when all are acknowledged.",
      "  sillok produce events < events.jsonl\n"
      "  echo 'user-1:signed in' | sillok produce logins -k :\n"
      "  sillok produce events -z zstd -H source=import -p 3 < events.jsonl\n",
      1,
      1};
  auto add = line.options.add_options();
  add("key-delimiter,k", po::value<std::string>(),
      "what stands between key and value; a line without it has no key");
  add("compression,z", po::value<std::string>()->default_value("none"), "none, gzip, snappy, lz4 or zstd");
  add("header,H", po::value<std::vector<std::string>>(), "NAME=VALUE on every record; repeatable");
  add("acks", po::value<std::string>()->default_value("all"), "who must have it: all, 1 (the leader) or 0");
  add("partition,p", po::value<std::int32_t>(), "send everything there (by the key, or in turn, otherwise)");
  add("tombstone", "an empty value is sent as null");
  add("timeout", po::value<double>()->default_value(30), "seconds until a record counts as failed");
  add("linger", po::value<std::int64_t>()->default_value(5), "milliseconds to wait for a fuller batch");
  add("batch-bytes", po::value<std::size_t>()->default_value(256 << 10), "when a batch is full");
  add("quiet,q", "no summary");
  return line;
}

Result<Codec> parse_codec(const std::string& name) {
  static const std::vector<std::string> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Codec>(i);
  }
  return Error{Errc::invalid_argument, fmt::format("unknown codec '{}'{}", name, did_you_mean(name, kNames))};
}

Result<Acks> parse_acks(const std::string& text) {
  if (text == "all" || text == "-1") return Acks::all;
  if (text == "1") return Acks::leader;
  if (text == "0") return Acks::none;
  return Error{Errc::invalid_argument, fmt::format("--acks {}: all, 1 or 0", text)};
}

Result<ProduceCommand> read_command(const Arguments& arguments) {
  ProduceCommand command;
  command.topic = arguments.words[0];
  if (arguments.has("key-delimiter")) command.key_delimiter = arguments.value<std::string>("key-delimiter");
  command.options.codec = TRY(parse_codec(arguments.value<std::string>("compression")));
  command.options.acks = TRY(parse_acks(arguments.value<std::string>("acks")));
  if (command.options.acks != Acks::all) command.options.idempotence = Idempotence::off;
  const auto timeout = arguments.value<double>("timeout");
  const auto linger = arguments.value<std::int64_t>("linger");
  if (!(timeout > 0 && timeout < 1e6)) return Error{Errc::invalid_argument, "--timeout: above 0"};
  if (linger < 0 || linger > 60'000) return Error{Errc::invalid_argument, "--linger: 0 to 60000"};
  command.options.delivery_timeout = Milliseconds(static_cast<std::int64_t>(timeout * 1000));
  command.options.request_timeout =
      std::min(command.options.request_timeout, command.options.delivery_timeout);
  command.options.linger = Milliseconds(linger);
  command.options.batch_bytes = arguments.value<std::size_t>("batch-bytes");
  if (arguments.has("partition"))
    command.partition = PartitionIndex(arguments.value<std::int32_t>("partition"));
  if (command.partition && command.partition->value < 0)
    return Error{Errc::invalid_argument, "--partition: from 0"};
  if (arguments.has("header")) {
    for (const std::string& header : arguments.value<std::vector<std::string>>("header")) {
      const std::size_t equals = header.find('=');
      if (equals == std::string::npos)
        return Error{Errc::invalid_argument, fmt::format("--header {}: NAME=VALUE", header)};
      command.headers.push_back({header.substr(0, equals), header.substr(equals + 1)});
    }
  }
  command.has_tombstones = arguments.has("tombstone");
  command.is_quiet = arguments.has("quiet");
  return command;
}

ProducerRecord make_record(const ProduceCommand& command, std::string_view line) {
  ProducerRecord record;
  record.topic = command.topic;
  record.partition = command.partition;
  record.headers = command.headers;
  if (!command.key_delimiter.empty()) {
    if (const std::size_t at = line.find(command.key_delimiter); at != std::string_view::npos) {
      record.key = std::string(line.substr(0, at));
      line.remove_prefix(at + command.key_delimiter.size());
    }
  }
  if (!line.empty() || !command.has_tombstones) record.value = std::string(line);
  return record;
}

// Sends stdin to its end, or until Ctrl-C.
Result<void> send_lines(const ProduceCommand& command, Producer& producer, Tally& tally) {
  LineReader reader(STDIN_FILENO, kLineSizeMax);
  std::string_view text;
  while (!is_interrupted()) {
    const LineReader::Next next = TRY(reader.next(text));
    if (next == LineReader::Next::end) return {};
    if (next == LineReader::Next::interrupted) continue;
    ProducerRecord record = make_record(command, text);
    const std::size_t size = record.size();
    const auto count = [&tally, size](const Delivery& delivery) { tally.add(delivery, size); };
    if (auto sent = producer.send(std::move(record), count); !sent.ok()) {
      tally.add({std::move(sent), {command.topic, PartitionIndex(-1)}, Offset(-1)}, size);
    }
  }
  return {};
}

}  // namespace

int run_produce(std::span<const std::string> words) {
  const CommandLine line = describe();
  const auto arguments = parse_arguments(line, words);
  if (!arguments.ok()) return end_of_parse(line, arguments.error());
  const auto command = read_command(*arguments);
  if (!command.ok()) return usage_error(line, command.error().detail);
  const auto cluster = arguments->cluster();
  if (!cluster.ok()) return usage_error(line, cluster.error().detail);
  watch_for_interrupt();
  const auto start = std::chrono::steady_clock::now();
  Tally tally;
  Producer producer(*cluster, command->options);
  if (const auto connected = producer.connect(); !connected.ok())
    return failure(line, connected.error().detail);
  const auto sent = send_lines(*command, producer, tally);
  producer.flush();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!command->is_quiet || !tally.all_ok()) tally.print(seconds.count());
  if (!sent.ok()) return failure(line, sent.error().detail);
  return tally.all_ok() ? kExitOk : kExitFailed;
}

}  // namespace sillok::client
