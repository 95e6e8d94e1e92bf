#include "broker/metadata/stored_length.h"

#include <fmt/format.h>

#include <string_view>

#include "protocol/base/bytes.h"
#include "protocol/base/crc32c.h"
#include "storage/text_file.h"

namespace sillok::broker {
namespace {

constexpr std::string_view kFormat = "1 ";
constexpr ByteCount kFileSizeMax = 64;

std::string line(std::string_view length) {
  std::string text = std::string(kFormat) + std::string(length) + ' ';
  const std::uint32_t crc = crc32c(as_bytes(text));
  return fmt::format("{}{:08x}\n", text, crc);
}

}  // namespace

Result<ByteCount> read_stored_length(storage::FileSystem& file_system, const std::string& path) {
  const auto text = TRY(storage::read_file_if_exists(file_system, path, kFileSizeMax));
  if (!text) return ByteCount{0};
  if (text->starts_with(kFormat)) {
    const std::string digits = text->substr(kFormat.size(), text->find(' ', kFormat.size()) - kFormat.size());
    const auto length = storage::parse_decimal<ByteCount>(digits);
    if (length && *text == line(digits)) return *length;
  }
  return Error{Errc::malformed, path + ": is no length"};
}

Result<void> write_stored_length(storage::FileSystem& file_system, const std::string& path,
                                 ByteCount length) {
  return storage::replace_file(file_system, path, line(std::to_string(length)));
}

Result<void> remove_stored_length(storage::FileSystem& file_system, const std::string& path) {
  auto removed = file_system.remove(path);
  if (!removed.ok()) return removed.error().code == Errc::not_found ? Result<void>() : removed;
  return file_system.sync_directory(storage::parent_path(path));
}

}  // namespace sillok::broker
