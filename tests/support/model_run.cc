// The random run of log_model.h: its operations. model_restart.cc stops and opens the log.
#include <algorithm>

#include "tests/support/journaled_log.h"
#include "tests/support/log_model.h"

namespace sillok::tests {
namespace {

using storage::AppendStatus;
using storage::IoMode;
using storage::Log;
using storage::LogHealth;

constexpr std::size_t kHistoryShown = 60;

}  // namespace

ModelRun::ModelRun(std::uint64_t seed, MemFileSystem& disk, storage::FileSystem& used)
    : random_(seed), disk_(disk), used_(&used) {
  config_.segment_bytes = 2048 + below(8192);
  config_.index_interval_bytes = 64 + below(1024);
  config_.segment_index_bytes = 64 + below(1024);
  config_.retention_ms = -1;
  config_.file_delete_delay_ms = 1000;
}

ModelRun::~ModelRun() = default;

std::string ModelRun::history() const {
  std::string lines;
  const std::size_t first = history_.size() > kHistoryShown ? history_.size() - kHistoryShown : 0;
  for (std::size_t i = first; i < history_.size(); ++i) lines += history_[i] + "\n";
  return lines;
}

void ModelRun::expect(bool condition, const std::string& what) {
  if (!condition && failure_.empty()) failure_ = what;
}

bool ModelRun::failed(const Error& error, const char* what) {
  note(std::string(what) + ": " + error.describe());
  // Without faults nothing may fail.
  expect(used_ != &disk_, std::string(what) + " failed: " + error.describe());
  offline_ = offline_ || !log_ || log_->health() != storage::LogHealth::healthy;
  return false;
}

storage::LogDir::CheckpointEntry ModelRun::entry() const {
  return {model_partition(), log_.get(), log_->log_end().offset};
}

void ModelRun::run(int operation_count, bool with_crashes) {
  if (!log_) open(Stop::crashed);
  for (int i = 0; i < operation_count && !is_failed() && !offline_; ++i) {
    step();
    if (with_crashes && !is_failed() && below(25) == 0) {
      constexpr CrashMode kModes[] = {CrashMode::keep_all, CrashMode::lose_all, CrashMode::random,
                                      CrashMode::random_names};
      crash_and_check(kModes[below(4)]);
    }
  }
}

void ModelRun::step() {
  const std::int64_t choice = below(100);
  if (choice < 45) {
    append();
  } else if (choice < 57) {
    journal();
  } else if (choice < 62) {
    flush();
  } else if (choice < 67) {
    checkpoint();
  } else if (choice < 71) {
    roll();
  } else if (choice < 74) {
    clean_up();
  } else if (choice < 76) {
    move_log_start();
  } else if (choice < 78) {
    truncate();
  } else if (choice < 89) {
    read();
  } else if (choice < 95) {
    search_timestamps();
  } else if (choice < 98) {
    advance_clock();
  } else {
    reopen_clean();
  }
  if (log_ && !offline_) log_->check_invariants();
}

void ModelRun::fill(BatchMaker& maker, int record_count) {
  for (int i = 0; i < record_count; ++i) {
    maker.record("k" + std::to_string(below(1000)), std::string(static_cast<std::size_t>(below(120)), 'v'),
                 clock_.wall_ms() + below(4000) - 2000);
  }
}

Bytes ModelRun::random_batch(std::vector<Bytes>& made) {
  if (below(3) == 0)
    return made.empty() ? random_idempotent_batch() : batch().record("k", "v", clock_.wall_ms()).bytes();
  BatchMaker maker = batch();
  constexpr protocol::Codec kCodecs[] = {protocol::Codec::none, protocol::Codec::none,
                                         protocol::Codec::gzip, protocol::Codec::snappy,
                                         protocol::Codec::lz4,  protocol::Codec::zstd};
  maker.codec(kCodecs[below(6)]);
  fill(maker, 1 + static_cast<int>(below(12)));
  return maker.bytes();
}

// In order, repeated, with a gap, of an old epoch or of a new one.
Bytes ModelRun::random_idempotent_batch() {
  const std::int64_t id = next_producer_ - below(kProducerCount);
  const auto last = model_.remembered(ProducerId(id));
  BatchMaker maker = batch();
  std::int16_t& epoch = producer_epochs_[id];
  int record_count = 1 + static_cast<int>(below(4));
  if (last.empty()) {
    maker.producer(id, epoch, below(2) == 0 ? 0 : 0x7fffffff - 5);
  } else {
    const protocol::RecordBatchHeader& newest = last.back();
    epoch = newest.producer_epoch.value;
    const std::int32_t next = newest.last_sequence() == 0x7fffffff ? 0 : newest.last_sequence() + 1;
    switch (below(8)) {
      case 0:
      case 1: {
        const protocol::RecordBatchHeader& old =
            last[static_cast<std::size_t>(below(static_cast<std::int64_t>(last.size())))];
        maker.producer(id, epoch, old.base_sequence);
        record_count = old.record_count;
        break;
      }
      case 2:
        maker.producer(id, epoch, next > 0x7ffffff0 ? 100 : next + 1 + static_cast<std::int32_t>(below(3)));
        break;
      case 3:
        maker.producer(id, static_cast<std::int16_t>(below(2) == 0 && epoch > 0 ? epoch - 1 : epoch + 1),
                       static_cast<std::int32_t>(below(2)));
        break;
      default:
        maker.producer(id, epoch, next);
    }
  }
  fill(maker, record_count);
  return maker.bytes();
}

void ModelRun::append() {
  if (below(20) == 0) epoch_ = LeaderEpoch(epoch_.value + 1);
  std::vector<Bytes> sent;
  for (std::int64_t count = 1 + below(3); count > 0; --count) sent.push_back(random_batch(sent));
  std::vector<Bytes> buffers = sent;
  std::vector<storage::AppendEntry> entries(sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    entries[i].batch = buffers[i];
    entries[i].header = header_of(sent[i]);
  }
  note("append " + std::to_string(sent.size()) + " batches at " + text(model_.log_end()) + ", epoch " +
       std::to_string(epoch_.value));
  const auto appended = log_->append_as_leader(entries, epoch_);
  if (!ok(appended, "append")) {
    if (!offline_)
      return expect(log_->log_end().offset == model_.log_end(), "a refused append moved the log end");
    // Some of it may be on disk all the same.
    for (Bytes& bytes : sent) {
      if (model_.judge(header_of(bytes)).status != AppendStatus::appended) continue;
      protocol::set_base_offset(bytes, model_.log_end());
      protocol::set_leader_epoch(bytes, epoch_);
      model_.append(std::move(bytes));
    }
    return;
  }
  for (std::size_t i = 0; i < sent.size(); ++i) check_append(entries[i], sent[i]);
  expect(log_->log_end().offset == model_.log_end(), "the log end is " + text(log_->log_end().offset));
}

void ModelRun::check_append(const storage::AppendEntry& entry, const Bytes& sent) {
  const LogModel::Verdict verdict = model_.judge(header_of(sent));
  const protocol::RecordBatchHeader header = header_of(sent);
  if (entry.status != verdict.status) {
    expect(false, "an append was answered with status " + std::to_string(static_cast<int>(entry.status)) +
                      " instead of " + std::to_string(static_cast<int>(verdict.status)) + ": producer " +
                      std::to_string(header.producer_id.value) + " epoch " +
                      std::to_string(header.producer_epoch.value) + " sequence " +
                      std::to_string(header.base_sequence));
    return;
  }
  if (verdict.base_offset >= Offset(0)) {
    expect(
        entry.base_offset == verdict.base_offset && entry.last_offset == verdict.last_offset,
        "a batch was given offset " + text(entry.base_offset) + " instead of " + text(verdict.base_offset));
  }
  if (entry.status != AppendStatus::appended || is_failed()) return;
  Bytes expected = sent;
  protocol::set_base_offset(expected, model_.log_end());
  protocol::set_leader_epoch(expected, epoch_);
  batch_size_max_ = std::max(batch_size_max_, static_cast<ByteCount>(expected.size()));
  model_.append(std::move(expected));
  ++appended_batch_count_;
}

void ModelRun::journal() {
  storage::Journal& journal = log_dir_->journal();
  if (below(10) == 0) ok(journal.add_file_now(), "add_file_now");
  const storage::LogPosition from = std::max(journaled_end_, log_->synced_end());
  const storage::LogPosition to = log_->log_end();
  if (from >= to) return;
  const auto target = std::make_shared<JournaledLog>(
      *log_, storage::JournalKey{model_topic_id(), model_partition().partition}, from);
  const bool needs_flush = !journal.commit_now(target);
  note("journal " + text(from.offset) + " to " + text(to.offset) +
       (target->is_committed ? "" : ": not done"));
  if (target->is_committed) {
    journaled_bytes_ += model_.size_from(from.offset);
    journaled_end_ = to;
    durable_end_ = model_.log_end();
  }
  if (needs_flush) flush();
}

void ModelRun::flush() {
  note("flush at " + text(model_.log_end()));
  const storage::JournalKey key{model_topic_id(), model_partition().partition};
  log_dir_->journal().sync_begins(key);
  const auto flushed = log_->flush();
  if (!ok(flushed, "flush")) return;
  log_dir_->journal().sync_succeeded(key);
  expect(flushed->offset == model_.log_end(), "a flush of everything ended at " + text(flushed->offset));
  durable_end_ = model_.log_end();
  expect(log_->unflushed_size() == 0, "bytes are unflushed after a flush");
}

void ModelRun::checkpoint() {
  note("checkpoint at " + text(log_->synced_end().offset));
  const auto at = entry();
  const Offset synced = log_->synced_end().offset;
  if (!ok(log_dir_->write_checkpoints({&at, 1}), "checkpoint")) {
    recovery_point_.reset();
    return;
  }
  // What retention took away needs no flush any more.
  expect(synced <= std::max(durable_end_, model_.log_start()),
         "synced_end " + text(synced) + " is past the last flush");
  recovery_point_ = synced;
  durable_start_ = model_.log_start();
}

void ModelRun::roll() {
  note("roll at " + text(model_.log_end()));
  ok(log_->roll(), "roll");
}

void ModelRun::advance_clock() {
  clock_.advance(std::chrono::milliseconds(below(2000)));
  ok(log_->remove_deleted_files(clock_.steady()), "remove_deleted_files");
}

void ModelRun::clean_up() {
  config_.retention_bytes = below(4) == 0 ? -1 : below(30'000);
  log_->set_config(config_);
  note("clean up to " + std::to_string(config_.retention_bytes) + " bytes");
  const auto removed = log_->clean_up(clock_.wall_ms(), model_.log_end());
  if (!ok(removed, "clean_up")) {
    // Readers turn to the new start before files go, and a file that does not go changes nothing about it.
    next_producer_ += kProducerCount;
    model_.set_log_start(log_->log_start());
    return;
  }
  const Offset start = log_->log_start();
  expect(start >= model_.log_start() && start <= model_.log_end(),
         "clean_up moved the log start to " + text(start));
  expect(start == model_.log_start() || *removed > 0,
         "clean_up moved the log start without removing anything");
  if (*removed > 0) {
    expect(config_.retention_bytes >= 0 || start == model_.log_start(),
           "clean_up removed what it had to keep");
    // What producers wrote there may be remembered or not: they are not asked again.
    next_producer_ += kProducerCount;
  }
  model_.set_log_start(start);
}

void ModelRun::move_log_start() {
  const Offset to = model_.log_start() + below(model_.log_end() - model_.log_start() + 1);
  note("log start to " + text(to));
  if (!ok(log_->set_log_start(to), "set_log_start")) return;
  model_.set_log_start(to);
  checkpoint();
}

void ModelRun::truncate() {
  const Offset to =
      model_.log_end() - below(std::min<std::int64_t>(40, model_.log_end() - model_.log_start()) + 1);
  note("truncate to " + text(to));
  flush();
  if (offline_ || is_failed()) return;
  recovery_point_.reset();
  journaled_end_ = {};
  const auto forgotten = log_dir_->forget_recovery_point(entry().name);
  if (!forgotten.ok() && forgotten.error().code == Errc::no_space) return;
  if (!ok(forgotten, "forget_recovery_point")) return;
  if (!ok(log_->truncate_to(to), "truncate_to")) {
    // Cut or not, as the crash wants it.
    const std::size_t cut = model_.find(to);
    if (cut < model_.batches().size())
      durable_end_ = std::min(durable_end_, model_.batches()[cut].header.base_offset);
    durable_start_ = std::min(durable_start_, durable_end_);
    return;
  }
  model_.truncate_to(to);
  expect(log_->log_end().offset == model_.log_end(), "truncate_to ended at " + text(log_->log_end().offset));
  model_.set_log_start(log_->log_start());
  durable_end_ = std::min(durable_end_, model_.log_end());
  durable_start_ = std::min(durable_start_, model_.log_end());
  next_producer_ += kProducerCount;
  flush();
  if (!offline_) checkpoint();
}

void ModelRun::read() {
  if (model_.log_start() >= model_.log_end()) return;
  check_read(model_.log_start() + below(model_.log_end() - model_.log_start()), below(5000));
  const auto past =
      log_->read(model_.log_end() + 1, log_->log_end(), 100, Log::FirstBatch::whole, IoMode::may_block);
  expect(!past.ok() && past.error().code == Errc::offset_out_of_range,
         "a read past the log end was answered");
}

void ModelRun::check_read(Offset from, ByteCount limit) {
  const auto slice = log_->read(from, log_->log_end(), limit, Log::FirstBatch::whole, IoMode::may_block);
  if (!ok(slice, "read")) return;
  Bytes bytes(static_cast<std::size_t>(slice->size));
  const auto size = slice->file->read_at(slice->position, bytes);
  if (!ok(size, "read_at")) return;
  expect(*size == bytes.size(), "a slice is longer than its file");
  std::size_t at = 0;
  const std::size_t first = model_.find(from);
  for (std::size_t i = first; at < bytes.size() && i < model_.batches().size(); ++i) {
    const Bytes& stored = model_.batches()[i].bytes;
    const std::size_t common = std::min(stored.size(), bytes.size() - at);
    if (!std::equal(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(common),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at))) {
      return expect(false, "other bytes than were appended at " +
                               text(model_.batches()[i].header.base_offset) + ", read from " + text(from));
    }
    at += common;
  }
  expect(at == bytes.size(), "more bytes than were appended, read from " + text(from));
  if (first == model_.batches().size()) return;
  const std::size_t first_size = model_.batches()[first].bytes.size();
  expect(bytes.size() >= first_size, "no whole batch, read from " + text(from));
  expect(slice->size <= std::max(limit, static_cast<ByteCount>(first_size)),
         "more than the limit, read from " + text(from));
}

void ModelRun::search_timestamps() {
  const TimestampMs timestamp = clock_.wall_ms() + below(12'000) - 10'000;
  const Offset upper = below(3) == 0 && model_.log_end() > model_.log_start()
                           ? model_.log_start() + below(model_.log_end() - model_.log_start() + 1)
                           : model_.log_end();
  const auto compare = [&](const auto& got, const std::optional<LogModel::Found>& wanted,
                           const std::string& what) {
    if (!ok(got, "timestamp search")) return;
    const auto show = [](const auto& found) {
      return found ? text(found->offset) + " at " + std::to_string(found->timestamp) : std::string("nothing");
    };
    const bool same =
        got->has_value() == wanted.has_value() &&
        (!wanted || ((*got)->offset == wanted->offset && (*got)->timestamp == wanted->timestamp));
    expect(same, what + " below " + text(upper) + " found " + show(*got) + " instead of " + show(wanted));
  };
  compare(log_->find_timestamp(timestamp, upper), model_.find_timestamp(timestamp, upper),
          "search for time " + std::to_string(timestamp));
  compare(log_->find_max_timestamp(upper), model_.find_max_timestamp(upper), "search for the greatest time");
}

}  // namespace sillok::tests
