#include "broker/net/output_queue.h"

#include <linux/tcp.h>  // the C library's does not have all of tcp_info
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

#include "storage/posix_file_system.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/temp_dir.h"

using namespace sillok;
using namespace sillok::tests;
using broker::OutgoingFrame;
using broker::OutputQueue;

namespace {

Bytes pattern(std::size_t size, int seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::byte>((i * 31 + static_cast<std::size_t>(seed)) & 0xff);
  return bytes;
}

struct SocketPair {
  SocketPair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0); }
  ~SocketPair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  // What has arrived by now.
  void read_into(Bytes& bytes) {
    std::array<std::byte, 65536> buffer;
    for (;;) {
      const ssize_t got = ::recv(ends[1], buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got <= 0) return;
      bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + got);
    }
  }
  std::array<int, 2> ends{};
};

std::shared_ptr<storage::File> file_with(storage::FileSystem& files, const std::string& path,
                                         const Bytes& content) {
  auto file = files.open(path, storage::OpenMode::create);
  REQUIRE(file.ok());
  const std::array<ByteView, 1> parts{content};
  REQUIRE((*file)->write_at(FilePosition(0), parts).ok());
  return *file;
}

void check_frames_arrive_whole(storage::FileSystem& files, const std::string& path) {
  const Bytes content = pattern(3'000'000, 1);
  const auto file = file_with(files, path, content);
  OutgoingFrame first{pattern(100, 2), {}};
  OutgoingFrame second{pattern(50, 3), {}};
  second.files.push_back({20, {file, FilePosition(1000), 2'500'000}});
  second.files.push_back({20, {file, FilePosition(5), 7}});
  second.files.push_back({50, {file, FilePosition(9), 11}});
  OutgoingFrame third{pattern(10, 4), {}};
  Bytes expected = first.bytes;
  const auto add = [&](ByteView bytes) { expected.insert(expected.end(), bytes.begin(), bytes.end()); };
  add(ByteView(second.bytes).first(20));
  add(ByteView(content).subspan(1000, 2'500'000));
  add(ByteView(content).subspan(5, 7));
  add(ByteView(second.bytes).subspan(20));
  add(ByteView(content).subspan(9, 11));
  add(third.bytes);

  SocketPair sockets;
  OutputQueue queue;
  queue.push(std::move(first));
  queue.push(std::move(second));
  queue.push(std::move(third));
  CHECK(queue.unsent() == static_cast<ByteCount>(expected.size()));
  Bytes received;
  for (;;) {
    const auto progress = queue.send(sockets.ends[0]);
    REQUIRE(progress.ok());
    REQUIRE(*progress != OutputQueue::Progress::cold);
    sockets.read_into(received);
    if (*progress == OutputQueue::Progress::drained) break;
  }
  CHECK(queue.unsent() == 0);
  CHECK(received == expected);
}

// One end of a connection of this machine with itself.
struct TcpPair {
  TcpPair() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, generic, size) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, generic, &size) == 0);
    ends[1] = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::connect(ends[1], generic, size) == 0);
    ends[0] = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    REQUIRE(ends[0] >= 0);
    const int on = 1;
    REQUIRE(::setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    ::close(listener);
  }
  ~TcpPair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  // Sent so far, those without data included.
  std::uint32_t packets() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    REQUIRE(::getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    return info.tcpi_segs_out;
  }
  std::array<int, 2> ends{};
};

}  // namespace

TEST_CASE("output queue: a fetch answer of one packet's size is one packet, sent at once") {
  const TempDir directory;
  const auto files = storage::make_posix_file_system();
  const auto file = file_with(*files, directory.path() + "/file", pattern(50'000, 1));
  TcpPair sockets;
  OutputQueue queue;
  for (int i = 0; i < 3; ++i) {
    const std::uint32_t before = sockets.packets();
    OutgoingFrame frame{pattern(64, 2), {}};
    frame.files.push_back({61, {file, FilePosition(0), 20'000}});
    queue.push(std::move(frame));
    REQUIRE(*queue.send(sockets.ends[0]) == OutputQueue::Progress::drained);
    CHECK(sockets.packets() - before == 1);
    Bytes received(20'064);
    CHECK(::recv(sockets.ends[1], received.data(), received.size(), MSG_DONTWAIT) == 20'064);
  }
}

TEST_CASE("output queue: buffers and file slices arrive in order, whole, through a slow socket") {
  const TempDir directory;
  const auto files = storage::make_posix_file_system();
  check_frames_arrive_whole(*files, directory.path() + "/file");
}

TEST_CASE("output queue: a file without a descriptor is copied") {
  MemFileSystem files;
  check_frames_arrive_whole(files, "/file");
}

TEST_CASE("output queue: a slice that is not in memory stops the sending until it was brought in") {
  MemFileSystem files;
  const Bytes content = pattern(10'000, 1);
  const auto file = file_with(files, "/file", content);
  files.evict_pages();
  SocketPair sockets;
  OutputQueue queue;
  OutgoingFrame frame{pattern(4, 2), {}};
  frame.files.push_back({4, {file, FilePosition(0), 10'000}});
  queue.push(std::move(frame));
  auto progress = queue.send(sockets.ends[0]);
  REQUIRE(progress.ok());
  REQUIRE(*progress == OutputQueue::Progress::cold);
  const storage::FileSlice cold = queue.cold_slice();
  REQUIRE(cold.file->make_resident(cold.position, cold.size).ok());
  progress = queue.send(sockets.ends[0]);
  REQUIRE(progress.ok());
  CHECK(*progress == OutputQueue::Progress::drained);
  Bytes received;
  sockets.read_into(received);
  CHECK(received.size() == 10'004);
}

TEST_CASE("output queue: a peer that is gone ends it with an error") {
  SocketPair sockets;
  ::shutdown(sockets.ends[1], SHUT_RDWR);
  OutputQueue queue;
  queue.push({pattern(10, 1), {}});
  CHECK_FALSE(queue.send(sockets.ends[0]).ok());
}
