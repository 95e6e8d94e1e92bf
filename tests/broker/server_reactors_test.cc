// Which reactor a connection is on, and that nothing is lost on its way from one to another.
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "broker/net/connection.h"
#include "protocol/messages/metadata.h"
#include "tests/support/batches.h"
#include "tests/support/running_server.h"

using namespace sillok;
using namespace sillok::protocol;
using namespace sillok::tests;

namespace {

// This thread, and what it starts, run on the first of its cores.
class OneCore {
 public:
  OneCore() {
    CPU_ZERO(&before_);
    REQUIRE(sched_getaffinity(0, sizeof before_, &before_) == 0);
    std::size_t first = 0;
    while (!CPU_ISSET(first, &before_)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  }
  ~OneCore() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

// How often this process's thread of that name was given a core.
std::int64_t turns_of(const std::string& name) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string found;
    std::getline(std::ifstream(task.path() / "comm"), found);
    if (found != name) continue;
    std::int64_t run_ns = 0;
    std::int64_t waited_ns = 0;
    std::int64_t turns = -1;
    std::ifstream(task.path() / "schedstat") >> run_ns >> waited_ns >> turns;
    return turns;
  }
  return -1;
}

// Puts a file onto the disk and out of memory. False on a file system that has no disk.
bool make_cold(const std::string& path) {
  struct statfs kind{};
  REQUIRE(::statfs(path.c_str(), &kind) == 0);
  if (kind.f_type == TMPFS_MAGIC) return false;
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  REQUIRE(descriptor >= 0);
  CHECK(::fdatasync(descriptor) == 0);
  CHECK(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0);
  ::close(descriptor);
  return true;
}

}  // namespace

TEST_CASE("server: on one core a connection moves to the producers' reactor, and loses nothing on its way") {
  const OneCore pinned;
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  constexpr int kClients = 4;
  constexpr int kRequests = 60;
  Offset next{0};
  for (int i = 0; i < kClients; ++i) {
    RawClient client(server.port);
    // Small and large frames, requests of other kinds between them, all in one write.
    Bytes all = RawClient::frame(MetadataRequest{}, 12, 1000);
    std::int32_t id = 0;
    for (; id < kRequests; ++id) {
      const Bytes bytes = id % 7 == 3 ? batch().sized(200'000) : batch().records(1);
      const Bytes frame = id % 5 == 4 ? RawClient::frame(MetadataRequest{}, 12, id)
                                      : RawClient::frame(produce_of("orders", bytes, id % 2 == 0 ? -1 : 1),
                                                         kProduceVersion, id);
      all.insert(all.end(), frame.begin(), frame.end());
    }
    client.send_bytes(all);
    Bytes kept;
    client.receive<MetadataResponse>(12, 1000, kept);
    for (id = 0; id < kRequests; ++id) {
      if (id % 5 == 4) {
        client.receive<MetadataResponse>(12, id, kept);
        continue;
      }
      const auto response = client.receive<ProduceResponse>(kProduceVersion, id, kept);
      const auto& partition = response.responses.at(0).partitions.at(0);
      CHECK(partition.error_code == ErrorCode::none);
      CHECK(partition.base_offset == next);
      next += 1;
    }
    // And the fetches of a producer are answered where it is.
    client.send(fetch_of("orders", Offset(0), 0), kFetchVersion, 7);
    CHECK(client.receive<FetchResponse>(kFetchVersion, 7, kept).responses.at(0).partitions.at(0).error_code ==
          ErrorCode::none);
  }
}

TEST_CASE(
    "server: a frame that had to wait for the budget is not announced twice by a connection that moves") {
  const OneCore pinned;
  const TempDir directory;
  RunningServer server(directory, {{"queued.max.request.bytes", "300000"}});
  server.create_topic("orders");
  const Bytes bytes = batch().sized(200'000);
  const Bytes large = RawClient::frame(produce_of("orders", bytes, 1), kProduceVersion, 2);
  RawClient client(server.port);
  Bytes kept;
  {
    // Half a frame holds the budget.
    RawClient other(server.port);
    Bytes begun = RawClient::frame(MetadataRequest{}, 12, 1);
    begun.insert(begun.end(), large.begin(), large.begin() + 100'000);
    other.send_bytes(begun);
    other.receive<MetadataResponse>(12, 1, kept);
    Bytes both = RawClient::frame(fetch_of("orders", Offset(0), 300), kFetchVersion, 1);
    both.insert(both.end(), large.begin(), large.end());
    client.send_bytes(both);
    client.receive<FetchResponse>(kFetchVersion, 1, kept);
  }
  const auto produced = client.receive<ProduceResponse>(kProduceVersion, 2, kept);
  CHECK(produced.responses.at(0).partitions.at(0).error_code == ErrorCode::none);
  for (int i = 3; i < 6; ++i) {
    RawClient next(server.port);
    next.send_bytes(RawClient::frame(produce_of("orders", bytes, 1), kProduceVersion, i));
    next.receive<ProduceResponse>(kProduceVersion, i, kept);
  }
}

TEST_CASE("server: who reads what is not in memory goes on in the background, until there is nothing more") {
  const TempDir directory;
  RunningServer server(directory);
  server.create_topic("orders");
  RawClient client(server.port);
  constexpr int kBatches = 4;
  for (int i = 0; i < kBatches; ++i) {
    REQUIRE(produce_one(client, "orders", batch().sized(900'000), 1) == ErrorCode::none);
  }
  const std::string segment = directory.path() + "/data/orders-0/00000000000000000000.log";
  if (!make_cold(segment)) {
    WARN("the directory for temporary files is in memory: nothing is ever cold there");
    return;
  }
  RawClient consumer(server.port);
  Bytes kept;
  std::int32_t id = 0;
  const auto fetch = [&](int from, std::int32_t max_wait_ms) {
    consumer.send(fetch_of("orders", Offset(from), max_wait_ms), kFetchVersion, ++id);
    const auto response = consumer.receive<FetchResponse>(kFetchVersion, id, kept);
    return response.responses.at(0).partitions.at(0).records->bytes.size();
  };
  // How often the background had work while a fetch was repeated. A few may be of its timers.
  constexpr int kTimes = 12;
  const auto turns_while_fetching = [&] {
    const std::int64_t before = turns_of("replays");
    REQUIRE(before >= 0);
    for (int i = 0; i < kTimes; ++i) CHECK(fetch(1, 0) >= 900'000);
    return turns_of("replays") - before;
  };
  CHECK(fetch(0, 0) >= 900'000);
  CHECK(turns_while_fetching() >= kTimes);
  CHECK(fetch(kBatches, 1) == 0);
  CHECK(turns_while_fetching() < kTimes);

  REQUIRE(make_cold(segment));
  CHECK(fetch(0, 0) >= 900'000);
  CHECK(turns_while_fetching() >= kTimes);
  // Without a wait, it has caught up once enough was in memory.
  for (ByteCount read = 0; read < broker::kCaughtUpAfterBytes; read += 900'000) fetch(1, 0);
  CHECK(turns_while_fetching() < kTimes);
}
