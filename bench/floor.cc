// sillok_floor: the least that a server of the Kafka protocol costs, as a yardstick for those that do all the
// rest, too. It has no limits, no checks but the CRC, and gives up at the first failure. A fetch sees a batch
// as soon as it is written, even where its acks=all still waits for the flush, so that only the
// acknowledgements of acks=all compare with those of a server that hides it until then.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <sstream>

#include "bench/floor_server.h"
#include "bench/load_descriptors.h"

namespace {

namespace po = boost::program_options;
using sillok::bench::FlushMode;

constexpr std::int64_t kJournalMbMax = 65'536;

struct Options {
  std::string listen = "127.0.0.1:9092";
  std::string directory;
  std::string flush = "none";
  std::int64_t journal_mb = 512;
};

po::options_description describe(Options& options) {
  po::options_description all("sillok_floor --dir DIR [OPTIONS]");
  all.add_options()("help,h", "this page");
  all.add_options()("listen", po::value(&options.listen)->default_value(options.listen),
                    "HOST:PORT on the loopback");
  all.add_options()("dir", po::value(&options.directory),
                    "a folder that is there; its files are overwritten");
  all.add_options()("flush", po::value(&options.flush)->default_value(options.flush),
                    "before acks=all is answered: none, direct (fdatasync of each file) or journal");
  all.add_options()("journal-mb", po::value(&options.journal_mb)->default_value(options.journal_mb),
                    "size of the journal in MiB");
  return all;
}

int fail(const std::string& why) {
  fmt::print(stderr, "sillok_floor: {}\n", why);
  return 2;
}

int run(const Options& options) {
  const auto endpoint = sillok::bench::parse_local(options.listen);
  if (!endpoint.ok()) return fail(endpoint.error().detail);
  if (endpoint->is_unix()) return fail("--listen: HOST:PORT is expected");
  FlushMode mode{};
  if (options.flush == "none") {
    mode = FlushMode::none;
  } else if (options.flush == "direct") {
    mode = FlushMode::direct;
  } else if (options.flush == "journal") {
    mode = FlushMode::journal;
  } else {
    return fail("--flush: none, direct or journal");
  }
  if (options.directory.empty()) return fail("--dir is missing");
  if (options.journal_mb < 1 || options.journal_mb > kJournalMbMax) return fail("--journal-mb: 1 to 65536");
  sillok::bench::raise_descriptor_limit();
  // Before there is a second thread, so that both have them blocked.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  sillok::bench::FloorServer server(*endpoint, options.directory, mode, options.journal_mb << 20);
  fmt::print("ready on {}\n", options.listen);
  std::fflush(stdout);
  server.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto described = describe(options);
  try {
    po::variables_map map;
    po::store(po::command_line_parser(argc, argv).options(described).run(), map);
    po::notify(map);
    if (map.count("help") != 0) {
      std::ostringstream text;
      text << described;
      fmt::print("{}", text.str());
      return 0;
    }
  } catch (const po::error& error) {
    return fail(error.what());
  }
  return run(options);
}
