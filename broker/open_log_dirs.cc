#include "broker/open_log_dirs.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

#include "broker/metadata/local_store.h"
#include "storage/clock.h"
#include "storage/meta_properties.h"

namespace sillok::broker {
namespace {

// A predecessor that was killed may hold its lock while its last thread is in an fdatasync.
constexpr std::chrono::seconds kLockWait{5};
constexpr std::chrono::milliseconds kLockRetryDelay{50};
// Of each directory, however many share the setting's number.
constexpr std::size_t kCachedFilesMin = 16;

storage::LogDirOptions log_dir_options(const Config& config, storage::FileSystem& file_system) {
  storage::LogDirOptions options;
  options.file_system = &file_system;
  options.clock = &storage::system_clock();
  options.cluster_id = config.cluster_id;
  options.node_id = config.node_id;
  options.cached_file_limit = static_cast<std::size_t>(config.cached_file_limit);
  if (config.log_dirs.size() > 1)
    options.cached_file_limit = std::max(options.cached_file_limit / config.log_dirs.size(), kCachedFilesMin);
  options.journal_size_max = config.journal_bytes_max;
  return options;
}

Result<std::unique_ptr<storage::LogDir>> open_log_dir(const storage::LogDirOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + kLockWait;
  for (bool is_first = true;; is_first = false) {
    auto opened = storage::LogDir::open(options);
    const bool is_locked = !opened.ok() && opened.error().code == Errc::lock_held;
    if (!is_locked || std::chrono::steady_clock::now() >= deadline) return opened;
    if (is_first)
      spdlog::info("{}: locked by another process; waiting {} s for it", options.path, kLockWait.count());
    std::this_thread::sleep_for(kLockRetryDelay);
  }
}

// Before anything is written: a new first directory would get an identity and metadata of its own, and what
// the others hold would be taken for another broker's. What does not read is for open_log_dir() to tell.
Result<void> check_order(const Config& config, storage::FileSystem& file_system) {
  const std::string& first = config.log_dirs.front();
  const auto first_meta = storage::read_meta_properties(file_system, first);
  const bool is_new = first_meta.ok() && !*first_meta;
  for (std::size_t i = 1; i < config.log_dirs.size(); ++i) {
    const std::string& other = config.log_dirs[i];
    const auto meta = storage::read_meta_properties(file_system, other);
    if (is_new && meta.ok() && *meta) {
      return Error{Errc::invalid_config,
                   fmt::format("log.dirs: {} is the first, which has the metadata of the broker, but it has "
                               "no {}, and {} has one; is its disk there? A new directory belongs behind the "
                               "others",
                               first, storage::kMetaPropertiesName, other)};
    }
    const auto has_metadata = file_system.exists(storage::join_path(other, std::string(kMetadataFileName)));
    if (has_metadata.ok() && *has_metadata) {
      return Error{Errc::invalid_config,
                   fmt::format("log.dirs: {} has the metadata of a broker ({}), so it must be the first of "
                               "the directories, or have none",
                               other, kMetadataFileName)};
    }
  }
  return {};
}

}  // namespace

Result<OpenLogDirs> open_log_dirs(const Config& config, storage::FileSystem& file_system) {
  const bool are_several = config.log_dirs.size() > 1;
  if (are_several) TRY(check_order(config, file_system));
  OpenLogDirs opened;
  storage::LogDirOptions options = log_dir_options(config, file_system);
  for (const std::string& path : config.log_dirs) {
    options.path = path;
    auto log_dir = open_log_dir(options);
    std::optional<Uuid> id;
    std::optional<Error> error;
    if (!log_dir.ok()) {
      error = log_dir.error();
    } else if (are_several) {
      auto made = (*log_dir)->require_directory_id();
      if (made.ok()) id = *made;
      if (!made.ok()) error = made.error();
    }
    if (log_dir.ok() && !are_several) {
      if (const auto meta = storage::read_meta_properties(file_system, path); meta.ok() && *meta)
        id = (*meta)->directory_id;
    }
    if (error) {
      if (opened.log_dirs.empty() || error->code == Errc::invalid_config) return *std::move(error);
      opened.failed.push_back({path, *std::move(error)});
      continue;
    }
    if (id) {
      const auto same = std::ranges::find(opened.ids, *id);
      if (same != opened.ids.end()) {
        return Error{Errc::invalid_config,
                     fmt::format("{} and {} have the same directory.id in {}: one is a copy of the other",
                                 opened.log_dirs[static_cast<std::size_t>(same - opened.ids.begin())]->path(),
                                 path, storage::kMetaPropertiesName)};
      }
      opened.ids.push_back(*id);
    }
    options.cluster_id = (*log_dir)->cluster_id();
    opened.log_dirs.push_back(std::move(log_dir).value());
  }
  return opened;
}

}  // namespace sillok::broker
