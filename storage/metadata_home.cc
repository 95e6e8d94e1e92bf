#include "storage/metadata_home.h"

#include "storage/text_file.h"

namespace sillok::storage {
namespace {

constexpr std::string_view kVersionLine = "version: 0\n";
constexpr std::string_view kIdKey = "directory.id: ";
constexpr ByteCount kFileSizeMax = 4096;

Result<Uuid> parse_metadata_home(std::string_view text) {
  if (!text.starts_with("version: ")) return Error{Errc::malformed, "line 1: not \"version: <number>\""};
  if (!text.starts_with(kVersionLine)) return Error{Errc::unsupported_version, "only version 0 is known"};
  text.remove_prefix(kVersionLine.size());
  if (!text.starts_with(kIdKey)) return Error{Errc::malformed, "line 2: not \"directory.id: <id>\""};
  text.remove_prefix(kIdKey.size());
  if (text.ends_with('\n')) text.remove_suffix(1);
  const auto id = Uuid::parse(text);
  if (!id || id->is_zero()) return Error{Errc::malformed, "line 2: no directory id"};
  return *id;
}

}  // namespace

Result<std::optional<Uuid>> read_metadata_home(FileSystem& file_system, const std::string& directory) {
  const std::string path = join_path(directory, kMetadataHomeName);
  const auto text = TRY(read_file_if_exists(file_system, path, kFileSizeMax));
  if (!text) return std::optional<Uuid>();
  return std::optional<Uuid>(TRY(naming_file(path, parse_metadata_home(*text))));
}

Result<void> write_metadata_home(FileSystem& file_system, const std::string& directory, const Uuid& home) {
  return replace_file(file_system, join_path(directory, kMetadataHomeName),
                      std::string(kVersionLine) + std::string(kIdKey) + home.to_string() + "\n");
}

Result<void> remove_metadata_home(FileSystem& file_system, const std::string& directory) {
  auto removed = file_system.remove(join_path(directory, kMetadataHomeName));
  return removed.ok() || removed.error().code == Errc::not_found ? Result<void>() : removed;
}

}  // namespace sillok::storage
