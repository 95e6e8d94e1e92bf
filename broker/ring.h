// A queue that keeps its memory: entries come and go without an allocation.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "protocol/base/check.h"

namespace sillok::broker {

// Threading: one at a time. References to entries last until the next push.
// Invariants: the memory is that of the most entries there have been since release(), and at most doubled.
template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // From the front.
  T& operator[](std::size_t index) { return entries_[place(index)]; }
  const T& operator[](std::size_t index) const { return entries_[place(index)]; }
  T& front() { return entries_[first_]; }
  const T& front() const { return entries_[first_]; }

  void push_back(T entry) {
    if (size_ == entries_.size()) grow();
    entries_[place(size_)] = std::move(entry);
    ++size_;
  }
  // What it held is destroyed.
  void pop_front() {
    DCHECK(size_ > 0);
    entries_[first_] = T();
    first_ = place(1);
    --size_;
  }
  void clear() {
    while (!empty()) pop_front();
  }
  // Requires: empty().
  void release() {
    CHECK(empty());
    std::vector<T>().swap(entries_);
    first_ = 0;
  }

 private:
  static constexpr std::size_t kFirstEntries = 4;

  // The number of places is a power of two.
  std::size_t place(std::size_t index) const { return (first_ + index) & (entries_.size() - 1); }
  void grow() {
    std::vector<T> more(entries_.empty() ? kFirstEntries : 2 * entries_.size());
    for (std::size_t i = 0; i < size_; ++i) more[i] = std::move((*this)[i]);
    entries_.swap(more);
    first_ = 0;
  }

  std::vector<T> entries_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace sillok::broker
