#include <unistd.h>

#include <boost/program_options/value_semantic.hpp>
#include <catch2/catch.hpp>

#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/consume_arguments.h"
#include "client/cli/format.h"
#include "client/cli/line_reader.h"
#include "client/cli/suggest.h"
#include "client/cli/table.h"

namespace sillok {
namespace {

using client::StartPosition;
using Words = std::vector<std::string>;

Result<client::ConsumeCommand> consume(const Words& words) {
  const auto arguments = TRY(client::parse_arguments(client::consume_command_line(), words));
  return client::read_consume_command(arguments);
}

TEST_CASE("cli: consume understands its options, negative offsets included") {
  const auto command = consume({"events", "-o", "-5", "-p", "0", "-p", "2", "-e", "-n", "7", "-f", "%v"});
  REQUIRE(command.ok());
  CHECK(command->topic == "events");
  CHECK(command->start.kind == StartPosition::Kind::tail);
  CHECK(command->start.value == 5);
  CHECK(command->partitions == std::vector{PartitionIndex(0), PartitionIndex(2)});
  CHECK(command->stops_at_end);
  CHECK(command->record_limit == 7);
  CHECK(consume({"events", "--offset", "-5"})->start.value == 5);
  CHECK(consume({"events"})->start.kind == StartPosition::Kind::beginning);
}

TEST_CASE("cli: every form of a start position") {
  const auto parse = [](const char* text) { return client::parse_start(text); };
  CHECK(parse("start")->kind == StartPosition::Kind::beginning);
  CHECK(parse("end")->kind == StartPosition::Kind::end);
  CHECK(parse("42")->value == 42);
  CHECK(parse("@1700000000000")->kind == StartPosition::Kind::time);
  for (const char* wrong : {"", "-", "@", "4x", "--5", "99999999999999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse(wrong).ok());
  }
  CHECK(parse("begining").error().detail.find("did you mean 'beginning'") != std::string::npos);
}

TEST_CASE("cli: an unknown option names the one that was meant") {
  const auto command = consume({"events", "--formt", "x"});
  REQUIRE_FALSE(command.ok());
  CHECK(command.error().detail == "unknown option '--formt'; did you mean '--format'?");
  CHECK_FALSE(consume({}).ok());
  CHECK_FALSE(consume({"one", "two"}).ok());
  CHECK_FALSE(consume({"events", "-n", "0"}).ok());
}

TEST_CASE("cli: wrong usage is exit code 2, and help and version are 0") {
  const auto run = [](const Words& words) { return client::run_program(words); };
  CHECK(run({}) == client::kExitUsage);
  CHECK(run({"topik"}) == client::kExitUsage);
  CHECK(run({"topic", "crate"}) == client::kExitUsage);
  CHECK(run({"topic", "create"}) == client::kExitUsage);
  CHECK(run({"produce", "t", "-z", "zip"}) == client::kExitUsage);
  CHECK(run({"consume", "t", "-f", "%q"}) == client::kExitUsage);
  CHECK(run({"consume", "t", "-b", "host:0"}) == client::kExitUsage);
  CHECK(run({"--help"}) == client::kExitOk);
  CHECK(run({"consume", "--help"}) == client::kExitOk);
  CHECK(run({"--version"}) == client::kExitOk);
}

TEST_CASE("cli: suggestions are near, or there are none") {
  const Words names = {"create", "delete", "describe", "list"};
  CHECK(client::nearest("crate", names) == "create");
  CHECK(client::nearest("lst", names) == "list");
  CHECK(client::nearest("produce", names).empty());
}

TEST_CASE("cli: a format prints what its tokens say") {
  const protocol::Record record{Offset(42),
                                1700000000000,
                                as_bytes("key"),
                                as_bytes("value"),
                                {{"a", as_bytes("1")}, {"b", std::nullopt}}};
  const auto print = [&](const char* text) {
    const auto format = client::RecordFormat::parse(text);
    REQUIRE(format.ok());
    std::string out;
    format->print(out, "topic", PartitionIndex(3), record);
    return out;
  };
  CHECK(print("%t-%p@%o %T") == "topic-3@42 1700000000000");
  CHECK(print("%k=%v %K/%V") == "key=value 3/5");
  CHECK(print("%h") == "a=1,b=");
  CHECK(print("%H:%h{<%k|%v>}") == "2:<a|1><b|>");
  CHECK(print("100%%\\t\\x41\\n") == "100%\tA\n");
  for (const char* wrong : {"%", "%q", "\\", "\\q", "\\xg", "%h{%k"}) {
    CAPTURE(wrong);
    CHECK_FALSE(client::RecordFormat::parse(wrong).ok());
  }
}

TEST_CASE("cli: a null key or value prints as nothing") {
  const auto format = client::RecordFormat::parse("[%k][%v]");
  std::string out;
  format->print(out, "t", PartitionIndex(0), protocol::Record{});
  CHECK(out == "[][]");
}

TEST_CASE("cli: a table's columns stand under each other") {
  client::Table table({"NAME", "N"});
  table.add({"longer name", "1"});
  table.add({"x", ""});
  CHECK(table.to_string() == "NAME         N\nlonger name  1\nx\n");
}

TEST_CASE("cli: lines are read whole, empty ones and a last one without newline included") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string text = "one\n\n" + std::string(20'000, 'x') + "\nlast";
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  client::LineReader reader(ends[0], 1 << 20);
  std::string_view line;
  Words lines;
  for (auto next = reader.next(line); next.ok() && *next == client::LineReader::Next::line;
       next = reader.next(line)) {
    lines.emplace_back(line);
  }
  ::close(ends[0]);
  CHECK(lines == Words{"one", "", std::string(20'000, 'x'), "last"});
}

TEST_CASE("cli: a line over the limit is an error") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string text(1000, 'x');
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  client::LineReader reader(ends[0], 100);
  std::string_view line;
  const auto next = reader.next(line);
  ::close(ends[0]);
  REQUIRE_FALSE(next.ok());
  CHECK(next.error().code == Errc::too_large);
}

TEST_CASE("cli: brokers are named in every usual way") {
  const auto endpoints = client::parse_endpoints("a, b:1 ,[::1]:2,::1,unix:///run/s.sock,UNIX://@s");
  REQUIRE(endpoints.ok());
  REQUIRE(endpoints->size() == 6);
  CHECK((*endpoints)[0] == client::Endpoint{"a", 9092});
  CHECK((*endpoints)[1] == client::Endpoint{"b", 1});
  CHECK((*endpoints)[2] == client::Endpoint{"::1", 2});
  CHECK((*endpoints)[3].to_string() == "[::1]:9092");
  CHECK((*endpoints)[4] == client::Endpoint{"", 0, "/run/s.sock"});
  CHECK((*endpoints)[5].to_string() == "unix://@s");
  for (const char* wrong :
       {"", ",", "a:", "a:0", "a:70000", "a:b", ":9092", "[::1", "unix://", "unix://run/s.sock"}) {
    CAPTURE(wrong);
    CHECK_FALSE(client::parse_endpoints(wrong).ok());
  }
}

}  // namespace
}  // namespace sillok
