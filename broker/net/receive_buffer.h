// The bytes of a frame that has not arrived whole.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "protocol/base/bytes.h"

namespace sillok::broker {

// A frame up to this size waits in an ordinary buffer; a larger one reserves its size from the budget.
inline constexpr std::size_t kSmallFrameBytes = 64 << 10;

// What a pool keeps of frames that are done, and for how many.
inline constexpr std::size_t kPooledBytesMax = 16 << 20;
inline constexpr std::size_t kPooledFramesMax = 16;

// Memory of large frames that are done, for those that come: fresh pages cost more than what is done with
// them. One a reactor; the reactor's thread alone.
class FramePool {
 public:
  struct Buffer {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t capacity = 0;
  };

  // At least `size` bytes, not initialised: pages are taken only as bytes arrive in them.
  Buffer take(std::size_t size) {
    const auto fits = [size](const Buffer& kept) {
      return kept.capacity >= size && kept.capacity / 4 <= size;
    };
    const auto found = std::find_if(kept_.rbegin(), kept_.rend(), fits);
    if (found == kept_.rend()) {
      const std::size_t capacity = (size + kGranularity - 1) / kGranularity * kGranularity;
      return {std::make_unique_for_overwrite<std::byte[]>(capacity), capacity};
    }
    Buffer buffer = std::move(*found);
    kept_.erase(std::next(found).base());
    kept_bytes_ -= buffer.capacity;
    was_used_ = true;
    return buffer;
  }
  void give_back(Buffer buffer) {
    if (kept_.size() >= kPooledFramesMax || kept_bytes_ + buffer.capacity > kPooledBytesMax) return;
    kept_bytes_ += buffer.capacity;
    kept_.push_back(std::move(buffer));
  }
  // Now and then: what nobody wanted since the last time goes.
  void trim() {
    if (!std::exchange(was_used_, false)) clear();
  }
  void clear() {
    kept_.clear();
    kept_bytes_ = 0;
  }

 private:
  static constexpr std::size_t kGranularity = 64 << 10;

  std::vector<Buffer> kept_;
  std::size_t kept_bytes_ = 0;
  bool was_used_ = false;
};

// The memory for one large frame.
class LargeFrame {
 public:
  LargeFrame(std::shared_ptr<FramePool> pool, std::size_t size)
      : pool_(std::move(pool)), buffer_(pool_->take(size)), size_(size) {}
  ~LargeFrame() {
    if (pool_) pool_->give_back(std::move(buffer_));
  }
  // What is moved from has nothing any more.
  LargeFrame(LargeFrame&&) noexcept = default;
  LargeFrame& operator=(LargeFrame&&) = delete;

  bool complete() const { return filled_ == size_; }
  std::size_t size() const { return size_; }
  MutableByteView rest() { return {buffer_.bytes.get() + filled_, size_ - filled_}; }
  void filled(std::size_t count) { filled_ += count; }
  MutableByteView frame() { return {buffer_.bytes.get(), size_}; }

 private:
  std::shared_ptr<FramePool> pool_;
  FramePool::Buffer buffer_;
  std::size_t size_;
  std::size_t filled_ = 0;
};

}  // namespace sillok::broker
