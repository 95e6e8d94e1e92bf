#include "storage/log_dir.h"

#include <algorithm>
#include <random>
#include <utility>

#include "storage/clean_shutdown.h"
#include "storage/format.h"
#include "storage/log_dir_impl.h"
#include "storage/meta_properties.h"
#include "storage/partition_folder.h"
#include "storage/partition_metadata.h"

namespace sillok::storage {
namespace {

constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kReserveName = "sillok-reserve";
constexpr ByteCount kReserveSize = 4 << 20;

Uuid random_uuid() {
  for (;;) {
    if (const auto made = Uuid::from_random(random_bytes())) return *made;
  }
}

}  // namespace

std::array<std::uint8_t, 16> random_bytes() {
  std::random_device device;
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(device());
  return bytes;
}

LogDir::Impl::Impl(const LogDirOptions& options)
    : options_(options), file_cache_(*options.file_system, options.cached_file_limit) {
  CHECK(options.clock != nullptr && !options.path.empty());
}

LogDir::Impl::~Impl() {
  if (!mark_as_it_was_ || has_opened_log_) return;
  // Where only Kafka ever ran, this was no run: the number would say that its next mark is of before us.
  if (is_first_run_ && file_system().remove(path_of(kIncarnationName)).ok())
    mark_as_it_was_->incarnation.reset();
  (void)write_clean_shutdown_mark(file_system(), options_.path, *mark_as_it_was_).ok();
}

Result<void> LogDir::Impl::open() {
  TRY(make_directory());
  lock_ = TRY(file_system().lock(path_of(kLockName)));
  TRY(check_identity());
  const auto space = file_system().space(options_.path);
  if (space.ok() && space->free < kReserveSize) (void)give_reserve_away();
  StartedIncarnation started = TRY(start_incarnation(file_system(), options_.path));
  incarnation_ = started.incarnation;
  was_clean_ = started.was_clean;
  mark_as_it_was_ = started.mark_as_it_was;
  is_first_run_ = started.is_first_run;
  warnings_.insert(warnings_.end(), started.warnings.begin(), started.warnings.end());
  TRY(list_folders());
  TRY(write_identity());
  TRY(read_checkpoints());
  // Kafka's mark has no number. What Kafka appended to is known by Kafka's recovery points, too, for as long
  // as need be: they are written before the mark. The rest is as we left it.
  const bool is_kafkas_mark = mark_as_it_was_ && !mark_as_it_was_->incarnation;
  has_kafka_run_ = !was_clean_ && is_kafkas_mark;
  return open_journal();
}

// A clean stop leaves none: what there is then is older, and everything in it is in the segments.
Result<void> LogDir::Impl::open_journal() {
  JournalOptions options;
  options.files.file_system = options_.file_system;
  options.files.directory = options_.path;
  options.files.file_size = options_.journal_file_size;
  options.files.count_max = static_cast<std::size_t>(options_.journal_size_max / options_.journal_file_size);
  options.frame_size_max = std::min(options.frame_size_max, options.files.file_size / 4);
  journal_ = TRY(Journal::open(options, warnings_));
  if (!was_clean_) return {};
  TRY(journal_->close());
  journal_ = TRY(Journal::open(options, warnings_));
  return {};
}

std::optional<JournalKey> LogDir::Impl::journal_key(const TopicPartition& name) const {
  const auto id = read_partition_metadata(file_system(), path_of(partition_folder_name(name)));
  if (!id.ok() || !*id) return std::nullopt;
  return JournalKey{**id, name.partition};
}

// Every new name on the way down is synced, or all that comes to lie in the directory could vanish with it.
Result<void> LogDir::Impl::make_directory() {
  std::vector<std::string> missing;
  for (std::string path = options_.path; !path.empty(); path = parent_path(path)) {
    if (TRY(file_system().exists(path)) || (!missing.empty() && missing.back() == path)) break;
    missing.push_back(path);
  }
  if (missing.empty()) return {};
  TRY(file_system().make_directories(options_.path));
  for (const std::string& path : missing) {
    const std::string parent = parent_path(path);
    TRY(file_system().sync_directory(parent.empty() ? "." : parent));
  }
  return {};
}

Result<void> LogDir::Impl::check_identity() {
  const auto meta = TRY(read_meta_properties(file_system(), options_.path));
  if (!meta) return {};
  const std::string path = path_of(kMetaPropertiesName);
  if (meta->node_id != options_.node_id) {
    return Error{Errc::invalid_config, path + ": the directory belongs to node " +
                                           std::to_string(meta->node_id.value) + ", and this is node " +
                                           std::to_string(options_.node_id.value)};
  }
  if (!options_.cluster_id.empty() && meta->cluster_id != options_.cluster_id) {
    return Error{Errc::invalid_config, path + ": the directory belongs to cluster " + meta->cluster_id +
                                           ", and this is cluster " + options_.cluster_id};
  }
  known_cluster_id_ = meta->cluster_id;
  return {};
}

Result<void> LogDir::Impl::write_identity() {
  if (known_cluster_id_) {
    cluster_id_ = *known_cluster_id_;
    return {};
  }
  cluster_id_ = options_.cluster_id.empty() ? random_uuid().to_string() : options_.cluster_id;
  if (!known_.empty()) {
    warnings_.push_back(options_.path + ": has partitions, but no " + std::string(kMetaPropertiesName) +
                        "; it now belongs to node " + std::to_string(options_.node_id.value) +
                        " of cluster " + cluster_id_);
  }
  return write_meta_properties(file_system(), options_.path, {cluster_id_, options_.node_id, random_uuid()});
}

Result<Uuid> LogDir::Impl::require_directory_id() {
  auto meta = TRY(read_meta_properties(file_system(), options_.path));
  if (!meta) return Error{Errc::not_found, path_of(kMetaPropertiesName)};
  if (!meta->directory_id) {
    meta->directory_id = random_uuid();
    TRY(write_meta_properties(file_system(), options_.path, *meta));
  }
  return *meta->directory_id;
}

Result<void> LogDir::Impl::set_directory_id(const Uuid& id) {
  auto meta = TRY(read_meta_properties(file_system(), options_.path));
  if (!meta) return Error{Errc::not_found, path_of(kMetaPropertiesName)};
  meta->directory_id = id;
  return write_meta_properties(file_system(), options_.path, *meta);
}

Result<void> LogDir::Impl::list_folders() {
  for (const DirectoryEntry& entry : TRY(file_system().list_directory(options_.path))) {
    if (!entry.is_directory) continue;
    if (is_deleted_folder(entry.name)) {
      deleted_.push_back({entry.name, std::nullopt});
    } else if (const auto name = parse_partition_folder(entry.name)) {
      // Kafka recovers its own metadata whatever the mark says.
      const bool is_sound = was_clean_ || name->topic == kKafkaMetadataTopic;
      known_[*name].soundness = is_sound ? Soundness::settled : Soundness::unrecovered;
    } else if (const auto future = parse_future_folder(entry.name)) {
      futures_[*future].folders.push_back(entry.name);
    } else {
      warnings_.push_back(path_of(entry.name) + ": is no partition folder, and is left alone");
    }
  }
  return {};
}

Result<std::vector<FoundPartition>> LogDir::Impl::find_partitions(FramesOfOthers frames) {
  std::vector<FoundPartition> found;
  std::vector<JournalKey> keys;
  bool all_known = true;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, known] : known_) found.push_back({name, TopicId{}});
  }
  for (FoundPartition& partition : found) {
    // Where the file does not read, the log will not open either, and that is the place to say so.
    const auto id = read_partition_metadata(file_system(), path_of(partition_folder_name(partition.name)));
    if (id.ok() && *id) partition.topic_id = **id;
    partition.is_read = id.ok();
    all_known = all_known && id.ok();
    keys.push_back({partition.topic_id, partition.name.partition});
  }
  if (all_known && frames == FramesOfOthers::drop) journal_->keep_only(keys);
  const std::lock_guard lock(mutex_);
  for (const FoundPartition& partition : found) {
    const auto known = known_.find(partition.name);
    if (known != known_.end() && !partition.topic_id.is_zero()) known->second.topic_id = partition.topic_id;
  }
  return found;
}

bool LogDir::Impl::has_folder(const TopicPartition& name) const {
  const std::lock_guard lock(mutex_);
  return known_.contains(name);
}

std::optional<TopicId> LogDir::Impl::topic_id_of(const TopicPartition& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  return known == known_.end() ? std::nullopt : known->second.topic_id;
}

std::size_t LogDir::Impl::folder_count() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

LogOptions LogDir::Impl::log_options(std::string_view folder, const LogConfig& config) {
  LogOptions options;
  options.file_system = options_.file_system;
  options.file_cache = &file_cache_;
  options.clock = options_.clock;
  options.directory = path_of(folder);
  options.config = config;
  options.incarnation = incarnation_;
  return options;
}

Result<std::unique_ptr<Log>> LogDir::Impl::open_log(const TopicPartition& name, const LogConfig& config,
                                                    RecoveryReport& report) {
  LogOptions options = log_options(partition_folder_name(name), config);
  std::optional<OwnedRecoveryPoint> last;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = known_.find(name);
    if (entry == known_.end()) return Error{Errc::not_found, options.directory + ": no partition folder"};
    last = entry->second.recovery_point;
    if (!last) options.durable_end = entry->second.durable_end.value_or(Offset(0));
    // Past what was durable a gap may be a power cut's, unless nobody but Kafka wrote there.
    if ((is_first_run_ && !has_recovery_points_) || entry->second.has_kafka_written)
      options.gaps_end = kOffsetMax;
    else if (!last && (has_recovery_points_ || has_kafka_run_))
      options.gaps_end = options.durable_end;
    options.log_start_offset = entry->second.log_start;
    options.topic_id = entry->second.topic_id;
    // A folder that came after the stop may be of any state.
    options.clean = (was_clean_ && entry->second.is_listed) || entry->second.is_as_closed;
    entry->second.is_as_closed = false;
    entry->second.soundness = Soundness::opened;
  }
  has_opened_log_ = true;
  // Where this does not read, the log does not open.
  if (!options.topic_id) {
    if (const auto id = read_partition_metadata(file_system(), options.directory); id.ok())
      options.topic_id = *id;
  }
  if (last && last->topic_id == options.topic_id.value_or(TopicId{})) {
    options.recovery_point = &last->point;
  } else if (last) {
    // Another topic of this name had it, that another broker, or a crash, put away.
    const std::lock_guard lock(mutex_);
    known_[name].recovery_point.reset();
    known_[name].durable_end.reset();
  }
  options.journal = &journal_->replay();
  options.partition = name.partition;
  auto log = TRY(Log::open(options, report));
  const JournalKey key{log->topic_id(), name.partition};
  // A log that was synced before the stop may not be flushed for long, and would hold the frames back.
  const auto journaled = journal_->replay().end_of(key);
  const bool is_synced = journaled && log->health() == LogHealth::healthy && *journaled <= log->synced_end();
  if (report.is_journal_void) {
    // What the log has may be in the page cache only.
    TRY(log->flush());
    TRY(journal_->forget(key));
  } else if (is_synced || report.unplaced_bytes > 0) {
    journal_->release(key);
  }
  journal_->restored(key);
  return log;
}

Result<bool> LogDir::Impl::complete_creation(const TopicPartition& name, const TopicId& topic_id) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known == known_.end() || known->second.topic_id || topic_id.is_zero()) return false;
  }
  const std::string folder = path_of(partition_folder_name(name));
  if (!TRY(is_halved_creation(folder))) return false;
  TRY(write_partition_metadata(file_system(), folder, topic_id));
  TRY(sync_folder_names());
  const std::lock_guard lock(mutex_);
  known_[name].topic_id = topic_id;
  return true;
}

Result<LogCreation> LogDir::Impl::begin_log(const TopicPartition& name, const TopicId& topic_id,
                                            const LogConfig& config, LeaderEpoch first_epoch) {
  const LogOptions options = log_options(partition_folder_name(name), config);
  if (TRY(file_system().exists(options.directory))) {
    if (!TRY(is_halved_creation(options.directory))) return Error{Errc::already_exists, options.directory};
    TRY(delete_log(name));
  }
  TRY(forget_old_lines(name));
  // What the partition had here before it was in another place.
  const JournalKey key{topic_id, name.partition};
  if (!topic_id.is_zero() && journal_->replay().end_of(key)) TRY(journal_->forget(key));
  has_opened_log_ = true;
  {
    const std::lock_guard lock(mutex_);
    KnownPartition& known = known_[name];
    known.soundness = Soundness::opened;
    known.topic_id = topic_id;
  }
  auto creation = Log::begin_creation(options, topic_id, first_epoch);
  if (creation.ok()) return creation;
  // What stays of it stays known, so that whoever asked for it does not think that there is nothing. But a
  // folder that somebody else made meanwhile is not ours.
  const bool is_ours = creation.error().code != Errc::already_exists;
  const auto deleted = is_ours ? delete_log(name) : Result<void>();
  if (deleted.ok() || deleted.error().code == Errc::not_found) {
    const std::lock_guard lock(mutex_);
    known_.erase(name);
  }
  return creation;
}

Result<void> LogDir::Impl::forget_old_lines(const TopicPartition& name) {
  {
    const std::lock_guard lock(mutex_);
    if (stale_.count(name) == 0) return {};
  }
  const std::lock_guard one_writer(checkpoint_mutex_);
  return write_changed();
}

Result<bool> LogDir::Impl::is_halved_creation(const std::string& folder) {
  const auto id = read_partition_metadata(file_system(), folder);
  if (!id.ok() && id.error().code == Errc::io_error) return id.error();
  if (id.ok() && *id) return false;
  for (const DirectoryEntry& entry : TRY(file_system().list_directory(folder))) {
    const auto name = parse_offset_file_name(entry.name);
    if (entry.is_directory) return false;
    if (!name || name->suffix != kLogSuffix) continue;
    if (name->base > Offset(0)) return false;  // there were records before
    const auto file = TRY(file_system().open(join_path(folder, entry.name), OpenMode::read));
    if (TRY(file->size()) > FilePosition(0)) return false;
  }
  return true;
}

Result<void> LogDir::Impl::delete_log(const TopicPartition& name) {
  const std::string folder = path_of(partition_folder_name(name));
  const std::string deleted = deleted_folder_name(name, random_bytes());
  const std::optional<JournalKey> key = journal_key(name);
  TRY(file_system().rename(folder, path_of(deleted)));
  TRY(file_system().sync_directory(options_.path));
  if (key) journal_->release(*key);
  forget_files(folder, deleted);
  const std::lock_guard lock(mutex_);
  deleted_.push_back({deleted, options_.clock->steady()});
  if (known_.erase(name) == 0) return {};
  stale_.insert(name);
  for (const auto file :
       {CheckpointFile::recovery_points, CheckpointFile::log_starts, CheckpointFile::high_watermarks}) {
    mark_changed(file);
  }
  return {};
}

// A later partition of the same name has files of the same names.
void LogDir::Impl::forget_files(const std::string& folder, const std::string& deleted) {
  const auto entries = file_system().list_directory(path_of(deleted));
  if (!entries.ok()) return;
  for (const DirectoryEntry& entry : *entries) file_cache_.forget(join_path(folder, entry.name));
}

Result<void> LogDir::Impl::remove_deleted_partitions(SteadyTime now, std::int64_t delay_ms) {
  std::vector<DeletedFolder> due;
  {
    const std::lock_guard lock(mutex_);
    const auto is_due = [&](const DeletedFolder& folder) {
      return !folder.since || now - *folder.since >= std::chrono::milliseconds(delay_ms);
    };
    std::copy_if(deleted_.begin(), deleted_.end(), std::back_inserter(due), is_due);
    std::erase_if(deleted_, is_due);
  }
  // One that does not go keeps no other from going, and is tried again at the next start.
  Result<void> outcome;
  for (const DeletedFolder& folder : due) {
    auto removed = file_system().remove_directory_tree(path_of(folder.name));
    if (!removed.ok() && removed.error().code != Errc::not_found && outcome.ok())
      outcome = std::move(removed);
  }
  return outcome;
}

// A file of a wrong size is half made, or a copy that lost its blocks.
Result<void> LogDir::Impl::balance_reserve() {
  const std::string path = path_of(kReserveName);
  const ByteCount free = TRY(file_system().space(options_.path)).free;
  if (free < kReserveSize) return give_reserve_away();
  if (free < 4 * kReserveSize) return {};
  const auto file = TRY(file_system().open(path, OpenMode::open_or_create));
  if (TRY(file->size()) == FilePosition(kReserveSize)) return {};
  TRY(file->truncate(FilePosition(0)));
  const Bytes zeros(static_cast<std::size_t>(kReserveSize));
  const ByteView part = zeros;
  auto written = file->write_at(FilePosition(0), {&part, 1});
  if (!written.ok()) (void)give_reserve_away();
  return written;
}

Result<void> LogDir::Impl::give_reserve_away() {
  auto removed = file_system().remove(path_of(kReserveName));
  return removed.ok() || removed.error().code == Errc::not_found ? Result<void>() : removed;
}

LogDir::LogDir(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogDir::~LogDir() = default;

Result<std::unique_ptr<LogDir>> LogDir::open(const LogDirOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  TRY(impl->open());
  return std::unique_ptr<LogDir>(new LogDir(std::move(impl)));
}

const std::string& LogDir::path() const { return impl_->options_.path; }
const std::string& LogDir::cluster_id() const { return impl_->cluster_id_; }
bool LogDir::was_clean() const { return impl_->was_clean_; }
bool LogDir::has_kafka_run() const { return impl_->has_kafka_run_; }
std::int64_t LogDir::incarnation() const { return impl_->incarnation_; }
const std::vector<std::string>& LogDir::warnings() const { return impl_->warnings_; }
FileCache& LogDir::file_cache() { return impl_->file_cache_; }
Journal& LogDir::journal() { return impl_->journal(); }
bool LogDir::note_kafka_ran(std::vector<std::string>& notes) { return impl_->note_kafka_ran(notes); }
Result<std::vector<FoundPartition>> LogDir::find_partitions(FramesOfOthers frames) const {
  return impl_->find_partitions(frames);
}
Result<Uuid> LogDir::require_directory_id() { return impl_->require_directory_id(); }
Result<void> LogDir::set_directory_id(const Uuid& id) { return impl_->set_directory_id(id); }
bool LogDir::has_folder(const TopicPartition& name) const { return impl_->has_folder(name); }
std::optional<TopicId> LogDir::topic_id_of(const TopicPartition& name) const {
  return impl_->topic_id_of(name);
}
std::size_t LogDir::folder_count() const { return impl_->folder_count(); }
Result<std::unique_ptr<Log>> LogDir::open_log(const TopicPartition& name, const LogConfig& config,
                                              RecoveryReport& report) {
  return impl_->open_log(name, config, report);
}
Result<bool> LogDir::complete_creation(const TopicPartition& name, const TopicId& topic_id) {
  return impl_->complete_creation(name, topic_id);
}
Result<LogCreation> LogDir::begin_log(const TopicPartition& name, const TopicId& topic_id,
                                      const LogConfig& config, LeaderEpoch first_epoch) {
  return impl_->begin_log(name, topic_id, config, first_epoch);
}
Result<void> LogDir::sync_folder_names() { return impl_->sync_folder_names(); }
Result<void> LogDir::delete_log(const TopicPartition& name) { return impl_->delete_log(name); }
Result<void> LogDir::remove_deleted_partitions(SteadyTime now, std::int64_t delay_ms) {
  return impl_->remove_deleted_partitions(now, delay_ms);
}
Result<std::vector<FoundPartition>> LogDir::find_futures() const { return impl_->find_futures(); }
bool LogDir::has_future(const TopicPartition& name) const { return impl_->has_future(name); }
Result<std::unique_ptr<Log>> LogDir::begin_future(const TopicPartition& name, const TopicId& topic_id,
                                                  const LogConfig& config, Offset start) {
  return impl_->begin_future(name, topic_id, config, start);
}
Result<void> LogDir::settle_future(const TopicPartition& name, const Log& log) {
  return impl_->settle_future(name, log);
}
Result<void> LogDir::drop_future(const TopicPartition& name) { return impl_->drop_future(name); }
Result<void> LogDir::promote_future(const TopicPartition& name) { return impl_->promote_future(name); }
Result<void> LogDir::write_checkpoints(std::span<const CheckpointEntry> entries) {
  return impl_->write_checkpoints(entries);
}
Result<void> LogDir::forget_recovery_point(const TopicPartition& name) {
  return impl_->forget_recovery_point(name);
}
Result<void> LogDir::close_clean(std::span<const CheckpointEntry> entries) {
  return impl_->close_clean(entries);
}
std::vector<std::string> LogDir::unrecovered_folders() const { return impl_->unrecovered_folders(); }
Result<void> LogDir::balance_reserve() { return impl_->balance_reserve(); }
Result<SpaceUse> LogDir::space() const { return impl_->options_.file_system->space(impl_->options_.path); }

}  // namespace sillok::storage
