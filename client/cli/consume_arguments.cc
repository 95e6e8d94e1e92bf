#include "client/cli/consume_arguments.h"

#include <fmt/format.h>

#include <boost/program_options/value_semantic.hpp>
#include <charconv>

#include "client/cli/suggest.h"

namespace sillok::client {
namespace {

namespace po = boost::program_options;

Error bad(std::string text) { return Error{Errc::invalid_argument, std::move(text)}; }

}  // namespace

CommandLine consume_command_line() {
  CommandLine line{
      "sillok consume",
      "TOPIC [OPTIONS]",
      "Prints records on stdout, and goes on waiting for more unless -e or -n says when to stop.",
      "  sillok consume events                          all that is there, and what follows\n"
      "  sillok consume events -e                       all that is there\n"
      "  sillok consume events -o end                   from now on\n"
      "  sillok consume events -o -10 -p 0              the last ten of partition 0, and what follows\n"
      "  sillok consume events -o @1700000000000 -n 5   five from that time on\n"
      "  sillok consume events -e -f '%t %p %o %k %v\\n'\n\n"
      "Format: %t topic, %p partition, %o offset, %T timestamp (ms), %k key, %v value, %K and %V their "
      "sizes,\n"
      "  %h headers, %h{%k: %v;} each of them, %H their number, %% and \\n \\t \\r \\0 \\\\ \\xHH.\n",
      1,
      1};
  auto add = line.options.add_options();
  add("offset,o", po::value<std::string>()->default_value("beginning"),
      "beginning, end, OFFSET, -N (the last N) or @MILLISECONDS");
  add("partition,p", po::value<std::vector<std::int32_t>>(), "only this one; repeatable");
  add("exit,e", "stop at the end of each partition, as it was at the start");
  add("count,n", po::value<std::int64_t>(), "stop after so many records");
  add("format,f", po::value<std::string>()->default_value("%v\\n"), "how a record is printed");
  return line;
}

Result<StartPosition> parse_start(const std::string& text) {
  static const std::vector<std::string> kWords = {"beginning", "start", "end"};
  if (text == "beginning" || text == "start") return StartPosition{StartPosition::Kind::beginning, 0};
  if (text == "end") return StartPosition{StartPosition::Kind::end, 0};
  const bool is_time = text.starts_with('@');
  const bool is_tail = text.starts_with('-');
  const char* end = text.data() + text.size();
  StartPosition start{StartPosition::Kind::offset, 0};
  if (is_time) start.kind = StartPosition::Kind::time;
  if (is_tail) start.kind = StartPosition::Kind::tail;
  const auto parsed = std::from_chars(text.data() + (is_time || is_tail ? 1 : 0), end, start.value);
  if (parsed.ec != std::errc() || parsed.ptr != end || start.value < 0) {
    return bad(fmt::format("--offset {}: beginning, end, a number, -N or @MILLISECONDS{}", text,
                           did_you_mean(text, kWords)));
  }
  return start;
}

Result<ConsumeCommand> read_consume_command(const Arguments& arguments) {
  ConsumeCommand command{arguments.words[0],
                         {},
                         {},
                         std::nullopt,
                         arguments.has("exit"),
                         TRY(RecordFormat::parse(arguments.value<std::string>("format")))};
  command.start = TRY(parse_start(arguments.value<std::string>("offset")));
  if (arguments.has("partition")) {
    for (const std::int32_t partition : arguments.value<std::vector<std::int32_t>>("partition")) {
      if (partition < 0) return bad("--partition: from 0");
      command.partitions.emplace_back(partition);
    }
  }
  if (arguments.has("count")) {
    command.record_limit = arguments.value<std::int64_t>("count");
    if (*command.record_limit < 1) return bad("--count: from 1");
  }
  return command;
}

}  // namespace sillok::client
