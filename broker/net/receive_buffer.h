// The bytes of a frame that has not arrived whole.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "protocol/base/bytes.h"

namespace sillok::broker {

// A frame up to this size waits in an ordinary buffer; a larger one reserves its size from the budget.
inline constexpr std::size_t kSmallFrameBytes = 64 << 10;

// Memory for one large frame. Not initialised: pages are taken only as bytes arrive in them.
class LargeFrame {
 public:
  explicit LargeFrame(std::size_t size)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

  bool complete() const { return filled_ == size_; }
  std::size_t size() const { return size_; }
  MutableByteView rest() { return {bytes_.get() + filled_, size_ - filled_}; }
  void filled(std::size_t count) { filled_ += count; }
  MutableByteView frame() { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
  std::size_t filled_ = 0;
};

}  // namespace sillok::broker
