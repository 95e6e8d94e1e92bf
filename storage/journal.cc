#include "storage/journal.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "protocol/base/check.h"
#include "storage/journal_pins.h"
#include "storage/thread_priority.h"

namespace sillok::storage {
namespace {

// After a file could not be made.
constexpr std::chrono::seconds kFillRetryDelay{30};
// One is written while another becomes free.
constexpr std::size_t kFilesMin = 2;

}  // namespace

class Journal::Impl {
 public:
  explicit Impl(const JournalOptions& options) : options_(options), frame_(options.frame_size_max) {}
  ~Impl() { stop(); }

  Result<void> open(std::vector<std::string>& warnings) {
    files_ = TRY(JournalFiles::open(options_.files, replay_, warnings));
    for (const JournalReplay::Known& known : replay_.all()) pins_.add(known.key, known.first_sequence, {});
    return {};
  }

  const JournalReplay& replay() const { return replay_; }
  void restored(const JournalKey& key) { replay_.drop(key); }
  void keep_only(const std::vector<JournalKey>& keys) { pins_.keep_only(keys); }

  void start(Flusher& flusher, const Clock& clock) {
    CHECK(flusher_ == nullptr);
    flusher_ = &flusher;
    clock_ = &clock;
    usable_.store(options_.files.count_max >= kFilesMin && files_->count() >= kFilesMin,
                  std::memory_order_release);
    writer_ = std::thread([this] { run(); });
    filler_ = std::thread([this] { fill(); });
  }

  void request(std::span<const std::shared_ptr<JournalTarget>> targets) {
    CHECK(flusher_ != nullptr);
    if (!usable_.load(std::memory_order_acquire)) {
      for (const auto& target : targets) flush_instead(target);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    for (const auto& target : targets) {
      CHECK(target != nullptr);
      if (!target->waits_.exchange(true, std::memory_order_acq_rel)) waiting_.push_back(target);
    }
    if (is_idle_ && !waiting_.empty()) writer_wake_.notify_one();
  }

  void sync_begins(const JournalKey& key) { pins_.sync_begins(key); }
  void sync_succeeded(const JournalKey& key) { pins_.sync_succeeded(key); }
  void release(const JournalKey& key) { pins_.release(key); }

  Result<void> forget(const JournalKey& key) {
    const std::lock_guard one_writer(write_mutex_);
    replay_.drop(key);
    if (files_->count() == 0) return {};
    JournalFrame frame;
    JournalEntry entry;
    entry.kind = JournalEntryKind::forget;
    entry.key = key;
    frame.add(entry);
    TRY(files_->write(frame, pins_.oldest().value_or(files_->next_sequence())));
    pins_.release(key);
    return {};
  }

  bool commit_now(std::shared_ptr<JournalTarget> target) {
    std::vector<std::shared_ptr<JournalTarget>> round{std::move(target)};
    FlushTargets to_flush;
    commit(round, to_flush);
    return to_flush.empty();
  }
  Result<bool> add_file_now() { return files_->add_file(); }

  void stop() {
    std::vector<std::shared_ptr<JournalTarget>> dropped;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      dropped.swap(waiting_);
      writer_wake_.notify_all();
      filler_wake_.notify_all();
    }
    dropped.clear();
    if (writer_.joinable()) writer_.join();
    if (filler_.joinable()) filler_.join();
    usable_.store(false, std::memory_order_release);
  }

  Result<void> close() {
    const std::lock_guard one_writer(write_mutex_);
    return files_->remove_all();
  }

  std::int64_t round_count() const { return round_count_.load(std::memory_order_relaxed); }
  bool is_in_use() const { return usable_.load(std::memory_order_acquire); }

 private:
  using FlushTargets = std::vector<std::shared_ptr<FlushTarget>>;

  void flush_instead(std::shared_ptr<JournalTarget> target) {
    if (options_.files.count_max >= kFilesMin && !failed_.load(std::memory_order_relaxed) &&
        requests_.fetch_add(1, std::memory_order_relaxed) == options_.requests_before) {
      want_file();
    }
    flusher_->request(std::move(target));
  }

  void want_file() {
    const std::lock_guard lock(mutex_);
    wants_file_ = true;
    filler_wake_.notify_one();
  }

  void run() {
    pthread_setname_np(pthread_self(), "journal");
    set_thread_priority(ThreadPriority::prompt);  // others wait for it
    std::vector<std::shared_ptr<JournalTarget>> round;
    FlushTargets to_flush;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (waiting_.empty()) {
        is_idle_ = true;
        writer_wake_.wait(lock);
        is_idle_ = false;
        continue;
      }
      round.clear();
      round.swap(waiting_);
      lock.unlock();
      for (const auto& target : round) target->waits_.store(false, std::memory_order_release);
      commit(round, to_flush);
      for (std::shared_ptr<FlushTarget>& target : to_flush) flusher_->request(std::move(target));
      to_flush.clear();
      if (lacks_file()) want_file();
      lock.lock();
    }
  }

  bool lacks_file() {
    const std::lock_guard no_write(write_mutex_);
    return files_->wants_file();
  }

  // In as many frames as it takes.
  void commit(std::vector<std::shared_ptr<JournalTarget>>& targets, FlushTargets& to_flush) {
    const std::lock_guard one_round(write_mutex_);
    added_.clear();
    frame_.clear();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      switch (targets[i]->contribute(frame_)) {
        case JournalTarget::Contribution::added:
          added_.push_back(std::move(targets[i]));
          break;
        case JournalTarget::Contribution::nothing:
          break;
        case JournalTarget::Contribution::no_room:
          CHECK(!added_.empty());
          write_frame(to_flush);
          --i;  // it has the next frame for itself
          break;
        case JournalTarget::Contribution::unfit:
          to_flush.push_back(std::move(targets[i]));
          break;
      }
    }
    targets.clear();
    if (!added_.empty()) write_frame(to_flush);
  }

  void write_frame(FlushTargets& to_flush) {
    const Result<void> written = files_->write(frame_, pins_.oldest().value_or(files_->next_sequence()));
    round_count_.fetch_add(1, std::memory_order_relaxed);
    for (auto& target : added_) {
      if (written.ok()) {
        pins_.add(target->journal_key(), files_->next_sequence() - 1, target);
        target->committed();
      } else {
        target->not_committed();
        to_flush.push_back(std::move(target));
      }
    }
    added_.clear();
    frame_.clear();
    if (!written.ok() && written.error().code != Errc::no_space) return give_up(written.error(), to_flush);
    make_room(to_flush);
  }

  // Segments that hold the oldest frames back are synced, long before all files are full.
  void make_room(FlushTargets& to_flush) {
    if (2 * files_->used_count() < files_->count_max()) return;
    const std::uint64_t oldest = files_->oldest_file_end();
    if (oldest <= asked_up_to_) return;
    asked_up_to_ = oldest;
    pins_.holders(oldest, to_flush);
  }

  // What was committed is on disk, and stays there until the segments have it as well.
  void give_up(const Error& error, FlushTargets& to_flush) {
    failed_.store(true, std::memory_order_relaxed);
    usable_.store(false, std::memory_order_release);
    spdlog::error("the commit journal is not used any more, and acks=all syncs each partition by itself: {}",
                  error.describe());
    pins_.holders(UINT64_MAX, to_flush);
  }

  void fill() {
    pthread_setname_np(pthread_self(), "journal-fill");
    std::unique_lock lock(mutex_);
    std::optional<SteadyTime> not_before;
    while (!stopping_) {
      if (!wants_file_) {
        filler_wake_.wait(lock);
        continue;
      }
      wants_file_ = false;
      if (not_before && clock_->steady() < *not_before) {
        requests_.store(0, std::memory_order_relaxed);
        continue;
      }
      lock.unlock();
      bool wants_more = false;
      const Result<bool> added = files_->add_file();
      if (added.ok() && !failed_.load(std::memory_order_relaxed)) {
        const std::size_t count = files_->count();
        usable_.store(count >= kFilesMin, std::memory_order_release);
        if (count < kFilesMin && *added) wants_more = true;
      }
      if (!added.ok()) {
        spdlog::warn("no file more for the commit journal: {}", added.error().describe());
        not_before = clock_->steady() + kFillRetryDelay;
        requests_.store(0, std::memory_order_relaxed);
      }
      lock.lock();
      wants_file_ = wants_file_ || wants_more;
    }
  }

  const JournalOptions options_;
  JournalReplay replay_;
  JournalPins pins_;
  std::unique_ptr<JournalFiles> files_;
  Flusher* flusher_ = nullptr;
  const Clock* clock_ = nullptr;
  std::atomic<bool> usable_{false};
  std::atomic<bool> failed_{false};
  std::atomic<std::int64_t> requests_{0};  // since the last file that was asked for
  std::atomic<std::int64_t> round_count_{0};

  std::mutex write_mutex_;  // while a round is written; taken before the locks of targets and pins; guards:
  JournalFrame frame_;
  std::vector<std::shared_ptr<JournalTarget>> added_;
  std::uint64_t asked_up_to_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable writer_wake_;
  std::condition_variable filler_wake_;
  bool stopping_ = false;
  bool is_idle_ = false;
  bool wants_file_ = false;
  std::vector<std::shared_ptr<JournalTarget>> waiting_;

  std::thread writer_;
  std::thread filler_;
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options,
                                               std::vector<std::string>& warnings) {
  auto impl = std::make_unique<Impl>(options);
  TRY(impl->open(warnings));
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

const JournalReplay& Journal::replay() const { return impl_->replay(); }
void Journal::restored(const JournalKey& key) { impl_->restored(key); }
void Journal::keep_only(const std::vector<JournalKey>& keys) { impl_->keep_only(keys); }
void Journal::start(Flusher& flusher, const Clock& clock) { impl_->start(flusher, clock); }
void Journal::request(std::span<const std::shared_ptr<JournalTarget>> targets) { impl_->request(targets); }
void Journal::sync_begins(const JournalKey& key) { impl_->sync_begins(key); }
void Journal::sync_succeeded(const JournalKey& key) { impl_->sync_succeeded(key); }
void Journal::release(const JournalKey& key) { impl_->release(key); }
Result<void> Journal::forget(const JournalKey& key) { return impl_->forget(key); }
void Journal::stop() { impl_->stop(); }
Result<void> Journal::close() { return impl_->close(); }
bool Journal::commit_now(std::shared_ptr<JournalTarget> target) {
  return impl_->commit_now(std::move(target));
}
Result<bool> Journal::add_file_now() { return impl_->add_file_now(); }
std::int64_t Journal::round_count() const { return impl_->round_count(); }
bool Journal::is_in_use() const { return impl_->is_in_use(); }

}  // namespace sillok::storage
