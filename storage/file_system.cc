#include "storage/file_system.h"

namespace sillok::storage {

Result<std::string> read_file(FileSystem& file_system, const std::string& path, ByteCount limit) {
  const auto file = TRY(file_system.open(path, OpenMode::read));
  const auto size = TRY(file->size()) - FilePosition(0);
  if (size > limit) {
    return Error{Errc::too_large,
                 path + " has " + std::to_string(size) + " bytes, more than " + std::to_string(limit)};
  }
  std::string content(static_cast<std::size_t>(size), '\0');
  const MutableByteView out(reinterpret_cast<std::byte*>(content.data()), content.size());
  content.resize(TRY(file->read_at(FilePosition(0), out)));
  return content;
}

namespace {

Result<void> write_synced(FileSystem& file_system, const std::string& path, std::string_view content) {
  const auto file = TRY(file_system.open(path, OpenMode::open_or_create));
  // A crash may have left one behind.
  TRY(file->truncate(FilePosition(0)));
  const ByteView part = as_bytes(content);
  TRY(file->write_at(FilePosition(0), {&part, 1}));
  return file->sync_data();
}

}  // namespace

Result<void> replace_file(FileSystem& file_system, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  const auto written = write_synced(file_system, temporary, content);
  if (!written.ok()) {
    if (written.error().code == Errc::no_space) (void)file_system.remove(temporary);
    return written;
  }
  TRY(file_system.rename(temporary, path));
  return file_system.sync_directory(parent_path(path));
}

Result<std::shared_ptr<File>> write_new_file(FileSystem& file_system, const std::string& path,
                                             std::string_view content) {
  auto file = TRY(file_system.open(path, OpenMode::create));
  const ByteView part = as_bytes(content);
  TRY(file->write_at(FilePosition(0), {&part, 1}));
  file->start_writing_out();
  return file;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory);
  if (!path.empty() && path.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  if (slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

}  // namespace sillok::storage
