// sillok_load: how fast a server of the Kafka protocol is. bench/README.md says how it is used.
#include <fmt/format.h>
#include <sys/prctl.h>

#include <cstdio>

#include "bench/load_descriptors.h"
#include "bench/load_modes.h"

namespace {

using sillok::Result;
using sillok::bench::LoadOptions;
using sillok::bench::LoadReport;
using sillok::bench::Mode;

int print(const Result<LoadReport>& report) {
  if (!report.ok()) {
    fmt::print(stderr, "sillok_load: {}\n", report.error().describe());
    return 1;
  }
  fmt::print("{}\n", report->to_json());
  return report->error_count() == 0 ? 0 : 1;
}

int print(const Result<std::string>& line) {
  if (!line.ok()) {
    fmt::print(stderr, "sillok_load: {}\n", line.error().describe());
    return 1;
  }
  fmt::print("{}\n", *line);
  return 0;
}

int run(const LoadOptions& options) {
  switch (options.mode) {
    case Mode::produce:
      return print(sillok::bench::run_produce(options));
    case Mode::fetch:
      return print(sillok::bench::run_fetch(options));
    case Mode::consume:
      return print(sillok::bench::run_consume(options));
    case Mode::e2e:
      return print(sillok::bench::run_e2e(options));
    case Mode::metadata:
      return print(sillok::bench::run_metadata(options));
    case Mode::idle:
      return print(sillok::bench::run_idle(options));
    case Mode::first_ack:
      break;
  }
  return print(sillok::bench::run_first_ack(options));
}

}  // namespace

int main(int argc, char** argv) {
  sillok::bench::raise_descriptor_limit();
  // Waits end when they should: by default the kernel adds 50 us to each.
  ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  const auto options = sillok::bench::parse_load_options(argc, argv);
  if (options.ok()) return run(*options);
  if (options.error().detail.empty()) {
    fmt::print("{}", sillok::bench::load_usage());
    return argc < 2 ? 2 : 0;
  }
  fmt::print(stderr, "sillok_load: {}\n", options.error().detail);
  return 2;
}
