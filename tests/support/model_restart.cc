// How a ModelRun stops its log, and what it compares when that is open again.
#include <algorithm>

#include "tests/support/create_log.h"
#include "tests/support/log_model.h"

namespace sillok::tests {
namespace {

using storage::LogHealth;

constexpr std::string_view kPath = "/data";
// Small, so that its files are full again and again.
constexpr ByteCount kJournalFileSize = 64 << 10;
constexpr ByteCount kJournalFileCount = 4;

}  // namespace

void ModelRun::reopen_clean() {
  note("clean reopen at " + text(model_.log_end()));
  may_be_clean_ = true;
  if (!ok(log_->close(), "close")) return;
  const auto at = entry();
  const bool marked = ok(log_dir_->close_clean({&at, 1}), "close_clean");
  durable_end_ = model_.log_end();
  if (marked) {
    recovery_point_ = model_.log_end();
    durable_start_ = model_.log_start();
  } else {
    recovery_point_.reset();
  }
  log_.reset();
  log_dir_.reset();
  open(marked ? Stop::clean : Stop::crashed);
}

void ModelRun::crash_and_check(CrashMode mode) {
  const std::uint64_t seed = random_();
  note("crash, mode " + std::to_string(static_cast<int>(mode)) + ", durable up to " + text(durable_end_));
  ++crash_count_;
  // A fault may have left indexes that no recovery point describes.
  if (used_ != &disk_) recovery_point_.reset();
  log_.reset();
  log_dir_.reset();
  // A killed process leaves the page cache as it is, and so what a later power cut may take.
  killed_only_ = mode == CrashMode::keep_all;
  if (!killed_only_) disk_.crash(seed, mode);
  used_ = &disk_;
  offline_ = false;
  open(Stop::crashed);
}

void ModelRun::open(Stop stop) {
  storage::LogDirOptions options;
  options.file_system = used_;
  options.clock = &clock_;
  options.path = kPath;
  options.journal_file_size = kJournalFileSize;
  options.journal_size_max = kJournalFileCount * kJournalFileSize;
  auto log_dir = storage::LogDir::open(options);
  if (!ok(log_dir, "open directory")) return;
  log_dir_ = std::move(log_dir).value();
  // A mark that a fault kept from being read counts at the next start.
  const bool is_right = log_dir_->was_clean() ? stop == Stop::clean || may_be_clean_ : stop == Stop::crashed;
  expect(is_right, "the stop before was taken for the other kind");
  const auto found = log_dir_->find_partitions();
  if (!ok(found, "find partitions")) return;
  if (found->empty()) {
    expect(model_.log_end() == Offset(0) || durable_end_ == Offset(0), "the partition's folder is gone");
    auto log = create_log(*log_dir_, model_partition(), model_topic_id(), config_);
    if (!ok(log, "create")) return;
    log_ = std::move(log).value();
    return;
  }
  storage::RecoveryReport report;
  auto log = log_dir_->open_log(model_partition(), config_, report);
  for (const std::string& line : report.notes) note("  " + line);
  if (!ok(log, "open")) return;
  log_ = std::move(log).value();
  may_be_clean_ = false;
  log_->check_invariants();
  check_opened(stop, report);
}

void ModelRun::check_opened(Stop stop, const storage::RecoveryReport& report) {
  const Offset end = log_->log_end().offset;
  const Offset start = log_->log_start();
  note("  opened, " + text(start) + " to " + text(end) + ", scanned " + std::to_string(report.scanned_bytes));
  cut_bytes_ += report.cut_bytes;
  restored_bytes_ += report.restored_bytes;
  journaled_end_ = log_->journaled_end();
  expect(log_->health() == LogHealth::healthy, "opened in bad health");
  expect(end >= durable_end_, "durable records are gone: the log ends at " + text(end));
  expect(end <= model_.log_end(), "the log ends past everything that was appended, at " + text(end));
  expect(model_.is_boundary(end) || end == start, "the log ends inside a batch, at " + text(end));
  expect(start >= durable_start_ && start <= model_.log_start(), "the log starts at " + text(start));
  if (stop == Stop::clean) {
    expect(end == model_.log_end() && start == model_.log_start(), "a clean stop changed the log");
    const bool was_recovered = report.scanned_bytes > 0 || report.rebuilt_index_count > 0;
    expect(!was_recovered || used_ != &disk_, "a clean stop was recovered from");
  } else if (killed_only_) {
    expect(end == model_.log_end(), "a kill lost records");
  }
  if (stop == Stop::crashed && recovery_point_ && *recovery_point_ >= model_.log_start()) {
    const ByteCount above = model_.is_boundary(*recovery_point_) ? model_.size_from(*recovery_point_) : 0;
    const ByteCount slack = config_.index_interval_bytes + 2 * batch_size_max_;
    // What is restored is read again, and so is what a crash left behind it.
    const ByteCount again = 2 * (report.restored_bytes + report.cut_bytes);
    expect(report.scanned_bytes <= above + slack + again,
           "recovery read " + std::to_string(report.scanned_bytes) + " bytes, with " + std::to_string(above) +
               " above the recovery point");
  }
  if (is_failed()) return;
  if (end == start) {
    // Nothing is left to know producers from. Where records were deleted before they were durable, the log
    // start outlived them, and what comes next begins there.
    next_producer_ += kProducerCount;
    if (!model_.is_boundary(end)) model_.start_empty_at(end);
  }
  model_.set_log_start(start);
  model_.truncate_to(end);
  // What is left after a power cut is on disk, and what recovery synced is as well.
  durable_end_ = std::max(durable_end_, killed_only_ ? log_->synced_end().offset : end);
  check_all();
  check_producers();
}

void ModelRun::check_all() {
  for (Offset from = model_.log_start(); from < model_.log_end() && !is_failed() && !offline_;) {
    check_read(from, 1);
    from = model_.batches()[model_.find(from)].header.next_offset();
  }
  search_timestamps();
}

// Every batch that is remembered is refused as a repetition, at the offset that it has.
void ModelRun::check_producers() {
  for (std::int64_t id = next_producer_ - kProducerCount + 1; id <= next_producer_; ++id) {
    for (const protocol::RecordBatchHeader& seen : model_.remembered(ProducerId(id))) {
      if (seen.base_offset < model_.log_start() || is_failed() || offline_) continue;
      Bytes again = model_.batches()[model_.find(seen.base_offset)].bytes;
      const Bytes sent = again;
      storage::AppendEntry entry;
      entry.batch = again;
      entry.header = header_of(sent);
      if (ok(log_->append_as_leader({&entry, 1}, epoch_), "append again")) check_append(entry, sent);
    }
  }
}

}  // namespace sillok::tests
