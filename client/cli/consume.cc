// sillok consume TOPIC
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/consume_arguments.h"
#include "client/cli/interrupt.h"
#include "client/consumer.h"

namespace sillok::client {
namespace {

constexpr Milliseconds kPollWait{100};
constexpr std::size_t kOutputSize = 256 << 10;

// Text for stdout, written when there is much of it or nothing more to wait for.
class Output {
 public:
  std::string& text() { return text_; }
  Result<void> flush_if_full() { return text_.size() < kOutputSize ? Result<void>() : flush(); }
  Result<void> flush() {
    std::string_view left = text_;
    while (!left.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, left.data(), left.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Error{Errc::io_error, fmt::format("stdout: {}", std::strerror(errno))};
      left.remove_prefix(static_cast<std::size_t>(written));
    }
    text_.clear();
    return {};
  }

 private:
  std::string text_;
};

class Consume {
 public:
  Consume(const ConsumeCommand& command, Consumer& consumer) : command_(command), consumer_(consumer) {}

  std::int64_t record_count() const { return record_count_; }
  std::size_t byte_count() const { return byte_count_; }

  Result<void> start() {
    auto partitions = TRY(consumer_.partitions(command_.topic));
    for (const PartitionIndex wanted : command_.partitions) {
      if (std::find(partitions.begin(), partitions.end(), wanted) == partitions.end()) {
        return Error{Errc::invalid_argument,
                     fmt::format("{} has no partition {}", command_.topic, wanted.value)};
      }
    }
    if (!command_.partitions.empty()) partitions = command_.partitions;
    std::vector<Assignment> assignments;
    for (const PartitionIndex partition : partitions) {
      const TopicPartition where{command_.topic, partition};
      assignments.push_back({where, command_.start});
      // Before the position is looked up, so that the end is not before it.
      if (command_.stops_at_end) ends_[where] = TRY(consumer_.end_of(where));
    }
    TRY(consumer_.assign(assignments));
    for (const auto& [where, end] : std::map(ends_)) {
      const auto position = consumer_.position(where);
      if (position && *position > end && command_.start.kind == StartPosition::Kind::offset) {
        return Error{Errc::offset_out_of_range,
                     fmt::format("{}-{}: offset {} is past the end, {}", where.topic, where.partition.value,
                                 position->value, end.value)};
      }
      if (position && *position >= end) finish(where);
    }
    return {};
  }

  Result<void> run() {
    while (!is_done() && !is_interrupted()) {
      const auto fetched = TRY(consumer_.poll(kPollWait));
      if (!fetched || fetched->bytes.empty()) TRY(output_.flush());
      tell_trouble();
      if (!fetched) continue;
      TRY(print(*fetched));
      const auto end = ends_.find(fetched->where);
      if (end != ends_.end() && fetched->next_position >= end->second) finish(fetched->where);
    }
    return output_.flush();
  }

  // What was printed before an error is not lost.
  void flush_quietly() { static_cast<void>(output_.flush().ok()); }

 private:
  // Once for each kind.
  void tell_trouble() {
    const std::string trouble = consumer_.trouble();
    if (trouble.empty() || !told_.insert(trouble).second) return;
    fmt::print(stderr, "sillok consume: {}; trying again\n", trouble);
  }

  bool is_done() const {
    if (command_.record_limit && record_count_ >= *command_.record_limit) return true;
    return command_.stops_at_end && ends_.empty();
  }

  void finish(const TopicPartition& where) {
    consumer_.unassign(where);
    ends_.erase(where);
  }

  Result<void> print(const FetchedBatches& fetched) {
    const auto end = ends_.find(fetched.where);
    Result<void> written;
    TRY(for_each_record(fetched, [&](const protocol::Record& record) {
      if (end != ends_.end() && record.offset >= end->second) return Visit::stop;
      if (command_.record_limit && record_count_ >= *command_.record_limit) return Visit::stop;
      command_.format.print(output_.text(), fetched.where.topic, fetched.where.partition, record);
      ++record_count_;
      byte_count_ += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
      written = output_.flush_if_full();
      return written.ok() ? Visit::go_on : Visit::stop;
    }));
    return written;
  }

  const ConsumeCommand& command_;
  Consumer& consumer_;
  std::map<TopicPartition, Offset> ends_;  // of partitions that are to stop there, and have not
  Output output_;
  std::set<std::string> told_;  // troubles
  std::int64_t record_count_ = 0;
  std::size_t byte_count_ = 0;
};

}  // namespace

int run_consume(std::span<const std::string> words) {
  const CommandLine line = consume_command_line();
  const auto arguments = parse_arguments(line, words);
  if (!arguments.ok()) return end_of_parse(line, arguments.error());
  const auto command = read_consume_command(*arguments);
  if (!command.ok()) return usage_error(line, command.error().detail);
  const auto cluster = arguments->cluster();
  if (!cluster.ok()) return usage_error(line, cluster.error().detail);
  watch_for_interrupt();
  Consumer consumer(*cluster, {});
  Consume consume(*command, consumer);
  Result<void> done = consume.start();
  if (done.ok()) done = consume.run();
  if (!done.ok()) {
    consume.flush_quietly();
    return failure(line, done.error().detail);
  }
  if (is_interrupted()) {
    fmt::print(stderr, "{} records, {} bytes of keys and values\n", consume.record_count(),
               consume.byte_count());
  }
  return kExitOk;
}

}  // namespace sillok::client
