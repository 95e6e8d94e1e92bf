// What the readers of the small text files share.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "protocol/base/result.h"
#include "storage/file_system.h"

namespace sillok::storage {

// A number in decimal digits and nothing else, not negative, as Kafka prints it: no sign, no leading zero.
template <class T>
std::optional<T> parse_decimal(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0) return std::nullopt;
  if (text.front() == '-' || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return value;
}

// nullopt where the file is missing. Errc::malformed where it is larger than any sound one.
inline Result<std::optional<std::string>> read_file_if_exists(FileSystem& file_system,
                                                              const std::string& path, ByteCount limit) {
  auto text = read_file(file_system, path, limit);
  if (text.ok()) return std::optional<std::string>(std::move(text).value());
  if (text.error().code == Errc::not_found) return std::optional<std::string>();
  if (text.error().code == Errc::too_large) text.error().code = Errc::malformed;
  return std::move(text).error();
}

// The same, with the path in front of what went wrong.
template <class T>
Result<T> naming_file(const std::string& path, Result<T> result) {
  if (!result.ok()) result.error().detail.insert(0, path + ": ");
  return result;
}

}  // namespace sillok::storage
