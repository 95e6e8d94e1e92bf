// What `sillok consume` was asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/format.h"
#include "client/consumer_options.h"

namespace sillok::client {

struct ConsumeCommand {
  std::string topic;
  StartPosition start;
  std::vector<PartitionIndex> partitions;  // empty: all
  std::optional<std::int64_t> record_limit;
  bool stops_at_end = false;
  RecordFormat format;
};

CommandLine consume_command_line();
Result<ConsumeCommand> read_consume_command(const Arguments& arguments);

// beginning, start, end, an offset, -N (the last N), @MILLISECONDS.
Result<StartPosition> parse_start(const std::string& text);

}  // namespace sillok::client
