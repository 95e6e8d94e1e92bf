// Files of an input on a file system in memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/file_system.h"
#include "tests/fuzz/target.h"

namespace sillok::fuzz {

inline std::shared_ptr<storage::File> put_file(storage::FileSystem& disk, const std::string& path,
                                               ByteView content) {
  auto file = disk.open(path, storage::OpenMode::open_or_create).value();
  CHECK(file->truncate(FilePosition(0)).ok());
  CHECK(file->write_at(FilePosition(0), {&content, 1}).ok());
  CHECK(file->sync_data().ok());
  return file;
}

inline Bytes content_of(storage::FileSystem& disk, const std::string& path) {
  constexpr ByteCount kSizeMax = 1 << 26;
  return bytes_of(storage::read_file(disk, path, kSizeMax).value());
}

}  // namespace sillok::fuzz
