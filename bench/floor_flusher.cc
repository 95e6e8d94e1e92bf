#include "bench/floor_flusher.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace sillok::bench {
namespace {

constexpr std::size_t kJournalBlock = 4096;
constexpr std::size_t kZeroFillStep = 1 << 20;

int make_journal(const std::string& path, ByteCount size) {
  const int journal = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  must(journal >= 0, path.c_str());
  const Bytes zeros(kZeroFillStep);
  for (ByteCount at = 0; at < size; at += static_cast<ByteCount>(zeros.size())) {
    must(::pwrite(journal, zeros.data(), zeros.size(), at) == static_cast<ssize_t>(zeros.size()), "journal");
  }
  must(::fsync(journal) == 0, "fsync");
  return journal;
}

}  // namespace

FloorFlusher::FloorFlusher(FlushMode mode, const std::string& directory, ByteCount journal_bytes)
    : mode_(mode), journal_bytes_(journal_bytes) {
  if (mode == FlushMode::journal) journal_ = make_journal(directory + "/journal", journal_bytes);
  wake_descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  must(wake_descriptor_ >= 0, "eventfd");
  thread_ = std::thread([this] { run(); });
}

FloorFlusher::~FloorFlusher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  handed_over_.notify_one();
  thread_.join();
  ::close(wake_descriptor_);
  if (journal_ >= 0) ::close(journal_);
}

std::uint64_t FloorFlusher::add(FloorPartition& partition, ByteView batch) {
  has_added_ = true;
  if (mode_ == FlushMode::journal) {
    const std::lock_guard lock(mutex_);
    batches_.insert(batches_.end(), batch.begin(), batch.end());
  } else if (partition.handed_over != collecting_) {
    partition.handed_over = collecting_;
    added_.push_back(partition.descriptor());
  }
  return collecting_;
}

void FloorFlusher::hand_over() {
  if (!has_added_) return;
  has_added_ = false;
  {
    const std::lock_guard lock(mutex_);
    last_handed_over_ = collecting_++;
    dirty_.insert(dirty_.end(), added_.begin(), added_.end());
  }
  added_.clear();
  handed_over_.notify_one();
}

void FloorFlusher::run() {
  for (;;) {
    std::uint64_t taken = 0;
    {
      std::unique_lock lock(mutex_);
      handed_over_.wait(lock, [this] { return stopping_ || last_handed_over_ > done_; });
      if (stopping_) return;
      // The batches may be a part of the next hand-over, too: they will be on disk before their turn.
      taken = last_handed_over_;
      round_dirty_.swap(dirty_);
      round_batches_.swap(batches_);
    }
    flush_round();
    done_.store(taken, std::memory_order_release);
    const std::uint64_t one = 1;
    must(::write(wake_descriptor_, &one, sizeof one) == sizeof one, "eventfd");
  }
}

void FloorFlusher::flush_round() {
  if (mode_ == FlushMode::journal) {
    if (!round_batches_.empty()) write_journal();
    round_batches_.clear();
    return;
  }
  std::sort(round_dirty_.begin(), round_dirty_.end());
  round_dirty_.erase(std::unique(round_dirty_.begin(), round_dirty_.end()), round_dirty_.end());
  for (const int descriptor : round_dirty_) must(::fdatasync(descriptor) == 0, "fdatasync");
  round_dirty_.clear();
}

void FloorFlusher::write_journal() {
  round_batches_.resize((round_batches_.size() + kJournalBlock - 1) / kJournalBlock * kJournalBlock);
  const auto size = static_cast<ByteCount>(round_batches_.size());
  must(size <= journal_bytes_, "a round larger than the journal");
  if (journal_position_ + size > journal_bytes_) journal_position_ = 0;
  must(::pwrite(journal_, round_batches_.data(), round_batches_.size(), journal_position_) == size,
       "journal");
  must(::fdatasync(journal_) == 0, "fdatasync");
  journal_position_ += size;
}

}  // namespace sillok::bench
