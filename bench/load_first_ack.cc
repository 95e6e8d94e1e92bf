#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "bench/load_clock.h"
#include "bench/load_modes.h"
#include "bench/load_requests.h"

namespace sillok::bench {
namespace {

using protocol::ErrorCode;

constexpr std::int64_t kRetryPauseNs = 500'000;  // half a millisecond is what the figure is uncertain by
constexpr std::int64_t kStopWaitNs = 60'000'000'000;

// A server that was started for one measurement.
class Server {
 public:
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { stop(); }

  Result<void> start(const std::string& command) {
    process_ = ::fork();
    if (process_ < 0) return Error{Errc::io_error, fmt::format("fork: {}", strerror(errno))};
    if (process_ > 0) return {};
    ::setsid();
    ::dup2(STDERR_FILENO, STDOUT_FILENO);  // stdout is for the figures
    const std::string line = "exec " + command;
    ::execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }

  // 0 where none was started.
  pid_t process() const { return process_; }
  bool has_ended() {
    if (process_ <= 0 || ::waitpid(process_, nullptr, WNOHANG) != process_) return false;
    process_ = 0;
    return true;
  }
  void release() { process_ = 0; }

 private:
  void stop() {
    if (process_ <= 0) return;
    ::kill(process_, SIGTERM);
    for (const std::int64_t give_up = steady_clock_ns() + kStopWaitNs; steady_clock_ns() < give_up;) {
      if (has_ended()) return;
      pause_ns(10'000'000);
    }
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  pid_t process_ = 0;
};

// One try on a new connection: the acknowledged offset, or why there is none yet.
Result<Offset> try_once(const LoadOptions& options, ByteView request) {
  Socket socket = TRY(connect_to(options.broker, Blocking::yes));
  Bytes frame;
  for (int attempt = 0; attempt < 2; ++attempt) {
    TRY(round_trip(socket, request, frame));
    const ProduceAnswer answer = TRY(read_produce_answer(frame, options.topic.size()));
    if (answer.error == ErrorCode::none) return answer.base_offset;
    if (answer.error != ErrorCode::unknown_topic_or_partition) {
      return Error{Errc::broker_error, protocol::to_string(answer.error)};
    }
    TRY(create_topic(socket, options));
  }
  return Error{Errc::broker_error, "the topic is not there yet"};
}

}  // namespace

Result<std::string> run_first_ack(const LoadOptions& options) {
  const ProduceRequestBytes request = TRY(encode_produce(options));
  Server server;
  const std::int64_t start = steady_clock_ns();
  if (!options.exec.empty()) TRY(server.start(options.exec));
  const std::int64_t give_up = start + static_cast<std::int64_t>(options.timeout_seconds * 1e9);
  for (std::int64_t tries = 1;; ++tries) {
    const Result<Offset> acknowledged = try_once(options, request.bytes);
    const std::int64_t now = steady_clock_ns();
    if (acknowledged.ok()) {
      const pid_t process = server.process();
      if (options.keep_server) server.release();
      return fmt::format(
          "{{\"mode\": \"first-ack\", \"ms\": {:.2f}, \"offset\": {}, \"tries\": {}, \"pid\": {}}}",
          static_cast<double>(now - start) / 1e6, acknowledged->value, tries, process);
    }
    if (now > give_up) return Error{Errc::timed_out, acknowledged.error().describe()};
    if (server.has_ended()) return Error{Errc::closed, "the server ended: " + options.exec};
    pause_ns(kRetryPauseNs);
  }
}

}  // namespace sillok::bench
