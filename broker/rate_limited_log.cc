#include "broker/rate_limited_log.h"

#include <spdlog/spdlog.h>

#include <mutex>

#include "storage/clock.h"

namespace sillok::broker {
namespace {

constexpr std::size_t kEscapedSizeMax = 120;

struct Window {
  std::mutex mutex;
  storage::SteadyTime began{};
  int written = 0;
  std::int64_t suppressed = 0;
};

Window& window() {
  static Window instance;
  return instance;
}

}  // namespace

bool may_log_limited() {
  Window& w = window();
  std::int64_t left_out = 0;
  {
    const std::lock_guard lock(w.mutex);
    const storage::SteadyTime now = storage::system_clock().steady();
    if (now - w.began >= std::chrono::seconds(1)) {
      w.began = now;
      w.written = 0;
      left_out = std::exchange(w.suppressed, 0);
    }
    if (w.written >= kLimitedLinesPerSecond) {
      ++w.suppressed;
      return false;
    }
    ++w.written;
  }
  if (left_out > 0) spdlog::warn("{} more warnings about connections were left out", left_out);
  return true;
}

void write_limited(const std::string& line) { spdlog::warn("{}", line); }

std::string escape_for_log(std::string_view text) {
  std::string escaped;
  for (const char character : text.substr(0, kEscapedSizeMax)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte >= 0x7f || character == '\\') {
      escaped += fmt::format("\\x{:02x}", byte);
    } else {
      escaped.push_back(character);
    }
  }
  if (text.size() > kEscapedSizeMax) escaped += "...";
  return escaped;
}

}  // namespace sillok::broker
