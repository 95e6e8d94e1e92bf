// sillokd: the server.
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/program_options.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/documents.h"
#include "broker/server.h"
#include "broker/version.h"

extern char** environ;

namespace {

namespace options = boost::program_options;
using sillok::broker::ConfigSources;
using sillok::broker::LoadedConfig;
using sillok::broker::Server;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

int usage_error(const std::string& what) {
  fmt::print(stderr, "sillokd: {}\nTry 'sillokd --help'.\n", what);
  return kExitUsage;
}

options::options_description visible_options() {
  options::options_description visible("Options");
  visible.add_options()                                                          //
      ("help,h", "print this help")                                              //
      ("help-config", "print every setting with its type, default and meaning")  //
      ("print-document", options::value<std::string>()->value_name("NAME"),
       "print a table of the documents, of what this program knows: protocol or configuration")  //
      ("version", "print the version")                                                           //
      ("set", options::value<std::vector<std::string>>()->composing()->value_name("NAME=VALUE"),
       "a setting, over file and environment; may be given again");
  return visible;
}

// All of them: load_config() knows its own by their names.
std::vector<sillok::broker::NameValue> environment_variables() {
  std::vector<sillok::broker::NameValue> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string::npos) continue;
    found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

// Blocked in every thread, so that wait_for_stop() gets them, however early they come. The end of the
// terminal is one of them, unless nohup said otherwise.
sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  struct sigaction hang_up{};
  if (sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  return signals;
}

int wait_for_stop(const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  return signal;
}

void set_up_logging(const std::string& level) {
  // Standard output has the ready line alone.
  auto logger = spdlog::stderr_logger_mt("sillokd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// The soft limit on descriptors is often 1024, for the sake of programs that use select(); nothing here does.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(LoadedConfig settings, std::chrono::steady_clock::time_point began) {
  for (const std::string& note : settings.notes) spdlog::info("{}", note);
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no flag against it
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a failed write, not an end
  raise_descriptor_limit();
  Server server(std::move(settings));
  if (const auto started = server.start(); !started.ok()) {
    fmt::print(stderr, "sillokd: {}\n", started.error().describe());
    return kExitFailed;
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  fmt::print("sillokd {} is ready on {}, data in {}, started in {} ms\n", sillok::broker::kVersion,
             fmt::join(server.addresses(), ", "), fmt::join(server.data_directories(), ", "), took.count());
  std::fflush(stdout);
  const int signal = wait_for_stop(signals);
  spdlog::info("SIG{}: stopping", sigabbrev_np(signal));
  // A second one ends the process at once; the next start then recovers as after any crash. But a terminal
  // that closes may say so twice.
  std::signal(SIGHUP, SIG_IGN);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  if (const auto stopped = server.stop(); !stopped.ok()) {
    spdlog::error("not a clean stop: {}", stopped.error().describe());
    return kExitFailed;
  }
  spdlog::info("stopped, every log is closed");
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  const auto began = std::chrono::steady_clock::now();
  options::options_description all = visible_options();
  all.add_options()("file", options::value<std::string>()->default_value(""));
  options::positional_options_description positional;
  positional.add("file", 1);
  options::variables_map arguments;
  try {
    options::store(options::command_line_parser(argc, argv).options(all).positional(positional).run(),
                   arguments);
    options::notify(arguments);
  } catch (const options::error& error) {
    return usage_error(error.what());
  }
  if (arguments.contains("help")) {
    fmt::print(
        "Usage: sillokd [server.properties] [--set NAME=VALUE]...\n\nA commit log server that speaks the "
        "Apache "
        "Kafka protocol.\n\n");
    std::fflush(stdout);
    std::string text = fmt::format("{}", fmt::streamed(visible_options()));
    fmt::print(
        "{}\nExamples:\n  sillokd\n  sillokd server.properties\n  sillokd --set "
        "listeners=PLAINTEXT://127.0.0.1:9192 --set log.dirs=/tmp/log\n",
        text);
    return EXIT_SUCCESS;
  }
  if (arguments.contains("version")) {
    fmt::print("sillokd {}\n", sillok::broker::kVersion);
    return EXIT_SUCCESS;
  }
  if (arguments.contains("print-document")) {
    const auto& name = arguments["print-document"].as<std::string>();
    const auto document = sillok::broker::document_named(name);
    if (!document) return usage_error("there is no document " + name + ": protocol or configuration");
    fmt::print("{}", *document);
    return EXIT_SUCCESS;
  }
  if (arguments.contains("help-config")) {
    fmt::print("{}", sillok::broker::describe_settings());
    return EXIT_SUCCESS;
  }
  ConfigSources sources;
  sources.file = arguments["file"].as<std::string>();
  sources.environment = environment_variables();
  if (arguments.contains("set")) {
    for (const std::string& pair : arguments["set"].as<std::vector<std::string>>()) {
      const auto equals = pair.find('=');
      if (equals == std::string::npos || equals == 0)
        return usage_error("--set needs NAME=VALUE, not '" + pair + "'");
      sources.overrides.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
  }
  auto loaded = sillok::broker::load_config(sources);
  if (!loaded.ok()) {
    fmt::print(stderr, "sillokd: {}\n", loaded.error().detail);
    return kExitFailed;
  }
  set_up_logging(loaded->config.log_level);
  return serve(std::move(loaded).value(), began);
}
