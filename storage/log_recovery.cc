#include "storage/log_recovery.h"

#include <algorithm>

#include "storage/file_cache.h"
#include "storage/format.h"
#include "storage/journaled_tail.h"
#include "storage/kafka_swaps.h"
#include "storage/partition_metadata.h"

namespace sillok::storage {
namespace {

// A last index entry further from the end of its log than this, and than eight times the interval, is of an
// old copy.
constexpr ByteCount kStaleIndexDistance = 64 << 10;

bool ends_with(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}

}  // namespace

Result<void> Log::Impl::Recovery::run() {
  TRY(open_segments());
  first_scanned_ = list_.size();
  bool is_settled = options_.clean;
  if (is_settled) {
    TRY(settle_clean(*list_.back()));
    is_settled = point_ != nullptr ? end_offset_ == point_->offset : end_offset_ >= durable_end_;
    if (!is_settled) TRY(doubt_clean(durable_end_));
  }
  if (!is_settled) {
    TRY(scan_segments());
    for (std::size_t i = first_scanned_; i < list_.size(); ++i) (void)list_[i]->give_back_all();
  }
  report_.was_clean = is_settled;
  TRY(rebuild_missing_indexes());
  TRY(remove_leftovers());
  return publish();
}

std::string Log::Impl::Recovery::path_of(Offset base, std::string_view suffix) const {
  return log_.files_.path(base, suffix);
}

Result<void> Log::Impl::Recovery::open_segments() {
  const std::string& folder = log_.files_.directory;
  auto entries = TRY(file_system().list_directory(folder));
  if (std::ranges::any_of(entries, [](const auto& entry) { return ends_with(entry.name, kSwapSuffix); })) {
    // So Kafka ran, and the point is of other files.
    if (TRY(complete_swaps(file_system(), folder, report_.notes))) {
      point_ = nullptr;
      gaps_end_ = kOffsetMax;
    }
    entries = TRY(file_system().list_directory(folder));
  }
  std::vector<Offset> bases;
  for (const DirectoryEntry& entry : entries) {
    if (ends_with(entry.name, kDeletedSuffix) || ends_with(entry.name, kCutSuffix) ||
        ends_with(entry.name, kCleanedSuffix)) {
      leftovers_.push_back(join_path(folder, entry.name));
      continue;
    }
    const auto name = parse_offset_file_name(entry.name);
    if (!name) continue;
    if (name->suffix == kLogSuffix) bases.push_back(name->base);
    if (name->suffix == kOffsetIndexSuffix) offset_indexes_.insert(name->base);
    if (name->suffix == kTimeIndexSuffix) time_indexes_.insert(name->base);
    if (name->suffix == kSnapshotSuffix) snapshots_.push_back(name->base);
  }
  for (const Offset base : bases) list_.push_back(TRY(Segment::open(&log_.files_, base)));
  if (list_.empty()) {
    // A crash before the first segment was durable.
    TRY(log_.remove_segment_files(options_.log_start_offset));
    list_.push_back(TRY(Segment::create(&log_.files_, options_.log_start_offset)));
    offset_indexes_ = time_indexes_ = {options_.log_start_offset};
  }
  return {};
}

Result<void> Log::Impl::Recovery::settle_clean(Segment& last) {
  end_offset_ = last.base_offset();
  const auto settled = TRY(walk_tail(last));
  if (settled) return {};
  note("the index of the last segment was built anew");
  return scan_durable(last);
}

Result<bool> Log::Impl::Recovery::walk_tail(Segment& last) {
  if (last.size() == 0) return true;
  if (!last.offset_index().open(IoMode::may_block).ok() || !last.time_index().open(IoMode::may_block).ok()) {
    return false;
  }
  const auto entry = last.offset_index().last();
  const FilePosition start(entry ? entry->position : 0);
  if (start > last.end() || (entry && start == last.end())) return false;
  const auto greatest = last.max_timestamp();
  if (!greatest.ok() && greatest.error().code == Errc::io_error) return greatest.error();
  if (!greatest.ok()) return false;
  const auto file = TRY(last.file(IoMode::may_block));
  BatchWalk walk(*file, start, last.end(), IoMode::may_block);
  for (bool first = entry.has_value();; first = false) {
    const auto place = walk.next();
    if (!place.ok() && place.error().code != Errc::corrupt) return place.error();
    if (!place.ok()) return false;
    if (!*place) break;
    const protocol::RecordBatchHeader& header = (*place)->header;
    if (first && header.last_offset() != last.base_offset() + entry->relative_offset) return false;
    if (header.base_offset < end_offset_ && !first) return false;
    if (header.last_offset() - last.base_offset() > kRelativeOffsetMax) return false;
    if ((*place)->position - start > std::max(kStaleIndexDistance, 8 * log_.config_.index_interval_bytes)) {
      return false;
    }
    end_offset_ = header.next_offset();
    epoch_in_log_ = header.leader_epoch;
  }
  return true;
}

Result<void> Log::Impl::Recovery::doubt_clean(Offset end) {
  note("the clean stop was at offset " + std::to_string(end.value) + ", but the files end at " +
       std::to_string(end_offset_.value) + ": the log is scanned");
  keep_all_ = true;
  list_.back() = TRY(Segment::open(&log_.files_, list_.back()->base_offset()));
  return {};
}

Result<void> Log::Impl::Recovery::rebuild_missing_indexes() {
  for (std::size_t i = 0; i < std::min(first_scanned_, list_.size()); ++i) {
    Segment& segment = *list_[i];
    if (segment.offset_index().is_open() && segment.time_index().is_open()) continue;
    const Offset base = segment.base_offset();
    if (offset_indexes_.count(base) != 0 && time_indexes_.count(base) != 0) continue;
    note(path_of(base, kLogSuffix) + ": an index was missing, and was built anew");
    TRY(rebuild_indexes(segment, log_.config_));
    TRY(segment.seal());
    report_.rebuilt_index_count += 2;
  }
  return {};
}

Result<void> Log::Impl::Recovery::remove_leftovers() {
  for (const auto& indexes :
       {std::pair{&offset_indexes_, kOffsetIndexSuffix}, {&time_indexes_, kTimeIndexSuffix}}) {
    for (const Offset base : *indexes.first) {
      const bool used = std::any_of(list_.begin(), list_.end(),
                                    [base](const auto& segment) { return segment->base_offset() == base; });
      if (!used) leftovers_.push_back(path_of(base, indexes.second));
    }
  }
  for (const std::string& path : leftovers_) {
    log_.files_.file_cache->forget(path);
    auto removed = file_system().remove(path);
    if (!removed.ok() && removed.error().code != Errc::not_found) return removed;
  }
  return {};
}

Result<void> Log::Impl::Recovery::publish() {
  log_.publish_segments(list_);
  const LogPosition end = log_.end_in_active(end_offset_);
  log_.log_end_.store(end);
  log_.synced_end_.store(end);
  log_.move_log_start(std::max(options_.log_start_offset, list_.front()->base_offset()));
  if (log_.log_start() > end.offset) {
    note("the log ends before its start, and begins there anew, empty");
    TRY(log_.start_empty_at(log_.log_start()));
    snapshots_.clear();
  } else if (first_scanned_ < list_.size()) {
    mark_unsynced();
  }
  TRY(note_journaled_end());
  if (options_.clean && point_ != nullptr && point_->offset == end.offset &&
      point_->segment_base == end.segment_base && point_->position == end.position) {
    log_.last_point_ = *point_;
    if (report_.rebuilt_index_count == 0) log_.closed_end_ = end;
  }
  TRY(load_epochs());
  TRY(remove_late_snapshots());
  TRY(log_.load_producers(snapshots_));
  if (log_.log_start() > log_.synced_end_.offset()) TRY(log_.flush());
  return {};
}

void Log::Impl::Recovery::mark_unsynced() {
  const Segment& first = *list_[std::min(first_scanned_, list_.size() - 1)];
  LogPosition synced{first.base_offset(), first.base_offset(), FilePosition(0)};
  if (trusted_point_ && point_->offset <= end_offset_)
    synced = {point_->offset, point_->segment_base, point_->position};
  ByteCount unflushed = first.end() - synced.position;
  for (std::size_t i = first_scanned_; i + 1 < list_.size(); ++i) {
    log_.sealed_.push_back({list_[i], list_[i + 1]->base_offset(), std::nullopt});
    unflushed += list_[i + 1]->size();
  }
  log_.directory_unsynced_ = true;
  log_.unflushed_size_.store(unflushed);
  log_.synced_end_.store(synced);
}

Result<void> Log::Impl::Recovery::note_journaled_end() {
  const LogPosition synced = log_.synced_end_.load();
  log_.journaled_end_ = synced;
  if (options_.journal == nullptr) return {};
  if (report_.restored_bytes > 0)
    note(std::to_string(report_.restored_bytes) + " bytes were restored from the commit journal");
  const auto end = options_.journal->end_of(journal_key());
  if (!end || *end <= synced) return {};
  const std::string up_to =
      "the commit journal has batches up to offset " + std::to_string(end->offset.value);
  for (const auto& segment : list_) {
    if (keep_all_ || report_.is_journal_void || segment->base_offset() != end->segment_base) continue;
    report_.is_journal_void = TRY(is_overwritten(*segment, segment->end()));
  }
  if (report_.is_journal_void)
    return keep_journaled(Offset(0), up_to + ", but others were written in their places since");
  if (end->offset > log_.log_end_.offset()) {
    const auto kept =
        keep_journaled(log_.log_end_.offset(), up_to + ", but what would lead to them is missing or damaged");
    if (!kept.ok()) note(up_to + ", and they stay there: " + kept.error().describe());
    return {};
  }
  log_.journaled_end_ = *end;
  return {};
}

// They were durable, and the journal goes.
Result<void> Log::Impl::Recovery::keep_journaled(Offset past, const std::string& why) {
  const std::string path =
      journaled_tail_path(log_.files_.directory, log_.log_end_.offset(), options_.incarnation);
  report_.unplaced_bytes =
      TRY(keep_journaled_tail(file_system(), *options_.journal, journal_key(), past, path));
  note(why + "; they are kept as " + path);
  return {};
}

Result<void> Log::Impl::Recovery::remove_late_snapshots() {
  const auto is_late = [end = log_.log_end_.offset()](Offset snapshot) { return snapshot > end; };
  for (const Offset snapshot : snapshots_) {
    if (is_late(snapshot)) TRY(file_system().remove(path_of(snapshot, kSnapshotSuffix)));
  }
  std::erase_if(snapshots_, is_late);
  return {};
}

Result<void> Log::Impl::Recovery::load_epochs() {
  auto read = LeaderEpochs::read(file_system(), log_.files_.directory);
  if (!read.ok() && read.error().code == Errc::io_error) return std::move(read).error();
  const auto latest = read.ok() ? read->latest() : std::nullopt;
  const bool lost = latest ? latest->epoch < epoch_in_log_ : end_offset_ > log_.log_start();
  if (lost) TRY(collect_epochs());
  LeaderEpochs epochs = read.ok() ? *read : LeaderEpochs();
  const LeaderEpochs before = epochs;
  for (const LeaderEpochEntry& entry : seen_epochs_.entries()) {
    const auto known = epochs.latest();
    if (!known || entry.epoch > known->epoch) epochs.assign(entry.epoch, entry.start_offset);
  }
  const auto greatest = epochs.latest();
  epochs.truncate_from_end(log_.log_end_.offset());
  // An epoch that lost all its batches was seen by clients all the same: the next one must be greater.
  if (greatest && log_.log_end_.offset() >= log_.log_start())
    epochs.assign(greatest->epoch, log_.log_end_.offset());
  epochs.truncate_from_start(log_.log_start());
  if (!read.ok() || epochs.entries() != before.entries()) {
    TRY(epochs.write(file_system(), log_.files_.directory));
  }
  log_.epochs_ = std::move(epochs);
  return {};
}

Result<void> Log::Impl::Recovery::collect_epochs() {
  seen_epochs_.clear();
  note("the leader epochs were read from the batches");
  for (const auto& segment : list_) {
    const auto file = TRY(segment->file(IoMode::may_block));
    BatchWalk walk(*file, FilePosition(0), segment->readable_end(FilePosition(0)), IoMode::may_block);
    for (;;) {
      const auto place = walk.next();
      if (!place.ok() && place.error().code != Errc::corrupt) return place.error();
      if (!place.ok() || !*place) break;
      const protocol::RecordBatchHeader& header = (*place)->header;
      if (header.leader_epoch >= LeaderEpoch(0)) seen_epochs_.assign(header.leader_epoch, header.base_offset);
    }
  }
  return {};
}

Result<std::unique_ptr<Log::Impl>> Log::Impl::open(const LogOptions& options, RecoveryReport& report) {
  TopicId id;
  if (options.topic_id) {
    id = *options.topic_id;
  } else {
    const auto read = read_partition_metadata(*options.file_system, options.directory);
    if (!read.ok() && read.error().code == Errc::io_error) return read.error();
    if (!read.ok()) report.notes.push_back(options.directory + ": " + read.error().describe());
    if (read.ok() && *read) id = **read;
  }
  auto log = std::make_unique<Impl>(options, id);
  TRY(Recovery(*log, options, report).run());
  return log;
}

}  // namespace sillok::storage
