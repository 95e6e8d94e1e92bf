// A log directory in memory.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "storage/log_dir.h"

namespace sillok::tests {

// Requires: it can be opened.
inline std::unique_ptr<storage::LogDir> open_log_dir(storage::FileSystem& files, const storage::Clock& clock,
                                                     const std::string& path = "/data") {
  storage::LogDirOptions options;
  options.file_system = &files;
  options.clock = &clock;
  options.path = path;
  auto opened = storage::LogDir::open(options);
  INFO((opened.ok() ? std::string() : opened.error().describe()));
  REQUIRE(opened.ok());
  return std::move(opened).value();
}

}  // namespace sillok::tests
