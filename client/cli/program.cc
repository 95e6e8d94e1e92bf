#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/log_dump.h"
#include "client/cli/suggest.h"

namespace sillok::client {
namespace {

constexpr const char* kHelp =
    "sillok COMMAND [OPTIONS]: the command line of Sillok, for every broker that speaks the Kafka "
    "protocol.\n\n"
    "  topic create|list|describe|delete   topics\n"
    "  produce TOPIC                       sends the lines of stdin\n"
    "  consume TOPIC                       prints records\n"
    "  log dump PATH...                    prints segments and indexes, without a broker\n\n"
    "  --help, --version\n\n"
    "Brokers: --brokers HOST:PORT or unix:///PATH (-b), or the variable SILLOK_BROKERS, or localhost:9092.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage.\n\n"
    "Examples:\n"
    "  sillok topic create events -p 4\n"
    "  printf 'one\\ntwo\\n' | sillok produce events\n"
    "  sillok consume events -e -f '%p %o %v\\n'\n"
    "'sillok COMMAND --help' has more.\n";

int run_log(std::span<const std::string> words) {
  if (!words.empty() && words[0] == "dump") return run_log_dump(words.subspan(1));
  const bool asks_for_help = !words.empty() && (words[0] == "--help" || words[0] == "-h");
  if (asks_for_help) return run_log_dump(words.first(1));
  const std::array<std::string, 1> names = {"dump"};
  if (words.empty()) {
    fmt::print(stderr, "sillok log: a verb is missing: dump\n");
  } else {
    fmt::print(stderr, "sillok log: unknown verb '{}'{}\nTry 'sillok log --help'.\n", words[0],
               did_you_mean(words[0], names));
  }
  return kExitUsage;
}

}  // namespace

int run_program(std::span<const std::string> words) {
  if (words.empty()) {
    fmt::print(stderr, "{}", kHelp);
    return kExitUsage;
  }
  const std::string& command = words[0];
  if (command == "--help" || command == "-h" || command == "help") {
    fmt::print("{}", kHelp);
    return kExitOk;
  }
  if (command == "--version" || command == "version") {
    fmt::print("sillok {}\n", SILLOK_VERSION);
    return kExitOk;
  }
  if (command == "topic") return run_topic(words.subspan(1));
  if (command == "produce") return run_produce(words.subspan(1));
  if (command == "consume") return run_consume(words.subspan(1));
  if (command == "log") return run_log(words.subspan(1));
  static const std::vector<std::string> kNames = {"topic", "produce", "consume",
                                                  "log",   "--help",  "--version"};
  fmt::print(stderr, "sillok: unknown command '{}'{}\nTry 'sillok --help'.\n", command,
             did_you_mean(command, kNames));
  return kExitUsage;
}

}  // namespace sillok::client
