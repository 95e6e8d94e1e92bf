#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_socket.h"
#include "protocol/messages/api_versions.h"

namespace sillok::bench {
namespace {

constexpr protocol::Version kApiVersionsVersion = 0;

std::string line(std::int64_t connections, double seconds) {
  return fmt::format("{{\"mode\": \"idle\", \"connections\": {}, \"seconds\": {:.3f}}}", connections,
                     seconds);
}

// Until there is nothing more to read, or for the time given.
void wait_for_end_of_input(std::int64_t deadline_ns) {
  char ignored[4096];
  for (;;) {
    const std::int64_t left_ms = (deadline_ns - steady_clock_ns()) / 1'000'000;
    if (left_ms <= 0) return;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, static_cast<int>(left_ms));
    if (ready < 0 && errno != EINTR) return;
    if (ready > 0 && ::read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return;
  }
}

bool is_open(const Socket& socket) {
  char byte;
  return ::recv(socket.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace

Result<std::string> run_idle(const LoadOptions& options) {
  const std::int64_t start = steady_clock_ns();
  const auto elapsed = [start] { return static_cast<double>(steady_clock_ns() - start) / 1e9; };
  std::vector<Socket> sockets;
  Bytes frame;
  for (std::int64_t i = 0; i < options.connections; ++i) {
    Socket socket = TRY(connect_to(options.broker, Blocking::yes));
    protocol::ApiVersionsResponse response;
    TRY(call(socket, protocol::ApiVersionsRequest(), kApiVersionsVersion, response, frame));
    if (response.error_code != protocol::ErrorCode::none) {
      return Error{Errc::broker_error, protocol::to_string(response.error_code)};
    }
    sockets.push_back(std::move(socket));
  }
  fmt::print("{}\n", line(options.connections, elapsed()));
  std::fflush(stdout);
  wait_for_end_of_input(steady_clock_ns() + static_cast<std::int64_t>(options.seconds * 1e9));
  // Those that the server has not closed.
  return line(std::count_if(sockets.begin(), sockets.end(), is_open), elapsed());
}

}  // namespace sillok::bench
