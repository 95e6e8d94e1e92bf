#include "tests/support/mem_file_system.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "storage/blocking_guard.h"
#include "tests/support/mem_node.h"

namespace sillok::tests {

using storage::about_to_block;
using storage::DirectoryEntry;
using storage::File;
using storage::FileLock;
using storage::OpenMode;

namespace {

constexpr ByteCount kTotalSpace = ByteCount{1} << 40;

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    if (!name.empty() && name != ".") names.push_back(name);
    begin = end + 1;
  }
  return names;
}

Error failed(Errc code, const char* call, const std::string& path) {
  return {code, std::string(call) + " " + path + ": " + to_string(code)};
}

}  // namespace

class MemFileSystem::State {
 public:
  explicit State(std::shared_ptr<MemNode> initial_root) : root(std::move(initial_root)) {}

  std::shared_ptr<MemNode> find(const std::string& path) const {
    std::shared_ptr<MemNode> node = root;
    for (const std::string& name : split_path(path)) {
      if (node == nullptr || !node->is_directory) return nullptr;
      node = node->entry(name);
    }
    return node;
  }

  struct Place {
    std::shared_ptr<MemNode> directory;  // null where there is none
    std::string name;
  };
  Place place_of(const std::string& path) const {
    auto names = split_path(path);
    if (names.empty()) return {};
    std::string name = std::move(names.back());
    auto directory = find(storage::parent_path(path));
    if (directory != nullptr && !directory->is_directory) directory = nullptr;
    return {std::move(directory), std::move(name)};
  }

  std::mutex mutex;  // for everything
  std::shared_ptr<MemNode> root;
  std::uint64_t generation = 0;  // counts crashes
  std::map<const MemNode*, std::weak_ptr<int>> locks;
  CallCounts calls;
  ByteCount free_space = kTotalSpace;
};

namespace {

// Its state is a shared one: files outlive their file system.
template <class State>
class MemFile final : public File {
 public:
  MemFile(std::shared_ptr<State> state, std::shared_ptr<MemNode> node, std::string path, bool writable)
      : state_(std::move(state)),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable),
        generation_(state_->generation) {}

  Result<std::size_t> read_at(FilePosition position, MutableByteView out) const override {
    about_to_block("read_at");
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive("read"));
    ++state_->calls.reads;
    node_->bring_in(position.value, static_cast<std::int64_t>(out.size()));
    return node_->read(position.value, out);
  }
  Result<std::size_t> read_resident_at(FilePosition position, MutableByteView out) const override {
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive("read"));
    ++state_->calls.reads;
    if (!node_->is_resident(position.value, static_cast<std::int64_t>(out.size()))) {
      return failed(Errc::would_block, "read", path_);
    }
    return node_->read(position.value, out);
  }
  bool is_resident(FilePosition position, ByteCount size, storage::RangeEnd /*end*/) const override {
    const std::lock_guard lock(state_->mutex);
    return node_->is_resident(position.value, size);
  }
  Result<void> make_resident(FilePosition position, ByteCount size) const override {
    about_to_block("make_resident");
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive("read"));
    node_->bring_in(position.value, size);
    return {};
  }
  void give_back(FilePosition position, ByteCount size) const override {
    about_to_block("give_back");
    const std::lock_guard lock(state_->mutex);
    node_->evict(position.value, size);
  }
  Result<void> write_at(FilePosition position, std::span<const ByteView> parts) override {
    const std::lock_guard lock(state_->mutex);
    TRY(check_writable("write"));
    ++state_->calls.writes;
    for (const ByteView part : parts) {
      node_->write(position.value, part);
      position += static_cast<std::int64_t>(part.size());
    }
    return {};
  }
  Result<void> truncate(FilePosition size) override {
    about_to_block("truncate");
    const std::lock_guard lock(state_->mutex);
    TRY(check_writable("truncate"));
    if (size.value < 0) return failed(Errc::io_error, "truncate", path_);
    node_->truncate(size.value);
    return {};
  }
  Result<void> reserve(FilePosition, ByteCount) override {
    const std::lock_guard lock(state_->mutex);
    return check_writable("reserve");
  }
  void start_writing_out() override { about_to_block("start_writing_out"); }
  Result<void> sync_data() override {
    about_to_block("sync_data");
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive("sync"));
    ++state_->calls.syncs;
    node_->sync_content();
    return {};
  }
  Result<FilePosition> size() const override {
    const std::lock_guard lock(state_->mutex);
    TRY(check_alive("size"));
    return FilePosition(static_cast<std::int64_t>(node_->content.size()));
  }
  std::optional<int> descriptor() const override { return std::nullopt; }

 private:
  Result<void> check_alive(const char* call) const {
    if (generation_ != state_->generation)
      return failed(Errc::io_error, call, path_ + " (open since before the crash)");
    return {};
  }
  Result<void> check_writable(const char* call) const {
    TRY(check_alive(call));
    if (!writable_) return failed(Errc::io_error, call, path_ + " (open for reading)");
    return {};
  }

  const std::shared_ptr<State> state_;
  const std::shared_ptr<MemNode> node_;
  const std::string path_;
  const bool writable_;
  const std::uint64_t generation_;
};

class MemLock final : public FileLock {
 public:
  explicit MemLock(std::shared_ptr<int> token) : token_(std::move(token)) {}

 private:
  std::shared_ptr<int> token_;
};

}  // namespace

MemFileSystem::MemFileSystem() : state_(std::make_shared<State>(MemNode::make_directory())) {}
MemFileSystem::~MemFileSystem() = default;

void MemFileSystem::crash(std::uint64_t seed, CrashMode mode) {
  const std::lock_guard lock(state_->mutex);
  state_->root = MemCrash(seed, mode).survivor_of(*state_->root);
  state_->locks.clear();
  ++state_->generation;
}

std::unique_ptr<MemFileSystem> MemFileSystem::after_crash(std::uint64_t seed, CrashMode mode) const {
  auto next = std::make_unique<MemFileSystem>();
  const std::lock_guard lock(state_->mutex);
  next->state_->root = MemCrash(seed, mode).survivor_of(*state_->root);
  next->state_->free_space = state_->free_space;
  return next;
}

CallCounts MemFileSystem::calls() const {
  const std::lock_guard lock(state_->mutex);
  return state_->calls;
}

void MemFileSystem::evict_pages() {
  const std::lock_guard lock(state_->mutex);
  state_->root->evict_tree();
}

void MemFileSystem::set_free_space(ByteCount bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->free_space = bytes;
}

void MemFileSystem::set_modified(const std::string& path, TimestampMs when) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  CHECK(node != nullptr);
  node->modified = when;
}

Result<void> MemFileSystem::corrupt(const std::string& path, FilePosition position, ByteView bytes) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (node == nullptr || node->is_directory) return failed(Errc::not_found, "corrupt", path);
  if (!node->corrupt(position.value, bytes)) return failed(Errc::invalid_argument, "corrupt", path);
  return {};
}

Result<std::shared_ptr<File>> MemFileSystem::open(const std::string& path, OpenMode mode) {
  if (mode != OpenMode::create) about_to_block("open");
  const std::lock_guard lock(state_->mutex);
  ++state_->calls.opens;
  const auto [directory, name] = state_->place_of(path);
  if (directory == nullptr) return failed(Errc::not_found, "open", path);
  auto node = directory->entry(name);
  if (node != nullptr && node->is_directory) return failed(Errc::io_error, "open", path + " (a directory)");
  if (node != nullptr && mode == OpenMode::create) return failed(Errc::already_exists, "open", path);
  if (node == nullptr) {
    if (mode == OpenMode::read || mode == OpenMode::read_write) return failed(Errc::not_found, "open", path);
    node = MemNode::make_file();
    directory->change({name, std::nullopt, node});
  }
  std::shared_ptr<File> file =
      std::make_shared<MemFile<State>>(state_, std::move(node), path, mode != OpenMode::read);
  return file;
}

Result<void> MemFileSystem::make_directory(const std::string& path) {
  about_to_block("make_directory");
  const std::lock_guard lock(state_->mutex);
  if (state_->find(path) != nullptr) return failed(Errc::already_exists, "mkdir", path);
  const auto [directory, name] = state_->place_of(path);
  if (directory == nullptr) return failed(Errc::not_found, "mkdir", path);
  directory->change({name, std::nullopt, MemNode::make_directory()});
  return {};
}

Result<void> MemFileSystem::make_directories(const std::string& path) {
  about_to_block("make_directories");
  const std::lock_guard lock(state_->mutex);
  std::shared_ptr<MemNode> node = state_->root;
  for (const std::string& name : split_path(path)) {
    auto next = node->entry(name);
    if (next == nullptr) {
      next = MemNode::make_directory();
      node->change({name, std::nullopt, next});
    }
    if (!next->is_directory) return failed(Errc::io_error, "mkdir", path + " (" + name + " is a file)");
    node = std::move(next);
  }
  return {};
}

Result<std::vector<DirectoryEntry>> MemFileSystem::list_directory(const std::string& path) {
  about_to_block("list_directory");
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (node == nullptr) return failed(Errc::not_found, "list", path);
  if (!node->is_directory) return failed(Errc::io_error, "list", path);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->entries) entries.push_back({name, child->is_directory});
  return entries;
}

Result<void> MemFileSystem::rename(const std::string& from, const std::string& to) {
  about_to_block("rename");
  const std::lock_guard lock(state_->mutex);
  ++state_->calls.renames;
  const auto old_place = state_->place_of(from);
  const auto new_place = state_->place_of(to);
  if (old_place.directory == nullptr || new_place.directory == nullptr)
    return failed(Errc::not_found, "rename", from);
  if (old_place.directory != new_place.directory)
    return failed(Errc::invalid_argument, "rename", from + " -> " + to);
  const auto node = old_place.directory->entry(old_place.name);
  if (node == nullptr) return failed(Errc::not_found, "rename", from);
  const auto replaced = new_place.directory->entry(new_place.name);
  if (replaced == node) return {};
  if (replaced != nullptr && (replaced->is_directory != node->is_directory || !replaced->entries.empty())) {
    return failed(Errc::io_error, "rename", from + " -> " + to);
  }
  old_place.directory->change({new_place.name, old_place.name, node});
  return {};
}

Result<void> MemFileSystem::remove(const std::string& path) {
  about_to_block("remove");
  const std::lock_guard lock(state_->mutex);
  ++state_->calls.removes;
  const auto [directory, name] = state_->place_of(path);
  const auto node = directory == nullptr ? nullptr : directory->entry(name);
  if (node == nullptr) return failed(Errc::not_found, "remove", path);
  if (node->is_directory) return failed(Errc::io_error, "remove", path + " (a directory)");
  directory->change({name, std::nullopt, nullptr});
  return {};
}

Result<void> MemFileSystem::remove_directory_tree(const std::string& path) {
  about_to_block("remove_directory_tree");
  const std::lock_guard lock(state_->mutex);
  const auto [directory, name] = state_->place_of(path);
  const auto node = directory == nullptr ? nullptr : directory->entry(name);
  if (node == nullptr) return {};
  node->remove_entries();
  directory->change({name, std::nullopt, nullptr});
  return {};
}

Result<void> MemFileSystem::sync_directory(const std::string& path) {
  about_to_block("sync_directory");
  const std::lock_guard lock(state_->mutex);
  ++state_->calls.directory_syncs;
  const auto node = state_->find(path);
  if (node == nullptr || !node->is_directory) return failed(Errc::not_found, "sync directory", path);
  node->sync_names();
  return {};
}

Result<bool> MemFileSystem::exists(const std::string& path) {
  about_to_block("exists");
  const std::lock_guard lock(state_->mutex);
  return state_->find(path) != nullptr;
}

Result<storage::FileStatus> MemFileSystem::status(const std::string& path) {
  about_to_block("status");
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (node == nullptr) return failed(Errc::not_found, "stat", path);
  if (node->is_directory) return failed(Errc::io_error, "stat", path + " (a directory)");
  return storage::FileStatus{FilePosition(static_cast<std::int64_t>(node->content.size())), node->modified};
}

Result<storage::SpaceUse> MemFileSystem::space(const std::string&) {
  about_to_block("space");
  const std::lock_guard lock(state_->mutex);
  return storage::SpaceUse{state_->free_space, kTotalSpace};
}

Result<std::unique_ptr<FileLock>> MemFileSystem::lock(const std::string& path) {
  TRY(open(path, OpenMode::open_or_create));
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (node == nullptr) return failed(Errc::not_found, "lock", path);
  auto& holder = state_->locks[node.get()];
  if (!holder.expired()) return failed(Errc::lock_held, "lock", path);
  auto token = std::make_shared<int>(0);
  holder = token;
  std::unique_ptr<FileLock> held = std::make_unique<MemLock>(std::move(token));
  return held;
}

}  // namespace sillok::tests
