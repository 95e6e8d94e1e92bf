// Memory for objects that come and go with every request, made on one thread and destroyed on any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>
#include <span>
#include <vector>

namespace sillok::broker {

// How many blocks of one size a thread keeps, and how many lie ready for all.
inline constexpr std::size_t kThreadBlocksMax = 64;
inline constexpr std::size_t kSharedBlocksMax = 1024;

// AddressSanitizer is to see where an object ends.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kBlocksArePooled = false;
#else
inline constexpr bool kBlocksArePooled = true;
#endif

// Blocks that threads with too many leave to threads with too few, half of what one keeps at a time.
class SharedBlocks {
 public:
  // Fills the front of `blocks` with as many as there are, and says how many.
  std::size_t take(std::span<void*> blocks) {
    if (count_.load(std::memory_order_relaxed) == 0) return 0;
    const std::lock_guard lock(mutex_);
    std::size_t taken = 0;
    for (; taken < blocks.size() && !blocks_.empty(); ++taken) {
      blocks[taken] = blocks_.back();
      blocks_.pop_back();
    }
    count_.store(blocks_.size(), std::memory_order_relaxed);
    return taken;
  }
  void give(std::span<void* const> blocks) {
    std::size_t given = 0;
    {
      const std::lock_guard lock(mutex_);
      for (; given < blocks.size() && blocks_.size() < kSharedBlocksMax; ++given)
        blocks_.push_back(blocks[given]);
      count_.store(blocks_.size(), std::memory_order_relaxed);
    }
    for (void* const block : blocks.subspan(given)) ::operator delete(block);
  }

 private:
  std::mutex mutex_;
  std::vector<void*> blocks_;
  std::atomic<std::size_t> count_{0};
};

// Threading: any thread.
template <std::size_t kSize>
class BlockPool {
 public:
  static void* take() {
    if (!kBlocksArePooled || has_ended_) return ::operator new(kSize);
    Cache& cache = this_threads();
    if (cache.count == 0) cache.count = shared().take(std::span(cache.blocks).first(kThreadBlocksMax / 2));
    return cache.count == 0 ? ::operator new(kSize) : cache.blocks[--cache.count];
  }
  static void give(void* block) {
    if (!kBlocksArePooled || has_ended_) return ::operator delete(block);
    Cache& cache = this_threads();
    if (cache.count == kThreadBlocksMax) {
      cache.count /= 2;
      shared().give(std::span(cache.blocks).subspan(cache.count));
    }
    cache.blocks[cache.count++] = block;
  }

 private:
  struct Cache {
    ~Cache() {
      has_ended_ = true;
      for (std::size_t i = 0; i < count; ++i) ::operator delete(blocks[i]);
    }
    std::array<void*, kThreadBlocksMax> blocks;
    std::size_t count = 0;
  };
  static Cache& this_threads() {
    thread_local Cache cache;
    return cache;
  }
  static SharedBlocks& shared() {
    static SharedBlocks& blocks = *new SharedBlocks;  // outlives every thread
    return blocks;
  }

  static inline thread_local bool has_ended_ = false;  // this thread's cache
};

// For std::allocate_shared.
template <class T>
class PooledAllocator {
 public:
  using value_type = T;

  PooledAllocator() = default;
  template <class U>
  PooledAllocator(const PooledAllocator<U>&) {}

  T* allocate(std::size_t count) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    return static_cast<T*>(count == 1 ? BlockPool<sizeof(T)>::take() : ::operator new(count * sizeof(T)));
  }
  void deallocate(T* objects, std::size_t count) {
    count == 1 ? BlockPool<sizeof(T)>::give(objects) : ::operator delete(objects);
  }
  friend bool operator==(const PooledAllocator&, const PooledAllocator&) { return true; }
};

}  // namespace sillok::broker
