// The command lines of the program: options, what is wrong with them, and help.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/cluster.h"
#include "protocol/base/result.h"

namespace sillok::client {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// One verb. The options --help and --brokers are there without being listed.
struct CommandLine {
  std::string name;      // "sillok topic create"
  std::string synopsis;  // "TOPIC... [OPTIONS]"
  std::string purpose;   // one line
  std::string examples;  // whole lines, indented by two
  std::size_t words_min = 0;
  std::size_t words_max = 1000;
  boost::program_options::options_description options{"Options"};
};

struct Arguments {
  boost::program_options::variables_map values;
  std::vector<std::string> words;  // what is not an option

  bool has(const std::string& name) const { return values.count(name) != 0; }
  template <class T>
  T value(const std::string& name) const {
    return values[name].as<T>();
  }
  // --brokers, or SILLOK_BROKERS, or localhost:9092.
  Result<ClusterOptions> cluster() const;
};

// Errc::invalid_argument with a whole message, which names the option meant where one is near; the help was
// asked for where the text is empty.
Result<Arguments> parse_arguments(const CommandLine& line, std::span<const std::string> words);

std::string help_text(const CommandLine& line);

// Prints the error of parse_arguments, or the help that was asked for. Gives the exit code.
int end_of_parse(const CommandLine& line, const Error& error);
// "sillok topic create: TEXT" on stderr; gives kExitUsage or kExitFailed.
int usage_error(const CommandLine& line, std::string_view text);
int failure(const CommandLine& line, std::string_view text);

}  // namespace sillok::client
