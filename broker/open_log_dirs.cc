#include "broker/open_log_dirs.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

#include "broker/absolute_path.h"
#include "broker/metadata/local_store.h"
#include "broker/metadata/topic_names.h"
#include "storage/clock.h"
#include "storage/meta_properties.h"
#include "storage/metadata_home.h"

namespace sillok::broker {
namespace {

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

Result<std::unique_ptr<storage::LogDir>> open_log_dir(const storage::LogDirOptions& options,
                                                      std::chrono::milliseconds lock_wait) {
  const auto deadline = std::chrono::steady_clock::now() + lock_wait;
  for (bool is_first = true;; is_first = false) {
    auto opened = storage::LogDir::open(options);
    const bool is_locked = !opened.ok() && opened.error().code == Errc::lock_held;
    if (!is_locked || std::chrono::steady_clock::now() >= deadline) return opened;
    if (is_first)
      spdlog::info("{}: locked by another process; waiting {} ms for it", options.path, lock_wait.count());
    std::this_thread::sleep_for(kLockRetryDelay);
  }
}

// Before anything is written: a new first directory would get an identity and metadata of its own, and what
// the others hold would be taken for another broker's. What does not read is for open_log_dir() to tell.
class Order {
 public:
  Order(const Config& config, storage::FileSystem& file_system) : config_(config), files_(file_system) {}

  Result<void> check() const {
    const std::string& first = config_.log_dirs.front();
    const bool has_store = has(first, kMetadataFileName);
    const auto first_meta = storage::read_meta_properties(files_, first);
    const bool is_new = first_meta.ok() && !*first_meta;
    for (std::size_t i = 1; i < config_.log_dirs.size(); ++i) {
      const std::string& other = config_.log_dirs[i];
      const auto meta = storage::read_meta_properties(files_, other);
      if (is_new && (!meta.ok() || *meta)) return has_identity(other);
      if (has(other, kMetadataFileName)) return must_be_first(other, kMetadataFileName);
      const std::string kafkas = std::string(kKafkaMetadataTopic) + "-0";
      const bool is_told = !config_.metadata_log_dir.empty();
      if (!has_store && !is_told && has(other, kafkas) && !has(first, kafkas))
        return must_be_first(other, kafkas);
    }
    return has_store ? Result<void>() : check_home(first);
  }

 private:
  bool has(const std::string& directory, std::string_view name) const {
    const auto found = files_.exists(storage::join_path(directory, std::string(name)));
    return found.ok() && *found;
  }

  Result<void> check_home(const std::string& first) const {
    const auto home = storage::read_metadata_home(files_, first);
    if (!home.ok() && home.error().code == Errc::io_error) return {};
    if (!home.ok()) return home.error();
    if (!*home) return {};
    return Error{
        Errc::invalid_config,
        fmt::format("log.dirs: {} is the first, but the metadata of its broker is in the directory "
                    "with directory.id {}, which must be the first. If that one and every copy of its "
                    "{} are lost, remove {} from all log directories",
                    first, (*home)->to_string(), kMetadataFileName, storage::kMetadataHomeName)};
  }

  Error has_identity(const std::string& other) const {
    return {Errc::invalid_config,
            fmt::format("log.dirs: {} is the first, which has the metadata of the broker, but it has no {}, "
                        "and {} has one; is its disk there? A new directory belongs behind the others",
                        config_.log_dirs.front(), storage::kMetaPropertiesName, other)};
  }

  static Error must_be_first(const std::string& other, std::string_view name) {
    return {Errc::invalid_config,
            fmt::format("log.dirs: {} has the metadata of a broker ({}), so it must be the first of the "
                        "directories, or have none",
                        other, name)};
  }

  const Config& config_;
  storage::FileSystem& files_;
};

bool is_fatal(const Error& error) {
  return error.code == Errc::invalid_config || error.code == Errc::lock_held;
}

struct Identity {
  Uuid id;
  std::optional<Uuid> metadata_home = {};
};

// One that is alone may go without an id, as those of Kafka before 3.7 do.
Result<Identity> identity_of(storage::LogDir& log_dir, storage::FileSystem& file_system, bool is_alone) {
  Identity identity;
  identity.metadata_home = TRY(storage::read_metadata_home(file_system, log_dir.path()));
  if (!is_alone) {
    identity.id = TRY(log_dir.require_directory_id());
  } else if (const auto meta = TRY(storage::read_meta_properties(file_system, log_dir.path()))) {
    identity.id = meta->directory_id.value_or(Uuid());
  }
  return identity;
}

Error is_copy(const std::string& one, const std::string& other) {
  return {Errc::invalid_config,
          fmt::format("{} and {} have the same directory.id in {}: one is a copy of the "
                      "other",
                      one, other, storage::kMetaPropertiesName)};
}

}  // namespace

Result<OpenLogDirs> open_log_dirs(const Config& config, storage::FileSystem& file_system,
                                  std::chrono::milliseconds lock_wait) {
  TRY(Order(config, file_system).check());
  OpenLogDirs directories;
  storage::LogDirOptions options = log_dir_options(config, file_system);
  for (const std::string& path : config.log_dirs) {
    options.path = path;
    auto log_dir = open_log_dir(options, lock_wait);
    if (!log_dir.ok() && log_dir.error().code == Errc::lock_held && !directories.opened.empty())
      log_dir.error().detail += ", or log.dirs names the directory twice";
    const bool is_alone = config.log_dirs.size() == 1;
    auto identity =
        log_dir.ok() ? identity_of(**log_dir, file_system, is_alone) : Result<Identity>(log_dir.error());
    if (!identity.ok()) {
      if (directories.opened.empty() || is_fatal(identity.error())) return identity.error();
      directories.failed.push_back({path, std::move(identity).error()});
      continue;
    }
    const auto same = std::ranges::find(directories.opened, identity->id, &OpenedDirectory::id);
    if (same != directories.opened.end()) return is_copy(same->log_dir->path(), path);
    options.cluster_id = (*log_dir)->cluster_id();
    directories.opened.push_back({std::move(log_dir).value(), identity->id, identity->metadata_home});
  }
  return directories;
}

Result<SettledDirectories> settle_log_dirs(const Config& config, storage::FileSystem& file_system,
                                           MetadataStore& store, OpenLogDirs& directories) {
  std::vector<OpenDirectory> open;
  for (const OpenedDirectory& one : directories.opened)
    open.push_back({one.id, absolute_path(one.log_dir->path()), one.metadata_home});
  if (const auto known = TRY(known_id_of(store, open.front()))) {
    storage::LogDir& first = *directories.opened.front().log_dir;
    spdlog::warn("{}: has the metadata, so it is the directory with directory.id {} as before", first.path(),
                 known->to_string());
    TRY(first.set_directory_id(*known));
    open.front().id = directories.opened.front().id = *known;
  }
  const DirectoryCensus census = TRY(take_census(store, open, config.lost_log_dirs));
  for (const KnownDirectory& lost : census.given_up)
    spdlog::warn("{} ({}) is given up for good", lost.path, lost.id.to_string());
  for (const Uuid& id : config.lost_log_dirs) {
    if (std::ranges::find(census.given_up, id, &KnownDirectory::id) == census.given_up.end())
      spdlog::info("sillok.lost.log.dirs: {} is not, or not any more, a directory of this broker",
                   id.to_string());
  }
  for (auto stranger = census.strangers.rbegin(); stranger != census.strangers.rend(); ++stranger) {
    const auto one = directories.opened.begin() + static_cast<std::ptrdiff_t>(*stranger);
    const auto known =
        std::ranges::find(census.missing, absolute_path(one->log_dir->path()), &KnownDirectory::path);
    directories.failed.push_back(
        {one->log_dir->path(),
         Error{Errc::invalid_config,
               fmt::format("its directory.id is {}, and the directory that was there had {}: is the disk "
                           "mounted? If that one is lost for good, say so in sillok.lost.log.dirs",
                           one->id.to_string(), known->id.to_string())}});
    directories.opened.erase(one);
  }
  const Uuid& home = directories.opened.front().id;
  for (std::size_t i = 0; i < directories.opened.size(); ++i) {
    const OpenedDirectory& one = directories.opened[i];
    if (i == 0 && one.metadata_home) TRY(storage::remove_metadata_home(file_system, one.log_dir->path()));
    if (i > 0 && one.metadata_home != home)
      TRY(storage::write_metadata_home(file_system, one.log_dir->path(), home));
  }
  return SettledDirectories{census.missing, census.are_several};
}

}  // namespace sillok::broker
