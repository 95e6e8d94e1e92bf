#include "tests/support/mem_node.h"

#include <algorithm>

namespace sillok::tests {
namespace {

std::int64_t size_of(const Bytes& bytes) { return static_cast<std::int64_t>(bytes.size()); }

void resize(Bytes& bytes, std::int64_t size) { bytes.resize(static_cast<std::size_t>(size)); }

// Copies [begin, end) of `from` to the same place in `to`, as far as both have it; zeros where only `to`
// does.
void copy_range(const Bytes& from, Bytes& to, std::int64_t begin, std::int64_t end) {
  end = std::min(end, size_of(to));
  const std::int64_t middle = std::clamp(size_of(from), begin, std::max(begin, end));
  if (begin >= end) return;
  std::copy(from.begin() + begin, from.begin() + middle, to.begin() + begin);
  std::fill(to.begin() + middle, to.begin() + end, std::byte{0});
}

}  // namespace

std::shared_ptr<MemNode> MemNode::make_directory() {
  auto node = std::make_shared<MemNode>();
  node->is_directory = true;
  return node;
}

std::size_t MemNode::read(std::int64_t position, MutableByteView out) const {
  if (position >= size_of(content)) return 0;
  const std::int64_t count = std::min(size_of(content) - position, static_cast<std::int64_t>(out.size()));
  std::copy_n(content.begin() + position, count, out.begin());
  return static_cast<std::size_t>(count);
}

void MemNode::write(std::int64_t position, ByteView bytes) {
  if (bytes.empty()) return;
  const std::int64_t end = position + static_cast<std::int64_t>(bytes.size());
  if (end > size_of(content)) resize(content, end);
  std::copy(bytes.begin(), bytes.end(), content.begin() + position);
  for (std::int64_t page = position / kMemPageSize; page * kMemPageSize < end; ++page) {
    dirty_pages.insert(page);
    cold_pages.erase(page);
  }
}

void MemNode::truncate(std::int64_t size) {
  // What was cut is zeros if the file grows again, and the disk may still have other bytes there.
  const std::int64_t first = std::min(size, size_of(content)) / kMemPageSize;
  const std::int64_t end = std::max({size, size_of(content), size_of(on_disk)});
  for (std::int64_t page = first; page * kMemPageSize < end; ++page) dirty_pages.insert(page);
  resize(content, size);
}

void MemNode::sync_content() {
  resize(on_disk, size_of(content));
  for (const std::int64_t page : dirty_pages) {
    copy_range(content, on_disk, page * kMemPageSize, (page + 1) * kMemPageSize);
  }
  dirty_pages.clear();
}

bool MemNode::corrupt(std::int64_t position, ByteView bytes) {
  const std::int64_t end = position + static_cast<std::int64_t>(bytes.size());
  if (position < 0 || end > size_of(content)) return false;
  std::copy(bytes.begin(), bytes.end(), content.begin() + position);
  for (std::int64_t i = position; i < std::min(end, size_of(on_disk)); ++i) {
    on_disk[static_cast<std::size_t>(i)] = bytes[static_cast<std::size_t>(i - position)];
  }
  return true;
}

void MemNode::bring_in(std::int64_t position, std::int64_t size) {
  if (size <= 0) return;
  cold_pages.erase(cold_pages.lower_bound(position / kMemPageSize),
                   cold_pages.upper_bound((position + size - 1) / kMemPageSize));
}

void MemNode::evict(std::int64_t position, std::int64_t size) {
  std::int64_t page = (position + kMemPageSize - 1) / kMemPageSize;
  for (; (page + 1) * kMemPageSize <= position + size; ++page) {
    if (dirty_pages.count(page) == 0) cold_pages.insert(page);
  }
}

bool MemNode::is_resident(std::int64_t position, std::int64_t size) const {
  if (size <= 0) return true;
  const auto cold = cold_pages.lower_bound(position / kMemPageSize);
  return cold == cold_pages.end() || *cold > (position + size - 1) / kMemPageSize;
}

std::shared_ptr<MemNode> MemNode::entry(const std::string& name) const {
  const auto found = entries.find(name);
  return found == entries.end() ? nullptr : found->second;
}

void MemNode::change(NameChange change) {
  apply_change(change, entries);
  pending.push_back(std::move(change));
}

void MemNode::sync_names() {
  durable_entries = entries;
  pending.clear();
}

void MemNode::remove_entries() {
  const Names children = entries;
  for (const auto& [name, child] : children) {
    child->remove_entries();
    change({name, std::nullopt, nullptr});
  }
}

void MemNode::evict_tree() {
  for (std::int64_t page = 0; page * kMemPageSize < size_of(content); ++page) cold_pages.insert(page);
  for (const auto& [name, child] : entries) child->evict_tree();
}

void apply_change(const NameChange& change, MemNode::Names& names) {
  if (change.node == nullptr) {
    names.erase(change.name);
    return;
  }
  // Not only the old name: the node may have come by another if changes before this one were lost.
  std::erase_if(names, [&](const auto& entry) { return entry.second == change.node; });
  names[change.name] = change.node;
}

std::shared_ptr<MemNode> MemCrash::survivor_of(const MemNode& directory) {
  auto survivor = MemNode::make_directory();
  for (const auto& [name, node] : surviving_names(directory)) {
    auto& known = survivors_[node.get()];
    if (known == nullptr) {
      if (node->is_directory) {
        auto child = survivor_of(*node);
        survivors_[node.get()] = child;
        survivor->entries[name] = std::move(child);
        continue;
      }
      known = MemNode::make_file();
      known->content = surviving_content(*node);
      known->on_disk = known->content;
      known->cold_pages = node->cold_pages;
    }
    survivor->entries[name] = known;
  }
  survivor->durable_entries = survivor->entries;
  return survivor;
}

MemNode::Names MemCrash::surviving_names(const MemNode& directory) {
  if (mode_ == CrashMode::keep_all) return directory.entries;
  MemNode::Names names = directory.durable_entries;
  if (mode_ == CrashMode::lose_all || directory.pending.empty()) return names;
  const auto kept = static_cast<std::size_t>(below(static_cast<std::int64_t>(directory.pending.size()) + 1));
  for (std::size_t i = 0; i < directory.pending.size(); ++i) {
    if (mode_ == CrashMode::random ? i < kept : coin()) apply_change(directory.pending[i], names);
  }
  return names;
}

std::int64_t MemCrash::surviving_size(const MemNode& file) {
  const std::int64_t now = size_of(file.content);
  const std::int64_t before = size_of(file.on_disk);
  switch (below(3)) {
    case 0:
      return before;
    case 1:
      return now;
    default: {
      // File systems note a growing size as its pages reach the disk.
      const std::int64_t first = std::min(now, before) / kMemPageSize;
      const std::int64_t last = std::max(now, before) / kMemPageSize;
      const std::int64_t page = first + below(last - first + 1);
      return std::clamp(page * kMemPageSize, std::min(now, before), std::max(now, before));
    }
  }
}

Bytes MemCrash::surviving_content(const MemNode& file) {
  if (mode_ == CrashMode::keep_all) return file.content;
  if (mode_ == CrashMode::lose_all) return file.on_disk;
  Bytes content = file.on_disk;
  resize(content, surviving_size(file));
  for (const std::int64_t page : file.dirty_pages) {
    const std::int64_t begin = page * kMemPageSize;
    std::int64_t kept = 0;
    switch (below(3)) {
      case 0:
        break;
      case 1:
        kept = kMemPageSize;
        break;
      default:
        kept = kMemSectorSize * below(kMemPageSize / kMemSectorSize);
        break;
    }
    copy_range(file.content, content, begin, begin + kept);
  }
  return content;
}

}  // namespace sillok::tests
