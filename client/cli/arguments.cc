#include "client/cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "client/cli/suggest.h"

namespace sillok::client {
namespace {

namespace po = boost::program_options;

constexpr const char* kBrokersVariable = "SILLOK_BROKERS";
constexpr const char* kWords = "words";  // Program_options wants a name for what is not an option

po::options_description all_options(const CommandLine& line) {
  po::options_description all("Options");
  for (const auto& option : line.options.options()) all.add(option);
  all.add_options()("brokers,b", po::value<std::string>(),
                    "HOST:PORT or unix:///PATH of one or more brokers, with commas (default $SILLOK_BROKERS, "
                    "localhost:9092)");
  all.add_options()("help,h", "this page");
  return all;
}

bool is_negative_number(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         std::all_of(word.begin() + 1, word.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

// "-o -5" is a value, which Program_options would take for an option.
std::vector<std::string> join_negative_numbers(std::span<const std::string> words) {
  std::vector<std::string> joined;
  for (const std::string& word : words) {
    const bool follows_option = !joined.empty() && joined.back().size() > 1 && joined.back()[0] == '-' &&
                                !is_negative_number(joined.back()) &&
                                joined.back().find('=') == std::string::npos;
    if (!is_negative_number(word) || !follows_option) {
      joined.push_back(word);
    } else {
      joined.back() += (joined.back().starts_with("--") ? "=" : "") + word;
    }
  }
  return joined;
}

std::string explain_unknown(const CommandLine& line, const std::string& option) {
  std::vector<std::string> names;
  const po::options_description all = all_options(line);
  for (const auto& known : all.options()) names.push_back("--" + known->long_name());
  return fmt::format("unknown option '{}'{}", option, did_you_mean(option, names));
}

}  // namespace

Result<ClusterOptions> Arguments::cluster() const {
  ClusterOptions options;
  std::string text = "localhost:9092";
  if (const char* variable = std::getenv(kBrokersVariable); variable != nullptr && *variable != '\0')
    text = variable;
  if (has("brokers")) text = value<std::string>("brokers");
  options.bootstrap = TRY(parse_endpoints(text));
  return options;
}

Result<Arguments> parse_arguments(const CommandLine& line, std::span<const std::string> words) {
  Arguments arguments;
  po::options_description all = all_options(line);
  all.add_options()(kWords, po::value(&arguments.words));
  po::positional_options_description positional;
  positional.add(kWords, -1);
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser(join_negative_numbers(words))
                  .options(all)
                  .positional(positional)
                  .style(style)
                  .run(),
              arguments.values);
    po::notify(arguments.values);
  } catch (const po::unknown_option& error) {
    return Error{Errc::invalid_argument, explain_unknown(line, error.get_option_name())};
  } catch (const po::error& error) {
    return Error{Errc::invalid_argument, error.what()};
  }
  if (arguments.has("help")) return Error{Errc::invalid_argument, ""};
  if (arguments.words.size() < line.words_min) {
    return Error{Errc::invalid_argument,
                 fmt::format("something is missing: {} {}", line.name, line.synopsis)};
  }
  if (arguments.words.size() > line.words_max) {
    return Error{Errc::invalid_argument,
                 fmt::format("'{}' is one too many", arguments.words[line.words_max])};
  }
  return arguments;
}

std::string help_text(const CommandLine& line) {
  std::ostringstream options;
  options << all_options(line);
  return fmt::format("{} {}\n\n{}\n\n{}\nExamples:\n{}", line.name, line.synopsis, line.purpose,
                     options.str(), line.examples);
}

int end_of_parse(const CommandLine& line, const Error& error) {
  if (!error.detail.empty()) return usage_error(line, error.detail);
  fmt::print("{}", help_text(line));
  return kExitOk;
}

int usage_error(const CommandLine& line, std::string_view text) {
  fmt::print(stderr, "{0}: {1}\nTry '{0} --help'.\n", line.name, text);
  return kExitUsage;
}

int failure(const CommandLine& line, std::string_view text) {
  fmt::print(stderr, "{}: {}\n", line.name, text);
  return kExitFailed;
}

}  // namespace sillok::client
