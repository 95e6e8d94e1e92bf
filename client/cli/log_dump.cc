#include "client/cli/log_dump.h"

#include <cstdio>
#include <string_view>
#include <vector>

#include "storage/log_dump.h"
#include "storage/posix_file_system.h"

namespace sillok::client {
namespace {

constexpr std::string_view kUsage =
    "Usage: sillok log dump FILE_OR_DIRECTORY... [--records] [--verify]\n"
    "Prints segments, indexes, producer snapshots and checkpoints. What is wrong is said on its line, "
    "behind\n"
    "\"PROBLEM: \", and makes the exit code 1.\n"
    "  --records  prints the records of every batch as well\n"
    "  --verify   reads everything, and prints only what is wrong and the names of the files\n";

void print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace

int run_log_dump(std::span<const std::string> arguments) {
  std::vector<std::string> paths;
  storage::DumpDetail detail = storage::DumpDetail::batches;
  for (const std::string& argument : arguments) {
    if (argument == "--records") {
      detail = storage::DumpDetail::records;
    } else if (argument == "--verify") {
      detail = storage::DumpDetail::problems;
    } else if (argument == "--help" || argument == "-h") {
      std::fwrite(kUsage.data(), 1, kUsage.size(), stdout);
      return 0;
    } else if (argument.size() > 1 && argument.front() == '-') {
      std::fprintf(stderr, "sillok log dump: unknown option %s\n%s", argument.c_str(),
                   std::string(kUsage).c_str());
      return 2;
    } else {
      paths.push_back(argument);
    }
  }
  if (paths.empty()) {
    std::fprintf(stderr, "sillok log dump: no file given\n%s", std::string(kUsage).c_str());
    return 2;
  }
  const auto file_system = storage::make_posix_file_system();
  storage::LogDump dump(*file_system, detail, print_line);
  for (const std::string& path : paths) dump.dump(path);
  if (dump.problem_count() == 0) return 0;
  std::fflush(stdout);
  std::fprintf(stderr, "sillok log dump: %lld problems\n", static_cast<long long>(dump.problem_count()));
  return 1;
}

}  // namespace sillok::client
