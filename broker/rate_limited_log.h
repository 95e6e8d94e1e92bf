// Warnings that a stranger can cause, so many a second and no more.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace sillok::broker {

inline constexpr int kLimitedLinesPerSecond = 10;

// Whether the caller may write one line now. A line that says how many were left out comes by itself.
bool may_log_limited();
void write_limited(const std::string& line);

template <class... Args>
void log_rate_limited(fmt::format_string<Args...> format, Args&&... args) {
  if (may_log_limited()) write_limited(fmt::format(format, std::forward<Args>(args)...));
}

// Text from a peer, fit for one line of a log: control characters and bytes that are not ASCII as \xNN, cut
// to 120 bytes.
std::string escape_for_log(std::string_view text);

}  // namespace sillok::broker
