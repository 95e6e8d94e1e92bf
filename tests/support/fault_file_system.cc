#include "tests/support/fault_file_system.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "protocol/base/check.h"

namespace sillok::tests {

using storage::DirectoryEntry;
using storage::File;
using storage::FileLock;
using storage::OpenMode;

namespace {

constexpr std::chrono::seconds kStallWaitMax{30};

class OpenableStall final : public Stall {
 public:
  void wait_until_reached() override {
    std::unique_lock lock(mutex_);
    CHECK(changed_.wait_for(lock, kStallWaitMax, [&] { return waiting_ > 0; }));
  }
  void release() override {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  std::int64_t waiting_count() const override {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return released_; });
    --waiting_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t waiting_ = 0;
  bool released_ = false;
};

struct Failure {
  Error error;
  ByteCount written = 0;  // before it failed
};

struct Rule {
  FaultPoint where;
  std::int64_t seen = 0;
  Errc code = Errc::io_error;
  ByteCount written = 0;
  std::shared_ptr<OpenableStall> stall;
};

bool may_change(FileCall call) {
  switch (call) {
    case FileCall::open:
    case FileCall::write:
    case FileCall::truncate:
    case FileCall::sync:
    case FileCall::make_directory:
    case FileCall::rename:
    case FileCall::remove:
    case FileCall::sync_directory:
      return true;
    default:
      return false;
  }
}

}  // namespace

class FaultFileSystem::Rules {
 public:
  void add(Rule rule) {
    const std::lock_guard lock(mutex_);
    rules_.push_back(std::move(rule));
  }

  void clear() {
    std::vector<Rule> gone;
    {
      const std::lock_guard lock(mutex_);
      gone.swap(rules_);
      stop_at_.reset();
    }
    for (const Rule& rule : gone) {
      if (rule.stall) rule.stall->release();
    }
  }

  std::int64_t failure_count() const {
    const std::lock_guard lock(mutex_);
    return failure_count_;
  }

  void stop_at(std::int64_t nth, ByteCount written) {
    const std::lock_guard lock(mutex_);
    stop_at_ = change_count_ + nth;
    written_at_stop_ = written;
  }

  std::int64_t change_count() const {
    const std::lock_guard lock(mutex_);
    return change_count_;
  }

  // Waits where a rule says so, and says whether the call is to fail. The first rule that fails it decides.
  std::optional<Failure> meet(FileCall call, const std::string& path) {
    std::vector<std::shared_ptr<OpenableStall>> stalls;
    std::optional<Failure> failure;
    {
      const std::lock_guard lock(mutex_);
      if (may_change(call)) ++change_count_;
      if (stop_at_ && change_count_ >= *stop_at_) {
        ++failure_count_;
        return Failure{{Errc::io_error, path + ": the process is dead"}, std::exchange(written_at_stop_, 0)};
      }
      for (Rule& rule : rules_) {
        if (rule.where.call != call || path.find(rule.where.path_part) == std::string::npos) continue;
        const std::int64_t past = ++rule.seen - rule.where.nth;
        if (past < 0 || past >= rule.where.count) continue;
        if (rule.stall) {
          stalls.push_back(rule.stall);
        } else if (!failure) {
          failure = Failure{{rule.code, path + ": made to fail by the test"}, rule.written};
          ++failure_count_;
        }
      }
    }
    for (const auto& stall : stalls) stall->pass();
    return failure;
  }

  Result<void> pass(FileCall call, const std::string& path) {
    if (auto failure = meet(call, path)) return std::move(failure->error);
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  std::int64_t failure_count_ = 0;
  std::int64_t change_count_ = 0;
  std::optional<std::int64_t> stop_at_;
  ByteCount written_at_stop_ = 0;
};

namespace {

template <class Rules>
class FaultFile final : public File {
 public:
  FaultFile(std::shared_ptr<Rules> rules, std::shared_ptr<File> inner, std::string path)
      : rules_(std::move(rules)), inner_(std::move(inner)), path_(std::move(path)) {}

  Result<std::size_t> read_at(FilePosition position, MutableByteView out) const override {
    TRY(rules_->pass(FileCall::read, path_));
    return inner_->read_at(position, out);
  }
  Result<std::size_t> read_resident_at(FilePosition position, MutableByteView out) const override {
    TRY(rules_->pass(FileCall::read_resident, path_));
    return inner_->read_resident_at(position, out);
  }
  bool is_resident(FilePosition position, ByteCount size, storage::RangeEnd end) const override {
    return inner_->is_resident(position, size, end);
  }
  void give_back(FilePosition position, ByteCount size) const override { inner_->give_back(position, size); }
  Result<void> make_resident(FilePosition position, ByteCount size) const override {
    TRY(rules_->pass(FileCall::make_resident, path_));
    return inner_->make_resident(position, size);
  }
  Result<void> write_at(FilePosition position, std::span<const ByteView> parts) override {
    auto failure = rules_->meet(FileCall::write, path_);
    if (!failure) return inner_->write_at(position, parts);
    for (ByteView part : parts) {
      part = part.first(std::min(part.size(), static_cast<std::size_t>(failure->written)));
      if (part.empty()) break;
      TRY(inner_->write_at(position, {&part, 1}));
      position += static_cast<std::int64_t>(part.size());
      failure->written -= static_cast<ByteCount>(part.size());
    }
    return std::move(failure->error);
  }
  Result<void> truncate(FilePosition size) override {
    TRY(rules_->pass(FileCall::truncate, path_));
    return inner_->truncate(size);
  }
  Result<void> reserve(FilePosition position, ByteCount size) override {
    TRY(rules_->pass(FileCall::reserve, path_));
    return inner_->reserve(position, size);
  }
  void start_writing_out() override { inner_->start_writing_out(); }
  Result<void> sync_data() override {
    TRY(rules_->pass(FileCall::sync, path_));
    return inner_->sync_data();
  }
  Result<FilePosition> size() const override {
    TRY(rules_->pass(FileCall::size, path_));
    return inner_->size();
  }
  std::optional<int> descriptor() const override { return inner_->descriptor(); }

 private:
  const std::shared_ptr<Rules> rules_;
  const std::shared_ptr<File> inner_;
  const std::string path_;
};

}  // namespace

FaultFileSystem::FaultFileSystem(storage::FileSystem& inner)
    : inner_(inner), rules_(std::make_shared<Rules>()) {}
FaultFileSystem::~FaultFileSystem() { rules_->clear(); }

void FaultFileSystem::fail(FaultPoint where, Errc code) {
  Rule rule;
  rule.where = std::move(where);
  rule.code = code;
  rules_->add(std::move(rule));
}

void FaultFileSystem::write_short(FaultPoint where, ByteCount written, Errc code) {
  CHECK(where.call == FileCall::write && written >= 0);
  Rule rule;
  rule.where = std::move(where);
  rule.code = code;
  rule.written = written;
  rules_->add(std::move(rule));
}

std::shared_ptr<Stall> FaultFileSystem::stall(FaultPoint where) {
  Rule rule;
  rule.where = std::move(where);
  rule.stall = std::make_shared<OpenableStall>();
  auto stall = rule.stall;
  rules_->add(std::move(rule));
  return stall;
}

void FaultFileSystem::stop_at(std::int64_t nth, ByteCount written) { rules_->stop_at(nth, written); }
std::int64_t FaultFileSystem::change_count() const { return rules_->change_count(); }
void FaultFileSystem::clear() { rules_->clear(); }
std::int64_t FaultFileSystem::failure_count() const { return rules_->failure_count(); }

Result<std::shared_ptr<File>> FaultFileSystem::open(const std::string& path, OpenMode mode) {
  TRY(rules_->pass(FileCall::open, path));
  std::shared_ptr<File> file = std::make_shared<FaultFile<Rules>>(rules_, TRY(inner_.open(path, mode)), path);
  return file;
}
Result<void> FaultFileSystem::make_directory(const std::string& path) {
  TRY(rules_->pass(FileCall::make_directory, path));
  return inner_.make_directory(path);
}
Result<void> FaultFileSystem::make_directories(const std::string& path) {
  TRY(rules_->pass(FileCall::make_directory, path));
  return inner_.make_directories(path);
}
Result<std::vector<DirectoryEntry>> FaultFileSystem::list_directory(const std::string& path) {
  TRY(rules_->pass(FileCall::list_directory, path));
  return inner_.list_directory(path);
}
Result<void> FaultFileSystem::rename(const std::string& from, const std::string& to) {
  TRY(rules_->pass(FileCall::rename, from));
  return inner_.rename(from, to);
}
Result<void> FaultFileSystem::remove(const std::string& path) {
  TRY(rules_->pass(FileCall::remove, path));
  return inner_.remove(path);
}
Result<void> FaultFileSystem::remove_directory_tree(const std::string& path) {
  TRY(rules_->pass(FileCall::remove, path));
  return inner_.remove_directory_tree(path);
}
Result<void> FaultFileSystem::sync_directory(const std::string& path) {
  TRY(rules_->pass(FileCall::sync_directory, path));
  return inner_.sync_directory(path);
}
Result<bool> FaultFileSystem::exists(const std::string& path) {
  TRY(rules_->pass(FileCall::exists, path));
  return inner_.exists(path);
}
Result<storage::FileStatus> FaultFileSystem::status(const std::string& path) {
  TRY(rules_->pass(FileCall::size, path));
  return inner_.status(path);
}
Result<storage::SpaceUse> FaultFileSystem::space(const std::string& path) {
  TRY(rules_->pass(FileCall::space, path));
  return inner_.space(path);
}
Result<std::unique_ptr<FileLock>> FaultFileSystem::lock(const std::string& path) {
  TRY(rules_->pass(FileCall::lock, path));
  return inner_.lock(path);
}

}  // namespace sillok::tests
