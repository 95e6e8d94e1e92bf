// Listening on Unix domain sockets, with the whole broker in this process.
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "broker/net/unix_socket.h"
#include "broker/server.h"
#include "protocol/messages/describe_cluster.h"
#include "protocol/messages/metadata.h"
#include "tests/support/batches.h"
#include "tests/support/running_server.h"

using namespace sillok;
using namespace sillok::protocol;
using namespace sillok::tests;

namespace {

constexpr mode_t kPermissions = 0777;

// A socket that a test listens at by itself.
struct OwnSocket {
  int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  OwnSocket() = default;
  OwnSocket(const OwnSocket&) = delete;
  OwnSocket& operator=(const OwnSocket&) = delete;
  ~OwnSocket() { ::close(descriptor); }
  void bind(const std::string& path) const {
    const UnixSocketAddress address = unix_socket_address(path);
    REQUIRE(::bind(descriptor, address.pointer(), address.size) == 0);
  }
  Result<std::unique_ptr<broker::UnixSocketPlace>> listen(const std::string& path) const {
    return broker::UnixSocketPlace::listen(descriptor, path, 0600, 5);
  }
};

mode_t mode_of(const std::string& path) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0 ? found.st_mode : 0;
}
bool is_there(const std::string& path) { return mode_of(path) != 0; }

// Why a server with these listeners does not start; empty where it does.
std::string start_fault(const TempDir& directory, const std::string& listeners) {
  auto loaded =
      broker::load_config({"", {}, {{"listeners", listeners}, {"log.dirs", directory.path("other")}}});
  REQUIRE(loaded.ok());
  broker::Server server(std::move(loaded).value());
  const auto started = server.start();
  if (!started.ok()) return started.error().detail;
  CHECK(server.stop().ok());
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("unix socket: beside TCP, each is told its own way to go on") {
  const TempDir directory;
  const std::string path = directory.path("s.sock");
  RunningServer server(directory, {{"listeners", "UNIX://" + path + ",PLAINTEXT://127.0.0.1:0"}});
  RawClient local(path);
  RawClient remote(server.port);
  Bytes kept;
  local.send(MetadataRequest{}, 12, 1);
  auto broker = local.receive<MetadataResponse>(12, 1, kept).brokers.at(0);
  CHECK(broker.host == "unix://" + path);
  CHECK(broker.port == 0);
  local.send(DescribeClusterRequest{}, 0, 2);
  CHECK(local.receive<DescribeClusterResponse>(0, 2, kept).brokers.at(0).host == "unix://" + path);
  remote.send(MetadataRequest{}, 12, 3);
  broker = remote.receive<MetadataResponse>(12, 3, kept).brokers.at(0);
  CHECK(broker.host == "127.0.0.1");
  CHECK(broker.port == server.port);
}

TEST_CASE("unix socket: alone, it serves large and small, and what is written there is read there") {
  const TempDir directory;
  const std::string path = directory.path("s.sock");
  const RunningServer server(directory, {{"listeners", "UNIX://" + path}});
  RawClient client(path);
  RunningServer::create_topic(client, "orders", 1);
  const Bytes small = batch().records(1);
  const Bytes large = batch().sized(400'000);
  for (const std::int16_t acks : std::initializer_list<std::int16_t>{1, -1}) {
    CHECK(produce_one(client, "orders", small, acks) == ErrorCode::none);
    CHECK(produce_one(client, "orders", large, acks) == ErrorCode::none);
  }
  std::size_t size = 0;
  Bytes kept;
  client.send(fetch_of("orders", Offset(0), 0), kFetchVersion, 9);
  const auto response = client.receive<FetchResponse>(kFetchVersion, 9, kept);
  const auto& records = response.responses.at(0).partitions.at(0).records;
  REQUIRE(records.has_value());
  size = records->bytes.size();
  CHECK(size == 2 * (small.size() + large.size()));
}

TEST_CASE("unix socket: an abstract name needs no file") {
  const TempDir directory;
  const std::string name = "@sillok-test-" + std::to_string(::getpid());
  const RunningServer server(directory, {{"listeners", "UNIX://" + name}});
  RawClient client(name);
  Bytes kept;
  client.send(MetadataRequest{}, 12, 1);
  CHECK(client.receive<MetadataResponse>(12, 1, kept).brokers.at(0).host == "unix://" + name);
  CHECK(contains(start_fault(directory, "UNIX://" + name), "Address already in use"));
}

TEST_CASE("unix socket: its file has the mode that was set, whatever the umask") {
  const TempDir directory;
  const std::string path = directory.path("s.sock");
  const mode_t umask = ::umask(0077);
  {
    const RunningServer server(directory, {{"listeners", "UNIX://" + path}});
    CHECK((mode_of(path) & kPermissions) == 0600);
  }
  {
    const RunningServer server(directory,
                               {{"listeners", "UNIX://" + path}, {"sillok.unix.socket.mode", "0666"}});
    CHECK((mode_of(path) & kPermissions) == 0666);
  }
  ::umask(umask);
}

TEST_CASE("unix socket: what a dead server left is replaced") {
  const TempDir directory;
  const std::string path = directory.path("s.sock");
  {
    OwnSocket().bind(path);
  }
  REQUIRE(S_ISSOCK(mode_of(path)));
  const RunningServer server(directory, {{"listeners", "UNIX://" + path}});
  const RawClient client(path);
}

TEST_CASE("unix socket: one that somebody listens at is an error that names the process, and goes on") {
  const TempDir directory;
  const std::string path = directory.path("s.sock");
  const RunningServer server(directory, {{"listeners", "UNIX://" + path}});
  CHECK(
      contains(start_fault(directory, "UNIX://" + path), "in use by process " + std::to_string(::getpid())));
  RawClient client(path);
  RunningServer::create_topic(client, "still-served", 1);
}

TEST_CASE("unix socket: a file that is no socket is left alone") {
  const TempDir directory;
  const std::string path = directory.path("notes.txt");
  std::ofstream(path) << "mine";
  CHECK(contains(start_fault(directory, "UNIX://" + path), "no socket; it is left alone"));
  CHECK(S_ISREG(mode_of(path)));
  CHECK(contains(start_fault(directory, "UNIX://" + directory.path("nowhere") + "/s.sock"), "its folder"));
}

TEST_CASE("unix socket: a start that fails leaves no file behind") {
  const TempDir directory;
  const std::string first = directory.path("s.sock");
  const std::string second = directory.path("nowhere") + "/s.sock";
  CHECK_FALSE(start_fault(directory, "UNIX://" + first + ",UNIX://" + second).empty());
  CHECK_FALSE(is_there(first));
}

TEST_CASE("unix socket: the file goes with its server, but not another one that stands there by then") {
  const TempDir directory;
  const std::string path = directory.path("s.sock");
  {
    const OwnSocket socket;
    auto place = socket.listen(path);
    REQUIRE(place.ok());
    CHECK(is_there(path));
    place->reset();
    CHECK_FALSE(is_there(path));
  }
  const OwnSocket socket;
  auto place = socket.listen(path);
  REQUIRE(place.ok());
  REQUIRE(::unlink(path.c_str()) == 0);
  const OwnSocket other;
  other.bind(path);
  place->reset();
  CHECK(is_there(path));
}

TEST_CASE("unix socket: max.connections holds, max.connections.per.ip does not") {
  const TempDir directory;
  const std::string path = directory.path("s.sock");
  RunningServer server(directory, {{"listeners", "UNIX://" + path + ",PLAINTEXT://127.0.0.1:0"},
                                   {"max.connections", "3"},
                                   {"max.connections.per.ip", "1"}});
  const auto is_served = [](RawClient& client) {
    client.send(MetadataRequest{}, 12, 1);
    return client.receive().has_value();
  };
  RawClient tcp(server.port);
  RawClient first(path);
  RawClient second(path);
  CHECK(is_served(tcp));
  CHECK(is_served(first));
  CHECK(is_served(second));
  RawClient third(path);
  CHECK_FALSE(is_served(third));
}

TEST_CASE("unix socket: the log says which process and user is at the other end") {
  std::ostringstream lines;
  const auto before = spdlog::default_logger();
  auto logger =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines));
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(logger);
  const std::string who = "unix:pid=" + std::to_string(::getpid()) + ",uid=" + std::to_string(::getuid()) +
                          ",gid=" + std::to_string(::getgid());
  const std::string refusal = "connection from " + who + ": a request announces";
  // Such warnings are limited in number for a second, and tests before this one may have used them up.
  constexpr int kAttemptsMax = 200;
  for (int i = 0; i < kAttemptsMax && !contains(lines.str(), refusal); ++i) {
    const TempDir directory;
    const std::string path = directory.path("s.sock");
    const RunningServer server(directory, {{"listeners", "UNIX://" + path}});
    RawClient client(path);
    client.send_text("no request at all, with a size that is far too large");
    CHECK(client.is_closed_by_server());
  }
  spdlog::set_default_logger(before);
  CHECK(contains(lines.str(), "connection from " + who + " on unix://"));
  CHECK(contains(lines.str(), refusal));
}
